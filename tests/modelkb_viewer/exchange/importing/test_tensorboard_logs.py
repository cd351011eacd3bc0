from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exchanged import curves, imported_from
from modelkb_viewer.exchange.errors import DamagedSourceError, NothingToImportError
from modelkb_viewer.exchange.importing.tensorboard_logs import find_runs

pytest.importorskip("tensorboard")

TIME = 1_700_000_000.25


def write_scalars(folder: Path, tag: str, values: list[float], step: int = 0) -> Path:
    """Write an event file as TensorBoard's own writer does, in the old or the new form."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    for number, value in enumerate(values):
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        event = Event(wall_time=TIME + number, step=step + number, summary=summary)
        writer.add_event(event)
    writer.close()
    return max(folder.glob("*tfevents*"), key=lambda path: path.stat().st_mtime_ns)


@pytest.mark.slow
def test_what_keras_wrote(tmp_path: Path, store: Path) -> None:
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Keras' callback for TensorBoard needs TensorFlow")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 2)), np.ones((8, 1))
    logger = keras.callbacks.TensorBoard(tmp_path / "logs" / "one", write_graph=False)
    history = model.fit(x, y, validation_split=0.5, epochs=2, verbose=0, callbacks=[logger])
    back = imported_from("tensorboard", tmp_path / "logs", store)
    assert (back.project, back.record.name) == ("logs", "one")
    found = curves(back, precision=np.float32)
    for split, name in (("train", "loss"), ("validation", "val_loss")):
        expected = [(n, np.float32(value)) for n, value in enumerate(history.history[name])]
        assert found[split, "loss"] == expected
    assert set(found) <= {
        ("train", "loss"),
        ("validation", "loss"),
        ("train", "learning_rate"),
    }


def test_folders_of_others(tmp_path: Path, store: Path) -> None:
    root = tmp_path / "runs"
    write_scalars(root / "a", "Loss/train", [3.0, 2.0])
    write_scalars(root / "a", "Loss/train", [1.0], step=2)
    write_scalars(root / "a" / "val", "epoch_loss", [4.0])
    write_scalars(root / "b", "val_loss", [5.0])
    runs = {run.name: run for run in (read() for read in find_runs(root, None))}
    assert set(runs) == {"a", "b"}
    found: dict[Any, list[Any]] = {}
    for point in runs["a"].points:
        found.setdefault((point.split, point.metric), []).append((point.epoch, point.value))
    assert found == {
        ("train", "Loss/train"): [(0, 3.0), (1, 2.0), (2, 1.0)],
        ("validation", "loss"): [(0, 4.0)],
    }
    assert [(p.split, p.metric) for p in runs["b"].points] == [("validation", "loss")]
    assert runs["b"].project == "runs"


def test_one_file(tmp_path: Path, store: Path) -> None:
    path = write_scalars(tmp_path / "here", "loss", [2.0, 1.0])
    back = imported_from("tensorboard", path, store, "mine")
    assert (back.project, back.record.name) == ("mine", "here")
    assert back.record.started_at.timestamp() == TIME


def test_what_was_cut_off_is_read_so_far(tmp_path: Path) -> None:
    path = write_scalars(tmp_path, "loss", [3.0, 2.0, 1.0])
    path.write_bytes(path.read_bytes()[:-5])
    (read,) = find_runs(tmp_path, None)
    assert [point.value for point in read().points] == [3.0, 2.0]


@pytest.mark.parametrize("place", [-30, 20])
def test_what_is_damaged_is_said(tmp_path: Path, place: int) -> None:
    path = write_scalars(tmp_path, "loss", [3.0, 2.0, 1.0])
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    (read,) = find_runs(tmp_path, None)
    with pytest.raises(DamagedSourceError, match="the record at byte"):
        read()


def test_what_is_no_event_file(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(b"not at all")
    (tmp_path / "empty").mkdir()
    (read,) = find_runs(tmp_path, None)
    with pytest.raises(DamagedSourceError):
        read()
    with pytest.raises(NothingToImportError, match="event files"):
        find_runs(tmp_path / "empty", None)
