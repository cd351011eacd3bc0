"""docs/api.md is run, against a real server."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from modelkb_callbacks import ModelKB
from modelkb_store import Store
from modelkb_viewer.api.application import make_api
from modelkb_viewer.tokens import Scope, Tokens
from store_server import StoreServer

TEXT = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a store that is served, two trainings in it, and a picture of a digit."""
    store = tmp_path / "modelkb"
    for name in ("first", "second"):
        record_training(store, name)
    Image.fromarray(np.full((8, 8), 128, "uint8")).save(tmp_path / "digit.png")
    server = StoreServer(store)
    server.start()
    monkeypatch.setenv("MODELKB_SERVER", f"{server.address}/api/v1")
    _, text = Tokens(Store(store).files).create("laptop", Scope.WRITE)
    monkeypatch.setenv("MODELKB_TOKEN", text)
    yield tmp_path
    server.stop()


def record_training(store: Path, name: str) -> None:
    import keras

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 16),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    images = np.random.default_rng(0).uniform(0, 16, (64, 8, 8, 1)).astype("float32")
    recorder = ModelKB(project="digits", name=name, store=str(store), checkpoints="best")
    targets = np.arange(64) % 10
    model.fit(
        images,
        targets,
        validation_data=(images, targets),
        epochs=2,
        verbose=0,
        callbacks=[recorder],
    )


def test_what_is_shown_runs(served: Path) -> None:
    names: dict[str, object] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for language, text in BLOCKS:
            if language == "python":
                exec(compile(text, "docs/api.md", "exec"), names)
    assert "validation" in printed.getvalue()
    assert np.shape(names["probabilities"]) == (3, 10)
    script = "\n".join(text for language, text in BLOCKS if language == "sh")
    shell = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(shell, cwd=served, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "event: status" in done.stdout
    assert "in Julia" not in done.stderr
    with h5py.File(served / "model.weights.h5") as file:
        assert "layers" in file
    assert (served / "signature").read_bytes() == b"\x89HDF\r\n\x1a\n"
    assert any(name.endswith(".py") for name in zipfile.ZipFile(served / "train.zip").namelist())
    assert (served / "digits.keras").stat().st_size > 1000
    runs = Store(served / "modelkb").experiments("digits").set_index("name")
    assert runs.loc["in Julia", "status"] == "finished"
    assert runs.loc["in Julia", "notes"] == "On two GPUs."
    assert runs.loc["in Julia", "metrics.val_loss"] == 1.1


def test_every_path_is_there() -> None:
    described = make_api().openapi()["paths"]
    table = TEXT[TEXT.index("| under `/experiments/ID`") :].partition("\n\n")[0]
    named = {
        f"/experiments/{{experiment_id}}/{part}"
        for line in table.splitlines()[2:]
        for part in re.findall(r"`([a-z][\w/-]*)`", line.split("|")[1])
    }
    known = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in described]
    missing = [path for path in named if not any(each.fullmatch(path) for each in known)]
    assert missing == []
    below = {
        path.removeprefix("/experiments/{experiment_id}/")
        for path in described
        if path.startswith("/experiments/{experiment_id}/")
    }
    shown = {part.split("/")[0] for part in below} - {"events", "predictions", "end", "restore"}
    assert shown <= {
        part.removeprefix("/experiments/{experiment_id}/").split("/")[0] for part in named
    }


def test_scopes_are_those_of_tokens() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:to|also)", TEXT, re.MULTILINE)
    assert rows == [scope.value for scope in Scope]
