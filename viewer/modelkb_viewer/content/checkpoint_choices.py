"""The checkpoints of an experiment that its model can be tried with."""

from __future__ import annotations

from modelkb_store import Experiment
from modelkb_viewer.prediction.input_spec import number

_ORDER = {"end": 0, "best": 1, "epoch": 2, "initial": 3}
_EPOCH = "epoch-"


def checkpoint_choices(experiment: Experiment) -> dict[str, str]:
    """Return what each checkpoint is called in an address, and before people.

    The one that is taken by default comes first: the end of the run, else the best, else the last
    epoch.
    """
    rows = experiment.table("checkpoints").sort_by([("created_at", "descending")]).to_pylist()
    rows.sort(key=lambda row: _ORDER.get(row["kind"], len(_ORDER)))
    found: dict[str, str] = {}
    for row in rows:
        kind, epoch = row["kind"], row["epoch"]
        if kind == "epoch":
            found.setdefault(f"{_EPOCH}{epoch}", f"Epoch {epoch}")
        elif kind == "best":
            by = "" if row["metric"] is None else f", {row['metric']} {number(row['value'])}"
            found.setdefault(kind, f"Best (epoch {epoch}{by})")
        elif kind == "initial":
            found.setdefault(kind, "Before the training")
        else:
            found.setdefault(kind, "End of the run")
    return found


def parse_checkpoint(name: str | None) -> str | int | None:
    """Return a checkpoint as :meth:`Experiment.load_model` takes it; None for the default one.

    Example:
        >>> parse_checkpoint("epoch-3")
        3
    """
    if name is not None and name.startswith(_EPOCH):
        return int(name.removeprefix(_EPOCH))
    return name
