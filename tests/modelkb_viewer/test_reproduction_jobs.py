from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from modelkb_store import Experiment, Store
from modelkb_store.layout import STORE_VARIABLE
from modelkb_store.reproduction import Verdict
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.reproductions import reproductions_of
from modelkb_viewer.permissions import RecordedCodeNotAllowedError, allow_recorded_code
from modelkb_viewer.reproduction_job import JobState
from modelkb_viewer.reproduction_jobs import ReproductionJobs
from seeded_training import make_endless
from small_experiment import experiment_record

SECONDS = 120


@pytest.fixture
def location(store: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the store is that is shown; code recorded in it may run."""
    monkeypatch.setenv("MODELKB_RUN_RECORDED_CODE", "")
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    allow_recorded_code(str(store))
    return str(store)


@pytest.fixture
def seeded(seeded_store: Path, store: Path) -> Experiment:
    """The run, in a store of its own."""
    shutil.copytree(seeded_store, store)
    return Store(store).experiment("original")


def test_without_permission_nothing_is_run(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    monkeypatch.delenv("MODELKB_RUN_RECORDED_CODE", raising=False)
    jobs = ReproductionJobs()

    with pytest.raises(RecordedCodeNotAllowedError, match="Doing an experiment again"):
        jobs.start(str(store), "any")

    assert jobs.find(str(store), "any") is None


def test_an_experiment_that_is_gone_is_an_error(
    location: str, recorded_experiment: Experiment
) -> None:
    job = ReproductionJobs().start(location, "20990101-000000000-0000000000")
    job.wait(SECONDS)

    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "No experiment" in job.error


def test_what_cannot_be_written_has_a_verdict(location: str, store: Path) -> None:
    writer = ExperimentWriter(store, "digits", experiment_record(status="finished"))
    writer.save_experiment()
    writer.close()
    jobs = ReproductionJobs()

    job = jobs.start(location, writer.experiment.experiment_id)
    job.wait(SECONDS)

    assert job.state is JobState.ENDED
    assert job.comparison is not None
    assert job.comparison.verdict is Verdict.FAILED
    assert job.comparison.causes[0].kind == "script"
    # It has ended, so the next wish is another job.
    assert jobs.start(location, writer.experiment.experiment_id) is not job


@pytest.mark.slow
def test_a_run_is_done_again_in_the_background(location: str, seeded: Experiment) -> None:
    jobs = ReproductionJobs()

    job = jobs.start(location, seeded.id)
    assert jobs.start(location, seeded.id) is job
    assert jobs.find(location, seeded.id) is job
    job.wait(SECONDS)

    assert job.state is JobState.ENDED
    assert job.comparison is not None
    assert job.comparison.verdict is Verdict.IDENTICAL
    (again,) = reproductions_of(Store(location), seeded.id, job.started_at)
    assert job.comparison.reproduction_id == again["experiment_id"]
    assert job.step.startswith("Running ")


@pytest.mark.slow
def test_a_job_can_be_stopped_and_keeps_its_epochs(location: str, seeded: Experiment) -> None:
    make_endless(Path(location), seeded)
    jobs = ReproductionJobs()
    job = jobs.start(location, seeded.id)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        rows = reproductions_of(Store(location), seeded.id, job.started_at)
        if rows and len(Store(location).experiment(rows[0]["experiment_id"]).metrics()):
            break
        time.sleep(0.2)
    assert job.is_running
    assert not job.is_stopping

    jobs.stop_all()

    assert job.state is JobState.STOPPED
    (again,) = reproductions_of(Store(location), seeded.id, job.started_at)
    assert again["status"] == "interrupted"
