"""How far an experiment has come, so briefly that it can be asked for again and again."""

from __future__ import annotations

import pyarrow.compute as pc

from modelkb_store import Store


def experiment_progress(store: Store, experiment_id: str) -> str:
    """Return a text that is another one when the experiment has another status or new values.

    Args:
        store: The store.
        experiment_id: The experiment.

    Raises:
        ExperimentNotFoundError: There is none with this id.
        CorruptFileError: A file of the store is damaged.
    """
    experiment = store.experiment(experiment_id)
    of_run = {"experiment_id": [experiment.id]}
    # One narrow column of each table: by batch there can be millions of rows.
    epochs, batches = (
        store.table(name, experiment.project, ["epoch"], where=of_run).num_rows
        for name in ("epochs", "batch_metrics")
    )
    metrics = store.table("metrics", experiment.project, ["wall_time"], where=of_run)
    # What is cut off and recorded again may come to as many rows as before.
    latest = pc.max(metrics["wall_time"]).as_py()
    return f"{experiment.record.status} {epochs} {metrics.num_rows} {batches} {latest}"
