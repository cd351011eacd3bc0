"""How far an experiment has come, so briefly that it can be asked for each second."""

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
    rows = [experiment.table(name).num_rows for name in ("epochs", "metrics", "batch_metrics")]
    # What is cut off and recorded again may come to as many rows as before.
    walls = experiment.table("metrics")["wall_time"]
    latest = walls[-1].as_py() if len(walls) else None
    return f"{experiment.record.status} {' '.join(map(str, rows))} {latest}"
