"""Keras' own tests pass and fail the same while every training in them is recorded.

Of the cases of one parametrized test (with XLA and without, 3 steps and 8 and 32) the first and
the last are run: most are of models that are no `keras.Model` but Keras' own mixture of trainer
and layer, which nobody records. With `MODELKB_ALL_KERAS_TESTS=1` in the environment all are run.
"""

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

# Files that run in one process, so that the groups can run beside each other.
GROUPS = {"trainer": "trainers/trainer_test.py", "callbacks": "callbacks/*_test.py"}


def files_of(group: str) -> list[Path]:
    """The files of a group."""
    return sorted(KERAS.glob(GROUPS[group]))


def outcomes_of(group: str, folder: Path, *, recorded: bool) -> list[tuple[str, str]]:
    """Run a group and return what each test came to; without recording, of those that failed."""
    folder.mkdir()
    cache = folder.parent / "outcomes"
    which = [] if recorded else ["--last-failed", "--last-failed-no-failures", "none"]
    plugins = ["-p", "record_everything"] if recorded else []
    if not os.environ.get("MODELKB_ALL_KERAS_TESTS"):
        plugins += ["-p", "spread_cases"]
    path = [str(SUPPORT), os.environ.get("PYTHONPATH")]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder)),
            *("-o", f"cache_dir={cache}", "-W", "ignore", "-o", "python_files=*_test.py", *which),
            *("--continue-on-collection-errors", "--tb=no", "-q", "-rA", "--show-capture=no"),
            *("--basetemp", str(folder / "tmp"), *plugins, *map(str, files_of(group))),
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
    assert len(Store(tmp_path / "recorded" / "modelkb").experiments()) > 0
