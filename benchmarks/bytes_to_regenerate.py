"""What is stored to be able to write the scripts of a hundred trainings, against their sources.

    python benchmarks/bytes_to_regenerate.py [RUNS]

Trains tuned_training.py, each time with other constants, and compacts the store. What is counted
is every column that a script is written from, as it lies compressed in the Parquet files, and the
architecture files. That no other column is needed is proved: with all others emptied the scripts
are the same. Random states are kept as well, but only the script of a run that does not begin with
its seed needs them.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import logging
import math
import random
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from modelkb_store import SCHEMAS, Store
from modelkb_store.commits.compaction import compact
from modelkb_store.table_file import encode_rows

SOURCE = Path(__file__).with_name("tuned_training.py")
TARGET = 0.05
USED = {
    "experiments": [
        "experiment_id",
        "name",
        "status",
        "started_at",
        "seed",
        "epochs_completed",
        "notes",
        "model_id",
        "architecture_id",
        "implementation_id",
        "environment_id",
        "parent_experiment_id",
        "command_line",
        "problems",
        "modelkb_version",
    ],
    "hyperparameters": ["experiment_id", "name", "value", "source"],
    "models": ["model_id", "compile_config"],
    "implementations": [
        "implementation_id",
        "script",
        "model_class",
        "data_slice",
        "definitions",
        "source_problems",
        "git_commit",
        "git_difference",
    ],
    "environments": [
        "environment_id",
        "python_version",
        "keras_version",
        "backend",
        "backend_version",
        "dtype_policy",
        "float_type",
        "image_data_format",
        "deterministic_ops",
        "inter_op_threads",
        "intra_op_threads",
        "distributions",
        "variables",
    ],
    "evaluations": ["experiment_id", "split"],
    "checkpoints": ["experiment_id", "kind"],
}
TRAINING = ("EPOCHS", "BATCH_SIZE", "LEARNING_RATE", "WEIGHT_DECAY", "CLIP_NORM")
SERIES = {
    "hyperparameters only": (*TRAINING, "LABEL_SMOOTHING", "PATIENCE"),
    "hyperparameters and seed": (*TRAINING, "SEED"),
    "architectures, too": (*TRAINING, "UNITS", "FILTERS", "DROPOUT"),
}


def settings_of(names: tuple[str, ...], number: int) -> dict[str, Any]:
    """Return values of some constants for a run: as one would tune them, no two runs alike."""
    draw = random.Random(number)
    choices: dict[str, Any] = {
        "EPOCHS": draw.choice([1, 2]),
        "BATCH_SIZE": draw.choice([32, 48, 64, 96]),
        "LEARNING_RATE": float(f"{10 ** draw.uniform(-4, -2):.3g}"),
        "WEIGHT_DECAY": draw.choice([0.0, 0.001, 0.004, 0.01]),
        "CLIP_NORM": draw.choice([0.5, 1.0, 2.0]),
        "LABEL_SMOOTHING": draw.choice([0.0, 0.05, 0.1, 0.2]),
        "PATIENCE": draw.choice([2, 3, 5]),
        "SEED": number,
        "UNITS": 8 + number,
        "FILTERS": draw.choice([(4, 8), (4, 4), (8, 8), (8, 16)]),
        "DROPOUT": draw.choice([0.1, 0.2, 0.3, 0.5]),
    }
    return {name: choices[name] for name in names}


def source_of(settings: dict[str, Any]) -> str:
    """Return the training's source with these values of its constants."""
    text = SOURCE.read_text(encoding="utf-8")
    for name, value in settings.items():
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value!r}", text)
        assert count == 1, name
    return text


def train(folder: Path, series: str, runs: int) -> None:
    """Train every variation; each has the name of the one script that is edited again and again."""
    import keras

    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # each run traces its functions anew
    script = folder / "train.py"
    for number in range(runs):
        script.write_text(source_of(settings_of(SERIES[series], number)), encoding="utf-8")
        sys.argv = [str(script)]
        with contextlib.redirect_stdout(io.StringIO()):
            runpy.run_path(str(script), run_name="__main__")
        keras.backend.clear_session()


def files_of(root: Path, table: str) -> list[Path]:
    """Return the Parquet files of a table."""
    return sorted((root / table).rglob("*.parquet"))


def column_bytes(path: Path, columns: list[str]) -> int:
    """Return what some columns of a Parquet file take, compressed."""
    metadata = pq.read_metadata(path)
    chunks = (
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    )
    return sum(
        chunk.total_compressed_size
        for chunk in chunks
        if chunk.path_in_schema.partition(".")[0] in columns
    )


def print_tables(root: Path, runs: int) -> tuple[int, int, int]:
    """Print what each table takes.

    Returns:
        The sums of the columns and of whole files, and what of the columns is there for each run.
    """
    print(f"  {'':<18}{'rows':>8}{'columns used':>15}{'whole files':>14}  bytes")
    sums, for_each = [0, 0], 0
    for table, columns in USED.items():
        files = files_of(root, table)
        rows = sum(pq.read_metadata(path).num_rows for path in files)
        used = sum(column_bytes(path, columns) for path in files)
        whole = sum(path.stat().st_size for path in files)
        print(f"  {table:<18}{rows:>8,}{used:>15,}{whole:>14,}")
        sums = [sums[0] + used, sums[1] + whole]
        for_each += used if rows >= runs else 0
    architectures = [path for path in (root / "objects/architectures").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in architectures)
    for_each += size if len(architectures) >= runs else 0
    print(f"  {'architectures':<18}{len(architectures):>8,}{size:>15,}{size:>14,}")
    states = sum(path.stat().st_size for path in files_of(root, "random_states"))
    print(f"  {'(random_states':<18}{'':>8}{'not needed':>15}{states:>14,})")
    return sums[0] + size, sums[1] + size, for_each


def emptied(root: Path, folder: Path) -> Path:
    """Return a copy of a store that has no value in any column that is not used."""
    copy = folder / "emptied"
    shutil.copytree(root, copy)
    for table, schema in SCHEMAS.items():
        for path in files_of(copy, table):
            rows = pq.ParquetFile(path).read()
            columns = [
                rows[field.name]
                if field.name in USED.get(table, ())
                else pa.nulls(rows.num_rows, field.type)
                for field in schema
            ]
            path.write_bytes(encode_rows(table, pa.table(columns, schema=schema)))
    return copy


def scripts_of(root: Path) -> list[str]:
    """Return the scripts of all experiments, oldest first."""
    store = Store(root)
    ids = pa.concat_tables(
        pq.ParquetFile(path).read(columns=["experiment_id"])
        for path in files_of(root, "experiments")
    )
    return [store.experiment(each).script() for each in sorted(ids["experiment_id"].to_pylist())]


def body(script: str) -> list[str]:
    """Return a script's lines without the docstring, which names the experiment."""
    return script.split('"""', 2)[2].splitlines()


def changed_lines(scripts: list[str]) -> dict[str, int]:
    """Return what stands before the values in lines that differ from the first, and in how many."""
    found: dict[str, int] = defaultdict(int)
    for script in scripts[1:]:
        lines = {
            re.split(r"[\d(]", line[2:], maxsplit=1)[0].strip(" =")
            for line in difflib.ndiff(body(scripts[0]), body(script))
            if line[0] in "+-"
        }
        for line in lines - {""}:
            found[line] += 1
    return dict(found)


def print_scripts(root: Path, folder: Path) -> None:
    """Print whether all scripts can be written, in what they differ, and of what alone."""
    scripts = scripts_of(root)
    different = len({"\n".join(body(script)) for script in scripts})
    print(f"  {len(scripts)} scripts written, {different} different; lines that differ:")
    for line, count in sorted(changed_lines(scripts).items(), key=lambda item: -item[1]):
        print(f"    {count:>4} {line}")
    assert scripts_of(emptied(root, folder)) == scripts, "a column is used that is not counted"
    print("  the same scripts from the columns used alone: yes")


def print_shares(used: int, whole: int, for_each: int, series: str, runs: int) -> None:
    """Print what is stored against copies of the sources."""
    sources = [source_of(settings_of(SERIES[series], number)).encode() for number in range(runs)]
    plain = sum(map(len, sources))
    compressed = sum(len(pa.compress(source, codec="zstd", asbytes=True)) for source in sources)
    print(f"  {'stored to write them':<26}{used:>15,}{whole:>14,}")
    for name, size in {"copies": plain, "copies, each compressed": compressed}.items():
        print(f"  {size:>10,} bytes of {name:<26} {used / size:>7.2%} {whole / size:>8.2%}")
    each, copy = for_each / runs, plain / runs
    print(f"  {each:,.0f} bytes of it for each run ({each / copy:.2%} of a copy)", end=", ")
    print(f"and {used - for_each:,} however many there are")
    if each < TARGET * copy:
        least = math.ceil((used - for_each) / (TARGET * copy - each))
        print(f"  under {TARGET:.0%} from {least} runs on")
    print(
        f"  target: under {TARGET:.0%} of the copies:",
        "met" if used < TARGET * plain else "MISSED",
    )


def main() -> None:
    """Measure each series in a process of its own."""
    if sys.argv[1:2] == ["--train"]:
        train(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return
    runs = int(sys.argv[1]) if sys.argv[1:] else 100
    for series, names in SERIES.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            line = [sys.executable, str(Path(__file__).resolve()), "--train", place, series]
            subprocess.run([*line, str(runs)], check=True, cwd=place)
            root = folder / "modelkb"
            compact(Store(root).files)
            print(f"{runs} runs, {series}: {', '.join(names)}")
            used, whole, for_each = print_tables(root, runs)
            print_shares(used, whole, for_each, series, runs)
            print_scripts(root, folder)


if __name__ == "__main__":
    main()
