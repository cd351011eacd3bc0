"""Fixtures for the upkeep of stores: stores that are whole, and places that fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from modelkb_store.files.local_files import LocalFiles
from small_experiment import record_complete_experiment
from tidying import wait_for_tidying


class CutOffError(BaseException):
    """The machine goes down."""


class FailingFiles(LocalFiles):
    """The files of a store on a machine that goes down after some changes.

    Args:
        root: The store's folder.
        changes: How many changes are still made.
    """

    def __init__(self, root: Path, changes: int) -> None:
        super().__init__(root)
        self.left = changes

    def write(self, path: str, content: bytes | memoryview) -> None:
        self._count()
        super().write(path, content)

    def write_file(self, path: str, local: Path) -> None:
        self._count()
        super().write_file(path, local)

    def create(self, path: str, content: bytes) -> bool:
        self._count()
        return super().create(path, content)

    def delete(self, path: str) -> None:
        self._count()
        super().delete(path)

    def move(self, path: str, target: str) -> None:
        self._count()
        super().move(path, target)

    def _count(self) -> None:
        if self.left <= 0:
            raise CutOffError
        self.left -= 1


@pytest.fixture(scope="session")
def _recorded_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that is recorded once, and copied by those who change it."""
    root = tmp_path_factory.mktemp("recorded") / "modelkb"
    record_complete_experiment(root, "digits", 1)
    record_complete_experiment(root, "digits", 2)
    record_complete_experiment(root, "cats & dogs", 3)
    wait_for_tidying()
    return root


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of one project, for what is done to many copies."""
    root = tmp_path_factory.mktemp("small") / "modelkb"
    record_complete_experiment(root, "digits", 1)
    record_complete_experiment(root, "digits", 2)
    wait_for_tidying()
    return root


@pytest.fixture
def whole_store(_recorded_store: Path, store: Path) -> LocalFiles:
    """A store with two experiments of one project and one of another."""
    shutil.copytree(_recorded_store, store)
    return LocalFiles(store)


@pytest.fixture
def copy_factory(_recorded_store: Path, tmp_path: Path) -> Callable[..., LocalFiles]:
    """Makes copies of the whole store or of another one, each in a folder of its own."""
    numbers = iter(range(10_000))

    def make(source: Path = _recorded_store) -> LocalFiles:
        target = tmp_path / f"copy-{next(numbers)}"
        shutil.copytree(source, target)
        return LocalFiles(target)

    return make
