"""How fast a store of many runs is listed and searched, and what it takes on disk.

    python benchmarks/store_scale.py [1000 10000 100000]

Each size is measured in a process of its own. Beside it stands what DuckDB takes for the same
rows in one Parquet file (zstd) per table: as the long tables that ModelKB keeps, which DuckDB
turns into one row per run, and as that wide table itself.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from generated_store import make_store
from modelkb_store import SCHEMAS, Store
from modelkb_store.tables import Tables

TIMES = 7
QUERY: dict[str, Any] = {
    "where": "params.learning_rate < 0.01 and metrics.val_accuracy > 0.9",
    "order_by": "-metrics.val_accuracy",
    "limit": 10,
}
LONG = """
    WITH lasts AS (
        SELECT experiment_id, split || '_' || metric AS name, arg_max(value, epoch) AS value
        FROM '{folder}/metrics.parquet' GROUP BY ALL
    ), metrics AS (PIVOT lasts ON name USING first(value) GROUP BY experiment_id),
    params AS (
        PIVOT (SELECT experiment_id, name, value FROM '{folder}/hyperparameters.parquet')
        ON name USING first(value) GROUP BY experiment_id
    )
    SELECT * FROM '{folder}/experiments.parquet'
    JOIN params USING (experiment_id) JOIN metrics USING (experiment_id)
"""
TOP_OF_LONG = """
    WITH rates AS (
        SELECT experiment_id FROM '{folder}/hyperparameters.parquet'
        WHERE name = 'learning_rate' AND number < 0.01
    ), accuracies AS (
        SELECT experiment_id, arg_max(value, epoch) AS value FROM '{folder}/metrics.parquet'
        WHERE split = 'validation' AND metric = 'accuracy' GROUP BY experiment_id
    )
    SELECT * FROM '{folder}/experiments.parquet' JOIN rates USING (experiment_id)
    JOIN accuracies USING (experiment_id) WHERE value > 0.9 ORDER BY value DESC LIMIT 10
"""
TOP_OF_WIDE = """
    SELECT * FROM '{folder}/wide.parquet'
    WHERE "params.learning_rate" < 0.01 AND "metrics.val_accuracy" > 0.9
    ORDER BY "metrics.val_accuracy" DESC LIMIT 10
"""


def timed(what: str, action: Callable[[], Any]) -> Any:
    """Print how long an action takes the first time, and mostly."""
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        result = action()
        seconds.append(time.perf_counter() - start)
    print(
        f"  {what:<42} {statistics.median(seconds) * 1e3:9.1f} ms   first"
        f" {seconds[0] * 1e3:9.1f} ms"
    )
    return result


def peak_megabytes() -> float:
    """Return the most memory that this process had; of Linux, since it began."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


def measure(root: Path) -> None:
    """Print what reading a store costs."""
    store = Store(root)
    listed = timed("list all, with parameters and metrics", store.experiments)
    best = timed("filter and top 10", lambda: store.experiments(**QUERY))
    timed("the same, anew each time", lambda: Store(root).experiments(**QUERY))
    middle = listed["experiment_id"].iloc[len(listed) // 2]
    timed("one experiment's curves", lambda: store.experiment(middle).metrics())
    timed("a curve of 10 experiments", lambda: store.metrics(best["experiment_id"], "val_loss"))
    print(f"  {'memory at its peak':<42} {peak_megabytes():9.0f} MB")
    query = "select metric, avg(value) from metrics where split = 'validation' group by metric"
    timed("SQL: the mean of five curves", lambda: store.sql(query))


def measure_duckdb(folder: Path) -> None:
    """Print what DuckDB takes for the same."""
    connection = duckdb.connect()

    def ask(query: str) -> Callable[[], Any]:
        return lambda: connection.sql(query.format(folder=folder)).df()

    timed("DuckDB, long tables: list all", ask(LONG))
    timed("DuckDB, long tables: filter and top 10", ask(TOP_OF_LONG))
    timed("DuckDB, one wide table: list all", ask("SELECT * FROM '{folder}/wide.parquet'"))
    timed("DuckDB, one wide table: filter and top 10", ask(TOP_OF_WIDE))


def write_single_files(root: Path, folder: Path) -> int:
    """Write each table as one Parquet file, and return the size of all."""
    store = Store(root)
    size = 0
    for table in SCHEMAS:
        rows = Tables(store.files).read(table)
        if rows.num_rows:
            path = folder / f"{table}.parquet"
            pq.write_table(rows, path, compression="zstd")
            size += path.stat().st_size
    pq.write_table(store.experiment_table(), folder / "wide.parquet", compression="zstd")
    return size


def compare_disk(root: Path, runs: int, folder: Path) -> None:
    """Print what the store takes on disk."""
    files = [path for path in root.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    single = write_single_files(root, folder)
    print(f"  {'bytes, against one file per table':<42} {size / single:9.3f}    {size:,} bytes")
    print(
        f"  {'files per thousand runs':<42} {len(files) * 1000 / runs:9.2f}    {len(files)} files"
    )


def main() -> None:
    """Measure stores of some sizes."""
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
        return
    for runs in [int(word) for word in sys.argv[1:]] or [1_000, 10_000, 100_000]:
        with tempfile.TemporaryDirectory() as place:
            root, folder = Path(place) / "modelkb", Path(place) / "single"
            folder.mkdir()
            start = time.perf_counter()
            make_store(root, runs)
            print(f"{runs:,} runs (made in {time.perf_counter() - start:.0f} s)", flush=True)
            subprocess.run([sys.executable, __file__, "--measure", str(root)], check=True)
            compare_disk(root, runs, folder)
            measure_duckdb(folder)


if __name__ == "__main__":
    main()
