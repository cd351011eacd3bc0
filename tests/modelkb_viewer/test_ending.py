"""How commands end, as other programs see it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from commands import MODELKB
from modelkb_store import Experiment, Store
from modelkb_viewer.ending import INTERRUPTED, UNREAD

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals and pipes are those of POSIX"),
]


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MODELKB, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_ctrl_c_ends_with_130(
    recorded_experiment: Experiment, store: Path, options: list[str]
) -> None:
    with started("delete", recorded_experiment.id, "--store", str(store), *options) as process:
        assert process.stderr is not None
        assert recorded_experiment.id in process.stderr.readline()
        while "?" not in process.stderr.read(1):
            pass
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)

    assert process.returncode == INTERRUPTED
    assert ("Interrupted" in output) is bool(options)
    assert "Traceback" not in errors
    assert len(Store(store).experiments()) == 1


def test_a_no_ends_with_one(recorded_experiment: Experiment, store: Path) -> None:
    with started("delete", recorded_experiment.id, "--store", str(store)) as process:
        output, errors = process.communicate("n\n", timeout=60)

    assert (process.returncode, output) == (1, "")
    assert errors.endswith("modelkb: nothing was done.\n")
    assert len(Store(store).experiments()) == 1


@pytest.mark.usefixtures("recorded_experiment")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_has_seen_enough_ends_it_quietly(store: Path, options: list[str]) -> None:
    with started("ls", "--store", str(store), *options) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()

    assert (process.returncode, errors) == (UNREAD, "")


def test_a_file_that_cannot_be_written_is_a_sentence(
    recorded_experiment: Experiment, store: Path, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere" / "model.py"
    line = ("code", recorded_experiment.id, "--store", str(store), "-o", str(nowhere))
    with started(*line) as process:
        output, errors = process.communicate(timeout=60)

    assert (process.returncode, output) == (1, "")
    assert errors.startswith("modelkb: ")
    assert str(nowhere) in errors
    assert errors.count("\n") == 1
