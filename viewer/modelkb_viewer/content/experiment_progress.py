"""How far an experiment has come, so briefly that it can be asked for again and again."""

from __future__ import annotations

from modelkb_store import Store


def experiment_progress(store: Store, experiment_id: str) -> str:
    """Return a text that is another one when the experiment has another status or new values.

    Args:
        store: The store.
        experiment_id: The experiment.

    Raises:
        ExperimentNotFoundError: There is none with this id.
    """
    experiment = store.experiment(experiment_id)
    rows = [experiment.table(name) for name in ("epochs", "batch_metrics", "metrics")]
    # What is cut off and recorded again may come to as many rows as before.
    latest = rows[-1]["wall_time"][-1:].to_pylist()
    counts = [str(each.num_rows) for each in rows]
    return " ".join([experiment.record.status, *counts, *map(str, latest)])
