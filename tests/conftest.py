"""Fixtures of all tests: a store of one's own and small data."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

# Before TensorFlow is imported anywhere: its start-up chatter, and a second CPU for the
# tests under a distribution strategy.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Threads of PyTorch that wait for work sleep: the CPUs are shared with other tests.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import pytest
from hypothesis import settings

from modelkb_store import Experiment, ModelKBError, Store
from modelkb_store.records import ExperimentRecord
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, record_complete_experiment

# How long an example takes says nothing here: most write files, and disks differ.
settings.register_profile("modelkb", deadline=None, max_examples=40)
settings.load_profile("modelkb")

# Modules with tests that take a minute or more, the longest first.
LONG = ("test_keras_own_tests", "test_killed_trainings", "test_backends", "test_examples_reproduce")


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a default store out of the checkout, and the caller's settings out of the tests."""
    for name in ("MODELKB_STORE", "MODELKB_PROJECT", "MODELKB_REPRODUCES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODELKB_SPOOL", str(tmp_path / ".spool"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of a store that is not made yet."""
    return tmp_path / "modelkb"


@pytest.fixture
def experiment_record_factory() -> Callable[..., ExperimentRecord]:
    """Makes experiments as they begin, each with an id of its own, later ones sorting later."""
    numbers = itertools.count(1)

    def make(**changes: object) -> ExperimentRecord:
        return experiment_record(next(numbers), **changes)

    return make


@pytest.fixture
def writer_factory(
    store: Path, experiment_record_factory: Callable[..., ExperimentRecord]
) -> Iterator[Callable[..., ExperimentWriter]]:
    """Begins experiments in the store, and ends them after the test."""
    writers: list[ExperimentWriter] = []

    def make(project: str = "digits", **changes: object) -> ExperimentWriter:
        writers.append(ExperimentWriter(store, project, experiment_record_factory(**changes)))
        return writers[-1]

    yield make
    for writer in writers:
        with contextlib.suppress(OSError, ModelKBError):  # the test may have damaged the store
            writer.close()


@pytest.fixture
def recorded_experiment(store: Path) -> Experiment:
    """A finished experiment of the project ``digits`` with rows in every table."""
    writer = record_complete_experiment(store)
    return Store(store).experiment(writer.experiment.experiment_id)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest, so that no worker is left alone with them."""
    items.sort(
        key=lambda item: next((n for n, name in enumerate(LONG) if name in item.nodeid), len(LONG))
    )


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over the modules and tests, which stay to the end."""
    gc.collect()
    gc.freeze()
