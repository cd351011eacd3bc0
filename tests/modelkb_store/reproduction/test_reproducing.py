from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment, Store
from modelkb_store.errors import CodeGenerationError
from modelkb_store.reproduction import Cause, Reproducer, Verdict

RunFactory = Callable[..., Experiment]

# What a reproduction records, without the time that Keras takes to be imported.
RECORD = textwrap.dedent(
    """
    import os, sys
    from dataclasses import replace
    sys.path.insert(0, {support!r})
    from modelkb_store.writer import ExperimentWriter
    from small_experiment import experiment_record, metric_record

    def record(number, *losses, status="finished"):
        run = experiment_record(
            number, status=status, process_id=os.getpid(), epochs_completed=len(losses),
            reproduces_experiment_id=os.environ["MODELKB_REPRODUCES"],
        )
        writer = ExperimentWriter(
            os.environ["MODELKB_STORE"], os.environ["MODELKB_PROJECT"], run
        )
        for epoch, loss in enumerate(losses):
            writer.append_metrics([metric_record(run.experiment_id, epoch, loss)])
        writer.save_experiment()
        writer.close()
    """
).format(support=str(Path(__file__).parents[2] / "support"))
LOSS = {"loss": [1.0, 0.5]}


@pytest.fixture
def reproduced(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Any, list[str]]]:
    """Does an experiment again by a script that is given, and returns what was told, too."""

    def reproduce(original: Experiment, script: str) -> tuple[Any, list[str]]:
        def save(experiment: Experiment, path: Path) -> list[Path]:
            path.write_text(RECORD + script)
            return [path]

        # The writing of scripts has tests of its own.
        monkeypatch.setattr(Experiment, "save_script", save)
        told: list[str] = []
        reproducer = Reproducer(str(store), tmp_path, _unrecorded, told=told.append)
        return reproducer.reproduce(original), told

    return reproduce


def _unrecorded(environ: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, str]:
    return dict(environ)


def test_the_reproduction_is_found_by_what_it_reproduces(
    run_factory: RunFactory, reproduced: Any, store: Path, tmp_path: Path
) -> None:
    original = run_factory(LOSS, weights=None)

    found, told = reproduced(original, "record(50, 1.0, 0.5)")

    assert found.verdict is Verdict.IDENTICAL
    assert found.reproduction_id.endswith(f"{50:010x}")
    assert Store(store).experiment(found.reproduction_id).project == "digits"
    assert told[0] == f"Writing the script of {original.id}"
    assert told[1].startswith(f"Running {tmp_path}")
    assert told[1].endswith(f" in {os.getcwd()}")


def test_of_several_trainings_the_nearest_counts(run_factory: RunFactory, reproduced: Any) -> None:
    script = "record(50, 1.0, 0.7); record(51, 1.0, 0.50001); record(52, 1.0, 0.6)"

    found, _ = reproduced(run_factory(LOSS, weights=None), script)

    assert found.verdict is Verdict.CLOSE
    assert found.reproduction_id.endswith(f"{51:010x}")


def test_earlier_reproductions_do_not_count(run_factory: RunFactory, reproduced: Any) -> None:
    original = run_factory(LOSS, weights=None)
    assert reproduced(original, "record(50, 1.0, 0.5)")[0].verdict is Verdict.IDENTICAL

    found, _ = reproduced(original, "record(51, 1.0, 0.9)")
    nothing, _ = reproduced(original, "")

    assert found.verdict is Verdict.DIFFERENT
    assert found.reproduction_id.endswith(f"{51:010x}")
    assert nothing.verdict is Verdict.FAILED
    assert nothing.reproduction_id is None
    assert nothing.causes == (Cause("error", "the script ended and recorded nothing"),)


def test_a_process_that_fails_afterwards_has_failed_with_its_run_named(
    run_factory: RunFactory, reproduced: Any
) -> None:
    script = "record(50, 1.0, 0.5)\nraise ValueError('no test data')"

    found, _ = reproduced(run_factory(LOSS, weights=None), script)

    assert found.verdict is Verdict.FAILED
    assert found.reproduction_id.endswith(f"{50:010x}")
    assert found.max_difference == 0.0
    assert found.causes[0].kind == "error"
    assert found.causes[0].text.endswith("ValueError: no test data")


def test_a_script_that_cannot_be_written_fails(
    run_factory: RunFactory, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(experiment: Experiment, path: Path) -> list[Path]:
        raise CodeGenerationError("the layer 'odd'", "it is a Lambda", "write it as a function")

    monkeypatch.setattr(Experiment, "save_script", refuse)

    found = Reproducer(str(store), tmp_path, _unrecorded).reproduce(run_factory(LOSS))

    assert found.verdict is Verdict.FAILED
    assert found.causes[0].kind == "script"
    assert "the layer 'odd'" in found.causes[0].text
