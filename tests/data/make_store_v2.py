"""Makes ``store_v2``, the sample of store format 2 that later versions must read.

Five runs, in all the states that rows can be in:

- ``kept``: finished, with a row in each table; compacted, its weights in a pack;
- ``deleted``: compacted like it, and then deleted, but not yet collected;
- ``loose``: failed; folded after the compaction, so in files of its own;
- ``resumed``: finished, taken up again, and running for the second time: the log of that
  cuts an epoch of what is in Parquet files;
- ``killed``: its process is gone, and its log with two segments is all that is left of it but
  what was mirrored into Parquet files. One line of the log is damaged, the last one torn.

Whether the processes of the last two count as alive goes by the times of the logs' files, which
git does not keep: whoever reads the sample sets them.

Logs are written by hand, so that the content is the same each time; only the names of compacted
files differ. Keras is not needed.

    python tests/data/make_store_v2.py tests/data/store_v2
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from modelkb_store import layout
from modelkb_store.architecture_file import Architecture, write_architecture
from modelkb_store.commits.compaction import compact
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.entry import Action, columns_of, encode_entry
from modelkb_store.log.folding import fold, mirror
from modelkb_store.log.log_name import LogName
from modelkb_store.project_names import project_folder
from modelkb_store.records import CheckpointRecord, VariableRecord
from modelkb_store.schemas import SCHEMAS
from modelkb_store.weights.checkpoint import save_checkpoint

PROJECT = "Wind & Gezeiten"
STARTED = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=timezone.utc)
KERNEL = np.arange(2048, dtype="float32").reshape(4, 512) / 8  # large enough for chunks
BIAS = np.array([0.5, -0.5], dtype="float32")
KEPT, DELETED, LOOSE, RESUMED, KILLED = (
    f"20260304-050607{number:03d}-00000000{number:02x}" for number in range(1, 6)
)
WEIGHTS_ID = "77" * 16
ARCHITECTURE = Architecture(
    architecture_id="a1" * 16,
    model_config={"class_name": "Sequential", "config": {"name": "tide", "layers": []}},
    training_config={"loss": "mse"},
    keras_version="3.15.1",
    backend="jax",
)
CONSOLE = b"Epoch 1/3\n"
CONSOLE_SHA256 = hashlib.sha256(CONSOLE).hexdigest()
# Elsewhere, so that no process of the reader's machine can be taken for it.
PROCESS = {"machine": "an-island:a-boot:a-namespace", "process_id": 4242, "started": 1772600000.0}

Line = tuple[Action, str, Mapping[str, Any]]


def make_store(root: Path) -> None:
    """Make the store in a folder that is not there yet."""
    files = LocalFiles(root)
    layout.create_store(files)
    path = layout.architecture_file(ARCHITECTURE.architecture_id)
    write_architecture(files.local_path(path), ARCHITECTURE)
    files.write(layout.kept_file(CONSOLE_SHA256), CONSOLE)
    checkpoint = _save_weights(files)
    _fold(files, KEPT, [*_run(KEPT, "kept", 3), *_everything_else(KEPT), *checkpoint])
    _fold(files, DELETED, _run(DELETED, "deleted", 2))
    _fold(files, RESUMED, _run(RESUMED, "resumed", 3))
    compact(files)
    note = {"deleted_at": (STARTED + timedelta(days=1)).isoformat(timespec="milliseconds")}
    files.write(layout.tombstone_file(DELETED), f"{json.dumps(note)}\n".encode())
    _fold(files, LOOSE, _run(LOOSE, "loose", 1, status="failed", problems=["out of water"]))
    _log_of_resumed(files)
    _log_of_killed(files)


def _run(run: str, name: str, epochs: int, status: str = "finished", **facts: Any) -> list[Line]:
    lines = [_put("experiments", _experiment(run, name, **facts))]
    lines += [_put("hyperparameters", _hyperparameter(run, "epochs", epochs))]
    for epoch in range(epochs):
        lines += _epoch(run, epoch)
    if status != "running":
        ended = {"status": status, "ended_at": 60, "duration_seconds": 60.0}
        row = _experiment(run, name, **ended, epochs_completed=epochs, **facts)
        lines += [_put("experiments", row), (Action.END, "", {})]
    return lines


def _experiment(run: str, name: str, **facts: Any) -> dict[str, Any]:
    return {
        "experiment_id": run,
        "name": name,
        "owner": "ada",
        "status": "running",
        "started_at": 0,
        "host": "an-island",
        "process_id": 4242,
        "modelkb_version": "0.1.0",
        "seed": 7,
        "epochs_planned": 3,
        "epochs_completed": 0,
        "tags": ["tide"],
        "notes": "",
        "problems": [],
        "model_id": "4a" * 16,
        "architecture_id": ARCHITECTURE.architecture_id,
        "dataset_id": "d1" * 16,
        "implementation_id": "1b" * 16,
        "environment_id": "e1" * 16,
        **facts,
    }


def _hyperparameter(run: str, name: str, value: float) -> dict[str, Any]:
    facts = {"value": json.dumps(value), "number": float(value), "source": "fit"}
    return {"experiment_id": run, "name": name, **facts}


def _epoch(run: str, epoch: int, loss: float | None = None) -> list[Line]:
    """Return the lines of an epoch; the same point of both curves in one line."""
    value = 1 / (epoch + 1) if loss is None else loss
    lasted = {"duration_seconds": 10.0, "initial_learning_rate": 0.01, "final_learning_rate": 0.01}
    points: dict[str, Any] = {
        "experiment_id": run,
        "epoch": epoch,
        "step": 4 * (epoch + 1),
        "split": ["train", "validation"],
        "metric": "loss",
        "value": [value, float("nan") if epoch == 1 else 2 * value],
        "wall_time": _time(10 * (epoch + 1)),
    }
    began = {"experiment_id": run, "epoch": epoch, "started_at": 10 * epoch}
    return [_add("epochs", {**began, **lasted}), (Action.ADD, "metrics", points)]


def _everything_else(run: str) -> list[Line]:
    """Return a row of every table that has none yet."""
    batch = {"epoch": 0, "step": 1, "split": "train", "metric": "loss", "value": 1.5}
    matrix = {"class_names": ["ebb", "flood"], "confusion_matrix": [[20, 5], [0, 25]]}
    scores = {"precision": [1.0, 0.8], "recall": [0.8, 1.0], "accuracy": 0.9}
    judged = {"split": "validation", "output": "kind", "task": "classification", "epoch": 2}
    used = {"cpu_percent": 99.5, "memory_bytes": 1 << 30, "gpu_percent": [None, 50.0]}
    layer = {"position": 0, "path": "dense", "name": "dense", "class_name": "Dense"}
    model: dict[str, Any] = {"name": "tide", "class_name": "Sequential", "kind": "sequential"}
    model |= {
        "layer_count": 1,
        "architecture_path": layout.architecture_file(ARCHITECTURE.architecture_id),
    }
    architecture = {"architecture_id": ARCHITECTURE.architecture_id}
    kept = {"path": layout.kept_file(CONSOLE_SHA256), "sha256": CONSOLE_SHA256, "size_bytes": 10}
    links = {"dataset_id": "d1" * 16, "implementation_id": "1b" * 16}
    machine = {"python_version": "3.11.9", "cpu": "A processor", "cpu_count": 2, "gpus": []}
    keras = {"keras_version": "3.15.1", "backend": "jax", "deterministic_ops": True}
    lists = {"distributions": [{"name": "keras", "version": "3.15.1"}], "variables": []}
    of_run: dict[str, dict[str, Any]] = {
        "batch_metrics": {**batch, "wall_time": 1},
        "evaluations": {**judged, **matrix, **scores, "sample_count": 50, "created_at": 50},
        "resources": {**used, "wall_time": 5},
        "predictions": {"prediction_id": "9" * 32, "source": "predict", "created_at": 70},
        "artifacts": {"kind": "console", "name": "console.txt", **kept, "created_at": 60},
    }
    shared: dict[str, dict[str, Any]] = {
        "projects": {"created_at": 0, "owner": "ada"},
        "models": {"model_id": "4a" * 16, **architecture, **model, **links, "created_at": 0},
        "layers": {**architecture, **layer, "inbound": []},
        "datasets": {"dataset_id": "d1" * 16, "kind": "arrays", "class_counts": [25, 25]},
        "implementations": {"implementation_id": "1b" * 16, "script": "tide.py"},
        "environments": {"environment_id": "e1" * 16, **machine, **keras, **lists},
        "trained_weights": {"weights_id": WEIGHTS_ID, "experiment_id": run},
    }
    state = {"experiment_id": run, "generator": "python", "state": "[3, [1, 2], null]"}
    lines = [_add(table, {"experiment_id": run, **row}) for table, row in of_run.items()]
    lines += [_add(table, row) for table, row in shared.items()]
    return [*lines, _put("random_states", state)]


def _save_weights(files: LocalFiles) -> list[Line]:
    """Store weights as ``model.save_weights`` writes them, and return the lines that say so."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        with h5py.File(path, "w") as file:
            variables = file.create_group("layers/dense/vars")
            variables.create_dataset("0", data=KERNEL)
            variables.create_dataset("1", data=BIAS)
        saved = save_checkpoint(path, lambda _: {}, Path(folder))
        assert saved.pack is not None
        assert saved.pack_path is not None
        files.write_file(saved.pack_path, saved.pack)
    records = [
        CheckpointRecord(
            experiment_id=KEPT,
            kind=kind,
            epoch=epoch,
            metric=metric,
            value=value,
            structure=saved.structure,
            variable_paths=saved.variable_paths,
            variable_ids=saved.variable_ids,
            size_bytes=saved.size_bytes,
            created_at=STARTED + timedelta(seconds=seconds),
        )
        for kind, epoch, metric, value, seconds in (
            ("best", 0, "val_loss", 2.0, 10),
            ("best", 2, "val_loss", 2 / 3, 30),
            ("end", None, None, None, 60),
        )
    ]
    return [_add_records("variables", saved.variables), _add_records("checkpoints", records)]


def _log_of_resumed(files: LocalFiles) -> None:
    name = LogName(project_folder(PROJECT), f"{RESUMED}-00000000aa")
    again = _experiment(RESUMED, "resumed", epochs_completed=3)
    lines = [_put("experiments", again), (Action.CUT, "", {"epoch": 2}), *_epoch(RESUMED, 2, 0.25)]
    _write_segment(files, name, RESUMED, 0, lines)


def _log_of_killed(files: LocalFiles) -> None:
    name = LogName(project_folder(PROJECT), KILLED)
    run = _run(KILLED, "killed", 2, status="running")
    _write_segment(files, name, KILLED, 0, run)
    mirror(files, name)  # the first segment is to be deleted next
    put = [line for line in run if line[0] is Action.PUT]
    _write_segment(files, name, KILLED, 1, [*put, *_epoch(KILLED, 2), *_epoch(KILLED, 3)])
    path = files.local_path(name.segment(1))
    *whole, last, _ = path.read_bytes().split(b"\n")
    damaged = whole[-3].replace(b'"epochs"', b'"epocks"')  # the line that begins epoch 2
    assert damaged != whole[-3]
    path.write_bytes(b"\n".join([*whole[:-3], damaged, *whole[-2:], last[:40]]))


def _fold(files: LocalFiles, run: str, lines: Sequence[Line]) -> None:
    name = LogName(project_folder(PROJECT), run)
    _write_segment(files, name, run, 0, lines)
    # What ended long ago; a run that seems to go on would be left alone.
    os.utime(files.local_path(name.segment(0)), (STARTED.timestamp(),) * 2)
    fold(files, name)


def _write_segment(
    files: LocalFiles, name: LogName, run: str, number: int, lines: Sequence[Line]
) -> None:
    begin = {"experiment_id": run, "segment": number, "begun": 1772600767.0, "process": PROCESS}
    every: list[Line] = [(Action.BEGIN, "", begin), *lines]
    content = b"".join(encode_entry(*line) for line in every)
    files.write(name.segment(number), content)


def _add(table: str, row: Mapping[str, Any]) -> Line:
    return Action.ADD, table, _columns(table, row)


def _put(table: str, row: Mapping[str, Any]) -> Line:
    return Action.PUT, table, _columns(table, row)


def _add_records(table: str, records: Sequence[VariableRecord | CheckpointRecord]) -> Line:
    return Action.ADD, table, columns_of(table, records)


def _columns(table: str, row: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return one row as columns; times are given in seconds from the start."""
    is_time = {field.name: str(field.type).startswith("timestamp") for field in SCHEMAS[table]}
    return {name: [_time(value) if is_time[name] else value] for name, value in row.items()}


def _time(seconds: float) -> int:
    return int(STARTED.timestamp() * 1000 + seconds * 1000) * 1000


if __name__ == "__main__":
    make_store(Path(sys.argv[1]))
