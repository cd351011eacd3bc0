"""What the rows of each table are found by, and how they come together."""

from __future__ import annotations

from modelkb_store.schemas import SCHEMAS

# Tables of what many experiments share: equal ids mean equal rows, which are there once.
SHARED_KEYS: dict[str, str] = {
    "models": "model_id",
    "layers": "architecture_id",
    "datasets": "dataset_id",
    "implementations": "implementation_id",
    "environments": "environment_id",
    "variables": "variable_id",
    "trained_weights": "weights_id",
}

# Those of which a run has too many for a file each.
WRITTEN_TOGETHER = ("variables",)

# Tables whose rows of an experiment are written all at once, each time in place of the last.
PUT_TABLES = ("experiments", "hyperparameters", "random_states", "metric_summaries")

# Tables to which rows of an experiment are added.
ADD_TABLES = tuple(
    table
    for table, schema in SCHEMAS.items()
    if "experiment_id" in schema.names and table not in (*PUT_TABLES, *SHARED_KEYS)
)


# What the rows of an experiment are in the order of, where they may be in several files.
ORDERED_BY: dict[str, tuple[str, ...]] = {
    "metrics": ("epoch", "wall_time"),
    "batch_metrics": ("epoch", "step"),
    "epochs": ("epoch",),
    "resources": ("wall_time",),
    **dict.fromkeys(("evaluations", "predictions", "artifacts", "checkpoints"), ("created_at",)),
}


def key_of(table: str) -> str | None:
    """Return the column that the rows of a table are found by; None for ``projects``."""
    if table in SHARED_KEYS:
        return SHARED_KEYS[table]
    return "experiment_id" if "experiment_id" in SCHEMAS[table].names else None
