"""What the process of an experiment used over time, and its learning rate over epochs."""

from __future__ import annotations

import pandas as pd

from modelkb_store import Experiment

_GIB = 1 << 30


def resource_curves(experiment: Experiment) -> dict[str, pd.DataFrame]:
    """Return the use of processor, memory and GPUs over the seconds since the start.

    Returns:
        Frames as :func:`modelkb_viewer.figures.curves.curves_figure` takes them, by what they
        measure; what was not measured is left out.
    """
    samples = experiment.resources()
    start = pd.Timestamp(experiment.record.started_at)
    seconds = (samples["wall_time"] - start).dt.total_seconds()
    measured = {
        "CPU (%, 100 is one processor)": [("process", samples["cpu_percent"])],
        "Memory (GiB)": [("process", samples["memory_bytes"] / _GIB)],
        "GPU (%)": _each_gpu(samples["gpu_percent"]),
        "GPU memory (GiB)": [
            (name, values / _GIB) for name, values in _each_gpu(samples["gpu_memory_bytes"])
        ],
    }
    found = {}
    for title, lines in measured.items():
        parts = [
            pd.DataFrame({"x": seconds, "value": values, "series": name}) for name, values in lines
        ]
        frame = pd.concat(parts).dropna() if parts else pd.DataFrame()
        if len(frame):
            found[title] = frame.assign(experiment=experiment.record.name).reset_index(drop=True)
    return found


def learning_rates(experiment: Experiment) -> pd.DataFrame:
    """Return the learning rate over epochs; where it changes inside of one, at both of its ends.

    Returns:
        A frame as :func:`modelkb_viewer.figures.curves.curves_figure` takes it.
    """
    epochs = experiment.epochs()
    first, last = epochs["initial_learning_rate"], epochs["final_learning_rate"]
    series = {"at its end": last}
    if not first.equals(last):
        series = {"at its beginning": first, **series}
    parts = [
        pd.DataFrame({"x": epochs["epoch"], "value": values, "series": name})
        for name, values in series.items()
    ]
    frame: pd.DataFrame = pd.concat(parts, ignore_index=True).dropna().reset_index(drop=True)
    frame["experiment"] = experiment.record.name
    return frame


def _each_gpu(column: pd.Series) -> list[tuple[str, pd.Series]]:
    """Return the values of each GPU from a column of lists."""
    count = max((len(values) for values in column if values is not None), default=0)
    return [
        (
            f"GPU {number}",
            pd.Series(
                [
                    values[number] if values is not None and len(values) > number else None
                    for values in column
                ],
                dtype=float,
            ),
        )
        for number in range(count)
    ]
