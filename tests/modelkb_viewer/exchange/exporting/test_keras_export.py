"""Models as other programs load them give what Keras gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelkb_store import ArtifactNotFoundError, Experiment, InvalidSettingError
from modelkb_viewer.exchange.errors import ExportTargetError
from modelkb_viewer.exchange.exporting import keras_file, onnx_file, saved_model
from trainings import FEATURES


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(5, FEATURES)).astype("float32")


def test_keras_file(trained: Experiment, rebuilt: Any, points: Any, tmp_path: Path) -> None:
    import keras

    done = keras_file.export(trained, str(tmp_path / "model.keras"), "end")
    loaded = keras.saving.load_model(done.place, compile=False, safe_mode=True)
    assert np.array_equal(loaded(points), rebuilt(points))


@pytest.mark.slow
def test_saved_model(trained: Experiment, rebuilt: Any, points: Any, tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    folder = str(tmp_path / "saved")
    saved_model.export(trained, folder, None)
    loaded = tf.saved_model.load(folder)
    np.testing.assert_allclose(loaded.serve(points), rebuilt(points), rtol=0, atol=1e-6)
    with pytest.raises(ExportTargetError, match="saved is there already"):
        saved_model.export(trained, folder, None)


@pytest.mark.slow
def test_onnx_file(trained: Experiment, rebuilt: Any, points: Any, tmp_path: Path) -> None:
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    path = str(tmp_path / "new" / "model.onnx")
    onnx_file.export(trained, path, None)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    (scores,) = session.run(None, {given.name: points})
    np.testing.assert_allclose(scores, rebuilt(points), rtol=0, atol=1e-5)


def test_a_checkpoint_that_is_not_there(trained: Experiment, tmp_path: Path) -> None:
    for write, name in ((keras_file.export, "m.keras"), (onnx_file.export, "m.onnx")):
        with pytest.raises(ArtifactNotFoundError, match="no checkpoint 7"):
            write(trained, str(tmp_path / name), 7)
        assert not (tmp_path / name).exists()


def test_names_say_what_a_file_is(trained: Experiment, tmp_path: Path) -> None:
    for write, ending in ((keras_file.export, ".keras"), (onnx_file.export, ".onnx")):
        with pytest.raises(InvalidSettingError, match=rf"ends with \{ending}"):
            write(trained, str(tmp_path / "model.bin"), None)
