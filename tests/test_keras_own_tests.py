"""Keras' own tests pass and fail the same while every training in them is recorded."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from modelkb_store import Store

KERAS = Path(keras.__file__).parent / "src"
SUPPORT = Path(__file__).parent / "support"
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (.*)$", re.MULTILINE)

# Files that belong together, or parts of one by the names of its tests, so that they can run
# beside each other.
GROUPS = {
    "trainer, fit": ("trainers/trainer_test.py", "fit"),
    "trainer, evaluate and predict": (
        "trainers/trainer_test.py",
        "(evaluate or predict) and not fit",
    ),
    "trainer, rest": ("trainers/trainer_test.py", "not (fit or evaluate or predict)"),
    "callbacks, checkpoints": (
        "callbacks/*checkpoint_test.py callbacks/backup_and_restore_test.py",
        "",
    ),
    "callbacks, tensorboard": ("callbacks/tensorboard_test.py", ""),
    "callbacks, rest": ("callbacks/*_test.py", ""),
}
# Their models are no `keras.Model` but Keras' own mixture of trainer and layer, which nobody
# records: what is shown here is that recording next to them changes nothing.
SILENT = {"trainer, fit", "trainer, evaluate and predict"}


def files_of(group: str) -> list[Path]:
    """The files of a group; the rest are all that are in no other."""
    patterns = GROUPS[group][0].split()
    found = {path for pattern in patterns for path in KERAS.glob(pattern)}
    if group == "callbacks, rest":
        others = [name for name in GROUPS if name != group]
        found -= {path for name in others for path in files_of(name)}
    return sorted(found)


def outcomes_of(group: str, folder: Path, *, recorded: bool) -> list[tuple[str, str]]:
    """Run a group and return what each test came to; without recording, of those that failed."""
    folder.mkdir()
    cache = folder.parent / "outcomes"
    which = [] if recorded else ["--last-failed", "--last-failed-no-failures", "none"]
    plugin = ["-p", "record_everything"] if recorded else []
    names = ["-k", GROUPS[group][1]] if GROUPS[group][1] else []
    path = [str(SUPPORT), os.environ.get("PYTHONPATH")]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder)),
            *("-o", f"cache_dir={cache}", "-W", "ignore", "-o", "python_files=*_test.py", *which),
            *("--continue-on-collection-errors", "--tb=no", "-q", "-rA", "--show-capture=no"),
            *("--basetemp", str(folder / "tmp"), *plugin, *names, *map(str, files_of(group))),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "MODELKB_STORE": str(folder / "modelkb"),
        },
    )
    outcomes = sorted(OUTCOME.findall(done.stdout))
    assert outcomes or not recorded, done.stdout
    # Messages of failures name temporary folders and addresses.
    return [(outcome, name.partition(" - ")[0]) for outcome, name in outcomes]


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("group", GROUPS)
def test_same_outcomes(group: str, tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="Keras' trainer_test.py imports it")
    recorded = outcomes_of(group, tmp_path / "recorded", recorded=True)
    assert "PASSED" in {outcome for outcome, _ in recorded}
    # Those that fail must fail without us, too.
    failed = [each for each in recorded if each[0] in ("FAILED", "ERROR")]
    if failed:
        plain = outcomes_of(group, tmp_path / "plain", recorded=False)
        assert [each for each in plain if each[0] in ("FAILED", "ERROR")] == failed
        assert not (tmp_path / "plain" / "modelkb").exists()
    if group not in SILENT:
        assert len(Store(tmp_path / "recorded" / "modelkb").experiments()) > 0


def test_every_file_is_in_a_group() -> None:
    every = {*KERAS.glob("callbacks/*_test.py"), KERAS / "trainers" / "trainer_test.py"}
    assert {path for group in GROUPS for path in files_of(group)} == every
