"""Other programs that read a store as it is on disk: each answers the same questions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds

from modelkb_store import Store

Rows = list[tuple[Any, ...]]

# In the SQL that DuckDB, Spark and Store.sql have in common.
QUESTIONS = {
    "last value of every curve": """
        SELECT project, experiment_id, split, metric, value FROM (
            SELECT *, row_number() OVER (
                PARTITION BY experiment_id, split, metric ORDER BY epoch DESC) AS place
            FROM metrics) AS ranked
        WHERE place = 1""",
    "best run": """
        SELECT e.project, e.experiment_id, e.name, m.value
        FROM experiments e JOIN metrics m ON e.experiment_id = m.experiment_id
        WHERE m.metric = 'accuracy' AND m.split = 'validation'
        ORDER BY m.value DESC LIMIT 1""",
    "mean loss by optimizer": """
        SELECT h.value, avg(m.value), count(*)
        FROM hyperparameters h JOIN metrics m ON h.experiment_id = m.experiment_id
        WHERE h.name = 'optimizer' AND m.metric = 'loss' AND m.split = 'train'
        GROUP BY h.value""",
    "layers by class": "SELECT class_name, count(*) FROM layers GROUP BY class_name",
    "times": "SELECT experiment_id, started_at, ended_at, duration_seconds FROM experiments",
    "confusion matrices": """
        SELECT experiment_id, output, confusion_matrix, class_names, support FROM evaluations""",
    "distributions": "SELECT environment_id, distributions FROM environments",
}


def ask_store(root: Path) -> dict[str, Rows]:
    """Ask ModelKB itself, by SQL."""
    store = Store(root)
    return {
        name: [tuple(row.values()) for row in store.sql_table(query).to_pylist()]
        for name, query in QUESTIONS.items()
    }


def ask_duckdb(root: Path) -> dict[str, Rows]:
    """Ask DuckDB over the plain files."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in ("experiments", "hyperparameters", "metrics", "layers", "evaluations"):
            connection.execute(_duckdb_view(root, table))
        connection.execute(_duckdb_view(root, "environments"))
        return {name: connection.sql(query).fetchall() for name, query in QUESTIONS.items()}


def _duckdb_view(root: Path, table: str) -> str:
    return (
        f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{root}/{table}/*/*.parquet', "
        "hive_partitioning = true, hive_types = {'project': VARCHAR}, union_by_name = true)"
    )


def ask_spark(spark: Any, root: Path) -> dict[str, Rows]:
    """Ask Spark, whose time zone is UTC and which takes partitions for texts."""
    for table in ("experiments", "hyperparameters", "metrics", "layers", "evaluations"):
        read_by_spark(spark, root, table).createOrReplaceTempView(table)
    read_by_spark(spark, root, "environments").createOrReplaceTempView("environments")
    return {
        name: [tuple(row) for row in spark.sql(query).collect()]
        for name, query in QUESTIONS.items()
    }


def read_by_spark(spark: Any, root: Path, table: str) -> Any:
    """Return a table; Spark takes each byte of a percent-encoded project for a character."""
    from pyspark.sql.functions import decode, encode

    name = decode(encode("project", "ISO-8859-1"), "UTF-8")
    rows = spark.read.option("mergeSchema", "true").parquet(str(root / table))
    return rows.withColumn("project", name)


def ask_pandas(root: Path) -> dict[str, Rows]:
    """Ask pandas."""
    return _ask_frames(lambda table: read_by_pandas(root, table))


def read_by_pandas(root: Path, table: str) -> pd.DataFrame:
    """Return a table; without the partitioning pandas would make numbers of projects."""
    partitioning = ds.partitioning(pa.schema([("project", pa.string())]), flavor="hive")
    return pd.read_parquet(root / table, partitioning=partitioning)


def _ask_frames(read: Callable[[str], pd.DataFrame]) -> dict[str, Rows]:
    metrics, runs = read("metrics"), read("experiments")
    curves = metrics.sort_values("epoch").groupby(["experiment_id", "split", "metric"])
    accuracy = metrics[(metrics["metric"] == "accuracy") & (metrics["split"] == "validation")]
    of_runs = runs.merge(accuracy[["experiment_id", "value"]], on="experiment_id")
    settings = read("hyperparameters").query("name == 'optimizer'")
    loss = metrics[(metrics["metric"] == "loss") & (metrics["split"] == "train")]
    both = settings.merge(loss, on="experiment_id", suffixes=("", "_of_metric"))
    by_optimizer = both.groupby("value")["value_of_metric"].agg(["mean", "count"]).reset_index()
    layers = read("layers").groupby("class_name").size().reset_index()
    last = curves.tail(1)
    columns = ["experiment_id", "output", "confusion_matrix", "class_names", "support"]
    times = ["experiment_id", "started_at", "ended_at", "duration_seconds"]
    best = of_runs.nlargest(1, "value")
    frames = {
        "last value of every curve": last[["project", "experiment_id", "split", "metric", "value"]],
        "best run": best[["project", "experiment_id", "name", "value"]],
        "mean loss by optimizer": by_optimizer,
        "layers by class": layers,
        "times": runs[times],
        "confusion matrices": read("evaluations")[columns],
        "distributions": read("environments")[["environment_id", "distributions"]],
    }
    return {name: list(frame.itertuples(index=False, name=None)) for name, frame in frames.items()}


def ask_polars(root: Path) -> dict[str, Rows]:
    """Ask Polars."""
    metrics, runs = read_by_polars(root, "metrics"), read_by_polars(root, "experiments")
    curve = ["project", "experiment_id", "split", "metric"]
    is_accuracy = (pl.col("metric") == "accuracy") & (pl.col("split") == "validation")
    is_loss = (pl.col("metric") == "loss") & (pl.col("split") == "train")
    optimizers = read_by_polars(root, "hyperparameters").filter(pl.col("name") == "optimizer")
    both = optimizers.join(metrics.filter(is_loss), on="experiment_id", suffix="_of_metric")
    means = [pl.col("value_of_metric").mean().alias("mean"), pl.len()]
    frames = {
        "last value of every curve": metrics.group_by(curve).agg(
            pl.col("value").sort_by("epoch").last()
        ),
        "best run": runs.join(metrics.filter(is_accuracy), on="experiment_id")
        .top_k(1, by="value")
        .select("project", "experiment_id", "name", "value"),
        "mean loss by optimizer": both.group_by("value").agg(means),
        "layers by class": read_by_polars(root, "layers").group_by("class_name").len(),
        "times": runs.select("experiment_id", "started_at", "ended_at", "duration_seconds"),
        "confusion matrices": read_by_polars(root, "evaluations").select(
            "experiment_id", "output", "confusion_matrix", "class_names", "support"
        ),
        "distributions": read_by_polars(root, "environments").select(
            "environment_id", "distributions"
        ),
    }
    return {name: frame.collect().rows() for name, frame in frames.items()}


def read_by_polars(root: Path, table: str) -> pl.LazyFrame:
    """Return a table; columns that old files lack are null."""
    return pl.scan_parquet(
        root / table / "**/*.parquet",
        hive_partitioning=True,
        hive_schema={"project": pl.String},
        missing_columns="insert",
    )


def read_by_duckdb(root: Path, table: str) -> pd.DataFrame:
    """Return a table."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_duckdb_view(root, table))
        return connection.sql(f"SELECT * FROM {table}").to_arrow_table().to_pandas()
