"""A store that is too large for one machine: merged, and summed up, by Spark.

    spark-submit examples/spark_store.py compact s3://bucket/modelkb
    spark-submit examples/spark_store.py statistics s3://bucket/modelkb by_value.csv val_accuracy

docs/spark.md says what the cluster needs.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as fn
from pyspark.sql.pandas.types import from_arrow_schema

from modelkb_store import SCHEMAS
from modelkb_store.commits.compaction import mergeable_files, parts_of_tables
from modelkb_store.commits.manifest import CompactedFile
from modelkb_store.commits.staged import commit_files, discard_staged, staging_folder
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.files.open_files import open_files
from modelkb_store.history_names import metrics_that_may_be
from modelkb_store.keys import SHARED_KEYS, key_of
from modelkb_store.layout import resolve_store_location
from modelkb_store.metric_direction import higher_is_better
from modelkb_store.snapshot import Snapshot, consistently

T = TypeVar("T")

FILE_BYTES = 256 << 20
ATTEMPTS = 5
WRITTEN = (
    "path string, row_count long, size_bytes long, sha256 string, first_key string, last_key string"
)


def compact(spark: SparkSession, location: str, file_bytes: int = FILE_BYTES) -> int:
    """Merge the small files of every table and project; returns how many files are fewer.

    Runs may go on meanwhile: the files of their logs are left alone. What others merge or edit
    while Spark reads it is tried again.
    """
    location = resolve_store_location(location)  # the workers are in another folder
    files = open_files(location)
    fewer = 0
    for table, folder in consistently(files, parts_of_tables):
        done = _compact_part(spark, location, table, folder, file_bytes)
        print(f"{table}/{folder}: {done} files fewer")
        fewer += done
    return fewer


def _compact_part(
    spark: SparkSession, location: str, table: str, folder: str, file_bytes: int
) -> int:
    files = open_files(location)

    def attempt(small: list[FileInfo]) -> int | None:
        count = math.ceil(sum(info.size_bytes for info in small) / file_bytes)
        if len(small) <= count:
            return 0
        paths, staging = [info.path for info in small], staging_folder()
        try:
            rows = _rows_in_order(spark, files, table, paths, count)
            staged = _write(rows, location, table, staging)
            # Rows of shared tables may be there twice, and are once then.
            if table not in SHARED_KEYS:
                before = _read(spark, files, table, paths).count()
                after = sum(facts.row_count for facts in staged.values())
                if before != after:
                    raise RuntimeError(f"{before} rows became {after} in {table}/{folder}")
            if commit_files(files, table, folder, staged, paths):
                return len(paths) - len(staged)
            return None
        finally:
            discard_staged(files, staging)

    def small_files(snapshot: Snapshot) -> list[FileInfo]:
        found = mergeable_files(snapshot, table, folder)
        return [info for info in found if info.size_bytes < file_bytes // 2]

    return _unless_changed(files, small_files, attempt)


def _rows_in_order(
    spark: SparkSession, files: Files, table: str, paths: Collection[str], count: int
) -> DataFrame:
    """Return rows for so many files: by key, and those of one key as they were."""
    key, name = key_of(table), fn.col("_metadata.file_name")
    as_they_were = {
        "_is_loose": ~name.startswith("compact-"),
        "_file": name,
        "_row": fn.col("_metadata.row_index"),
    }
    rows = _read(spark, files, table, paths).withColumns(as_they_were)
    if table in SHARED_KEYS:
        once = [key, "position"] if table == "layers" else [key]
        rows = rows.withColumn(
            "_place", fn.row_number().over(Window.partitionBy(*once).orderBy(*as_they_were))
        )
        rows = rows.where("_place = 1")
    rows = rows.repartitionByRange(count, key).sortWithinPartitions(key, *as_they_were)
    return rows.select(*SCHEMAS[table].names)


def _write(rows: DataFrame, location: str, table: str, staging: str) -> dict[str, CompactedFile]:
    """Write each partition into a file of ModelKB's, on the machine that has it."""

    # Goes to the workers by itself: they need ModelKB, and not this script.
    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import uuid
        from dataclasses import asdict

        from modelkb_store.commits.staged import write_staged
        from modelkb_store.files.open_files import open_files

        # A task that Spark repeats writes another file; the first one is discarded.
        path = f"{staging}/{uuid.uuid4().hex}.parquet"
        facts = write_staged(open_files(location), table, path, batches)
        if facts is not None:
            yield pa.RecordBatch.from_pylist([{"path": path, **asdict(facts)}], schema=written)

    names = ("path", "row_count", "size_bytes", "sha256", "first_key", "last_key")
    numbers = ("row_count", "size_bytes")
    written = pa.schema([(n, pa.int64() if n in numbers else pa.string()) for n in names])
    found = [row.asDict() for row in rows.mapInArrow(write, WRITTEN).collect()]
    return {facts.pop("path"): CompactedFile(**facts) for facts in found}


def statistics(spark: SparkSession, location: str, output: str, metric: str) -> None:
    """Write runs, best value of a metric and mean duration by project and hyperparameter value.

    Args:
        spark: The session.
        location: The store.
        output: A folder that is made: of CSV if its name ends so, else of Parquet.
        metric: As in Keras' history, such as ``val_accuracy``.
    """
    files = open_files(location)

    def attempt(snapshot: Snapshot) -> bool:
        tables = {
            table: _read_all(spark, snapshot, table)
            for table in ("experiments", "hyperparameters", "metrics")
        }
        writer = _by_value(tables, metric).coalesce(1).write.mode("overwrite")
        if output.endswith(".csv"):
            writer.csv(output, header=True)
        else:
            writer.parquet(output)
        return True

    def with_listings(snapshot: Snapshot) -> Snapshot:
        for table in ("experiments", "hyperparameters", "metrics"):
            snapshot.table_files(table)
        return snapshot

    _unless_changed(files, with_listings, attempt)


def _by_value(tables: dict[str, DataFrame], metric: str) -> DataFrame:
    run = ["project", "experiment_id"]
    prefix = fn.when(fn.col("split") == "train", "").when(fn.col("split") == "validation", "val_")
    prefix = prefix.otherwise(fn.concat("split", fn.lit("_")))
    is_wanted = fn.col("metric").isin(metrics_that_may_be(metric)) & ~fn.isnan("value")
    points = tables["metrics"].where(is_wanted & (fn.concat(prefix, "metric") == metric))
    best: Callable[[str], Column] = fn.max if higher_is_better(metric) else fn.min
    of_runs = points.groupBy(*run).agg(best("value").alias("best"))
    settings = tables["hyperparameters"].select(*run, "name", fn.col("value").alias("setting"))
    durations = tables["experiments"].select(*run, "duration_seconds")
    rows = settings.join(durations, run).join(of_runs, run, "left")
    return (
        rows.groupBy("project", fn.col("name").alias("hyperparameter"), "setting")
        .agg(
            fn.count("*").alias("runs"),
            best("best").alias(f"best_{metric}"),
            fn.avg("duration_seconds").alias("mean_duration_seconds"),
        )
        .orderBy("project", "hyperparameter", "setting")
    )


def _read(spark: SparkSession, files: Files, table: str, paths: Collection[str]) -> DataFrame:
    """Read some files; columns that old ones lack are null."""
    schema = from_arrow_schema(SCHEMAS[table])
    return spark.read.schema(schema).parquet(*(_for_spark(files, path) for path in paths))


def _read_all(spark: SparkSession, snapshot: Snapshot, table: str) -> DataFrame:
    """Read what counts of a table, less the runs that go on, with the column ``project``."""
    files, schema = snapshot.files, from_arrow_schema(SCHEMAS[table])
    paths = [info.path for info in snapshot.table_files(table)]
    schema = schema.add("project", "string")
    if not paths:
        return spark.createDataFrame([], schema)
    rows = spark.read.schema(schema).option("basePath", _for_spark(files, table))
    # Spark takes each byte of a percent-encoded name for a character.
    name = fn.decode(fn.encode("project", "ISO-8859-1"), "UTF-8")
    found = rows.parquet(*(_for_spark(files, path) for path in paths))
    found = found.withColumn("project", name)
    left_out = snapshot.deleted | {log.experiment_id for log in snapshot.logs if log.is_first}
    return found.where(~fn.col("experiment_id").isin(*left_out))


def _for_spark(files: Files, path: str) -> str:
    local = files.local_path(path)
    if local is not None:
        return f"file://{local.as_posix()}"
    place = files.uri.partition("?")[0].replace("s3://", "s3a://")
    return f"{place.rstrip('/')}/{path}"


def _unless_changed(
    files: Files, look: Callable[[Snapshot], T], attempt: Callable[[T], int | bool | None]
) -> int:
    """Try something with a state of the store until it is still that state at the end."""
    for _ in range(ATTEMPTS):
        before = consistently(files, lambda now: now.manifest.version)
        try:
            done = attempt(consistently(files, look))
        except Exception:
            # A file that Spark was to read was merged with others, maybe.
            if consistently(files, lambda now: now.manifest.version) == before:
                raise
            continue
        if done is not None:
            return int(done)
    print("left as it is: others change it all the time")
    return 0


def main() -> None:
    """Run one of the jobs."""
    parser = argparse.ArgumentParser(description=__doc__)
    jobs = parser.add_subparsers(dest="job", required=True)
    merging = jobs.add_parser("compact", help="merge small files")
    merging.add_argument("store")
    merging.add_argument("--file-megabytes", type=int, default=FILE_BYTES >> 20)
    counting = jobs.add_parser("statistics", help="sum up by hyperparameter value")
    counting.add_argument("store")
    counting.add_argument("output")
    counting.add_argument("metric")
    chosen = parser.parse_args()
    builder = SparkSession.builder.appName(f"modelkb {chosen.job}")
    spark = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    if chosen.job == "compact":
        compact(spark, chosen.store, chosen.file_megabytes << 20)
    else:
        statistics(spark, chosen.store, chosen.output, chosen.metric)
    spark.stop()


if __name__ == "__main__":
    main()
