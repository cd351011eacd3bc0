"""The README is run, and says what there is."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from modelkb_callbacks import ModelKB
from modelkb_store import Store
from modelkb_viewer.main import COMMANDS

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PYTHON_BLOCKS = [text for language, text in BLOCKS if language == "python"]
COMMAND_LINES = "".join(text for language, text in BLOCKS if not language)


def test_python_blocks_run_one_after_the_other() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 4)).astype("float32")
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    names = {"model": model, "x": x, "y": random.integers(0, 3, 60)}
    own_loop, resumed = (
        [block for block in PYTHON_BLOCKS if words in block]
        for words in ("experiment(model", "resume=True")
    )
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for block in PYTHON_BLOCKS:
            if block not in own_loop + resumed:
                exec(compile(block, "README.md", "exec"), names)
    assert len(PYTHON_BLOCKS) == 6
    assert "validation" in printed.getvalue()
    assert "finished" in printed.getvalue()
    assert "predicted" in printed.getvalue()
    assert "lowest" in printed.getvalue()
    assert len(names["best"]) == 1
    assert len(names["curves"]) == 5
    loaded = names["model"]
    assert isinstance(loaded, keras.Model)
    assert loaded is not model
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    # It trains the model that was loaded, which is thereby the child of the other run.
    exec(compile(own_loop[0], "README.md", "exec"), names)
    runs = Store("modelkb").experiments()
    assert list(runs["status"]) == ["finished", "finished"]
    assert runs["parent_experiment_id"].iloc[1] == runs["experiment_id"].iloc[0]
    with contextlib.redirect_stdout(printed):
        exec(compile(resumed[0], "README.md", "exec"), names)
    assert set(names["run"].checkpoints()["kind"]) == {"initial", "best", "end"}
    assert Path("best.weights.h5").exists()
    assert Path("digits.keras").exists()


def test_every_command_is_there_and_no_other() -> None:
    assert set(re.findall(r"^modelkb ([a-z]+)", COMMAND_LINES, re.MULTILINE)) == set(COMMANDS)


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    contributing = (REPOSITORY / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"^make ([a-z]+)", COMMAND_LINES + contributing, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_every_setting_is_in_the_table() -> None:
    settings = README[README.index("## Settings") :]
    rows = "\n".join(line.split("|")[1] for line in settings.splitlines() if line[:3] == "| `")
    assert set(re.findall(r"`(\w+)`", rows)) == set(inspect.signature(ModelKB).parameters)


@pytest.mark.parametrize(
    "document",
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/commands.md", "store/FORMAT.md"],
)
def test_what_documents_point_to_exists(document: str) -> None:
    text = (REPOSITORY / document).read_text()
    folder = (REPOSITORY / document).parent
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    links += re.findall(r"`((?:tests|docs|examples|benchmarks)/[\w./]+)`", text)
    missing = [
        link for link in links if not (folder / link).exists() and not (REPOSITORY / link).exists()
    ]
    assert missing == []


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(pictures) >= 3
    for picture in pictures:
        assert (REPOSITORY / picture).read_bytes().startswith(b"\x89PNG")
