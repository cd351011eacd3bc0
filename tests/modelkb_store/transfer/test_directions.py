"""Experiments go from any kind of store to any other, and a second time nothing goes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelkb_store import Store
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.transfer.copy_target import open_target
from modelkb_store.transfer.copying import Copied, copy_experiments
from modelkb_store.upkeep.checking import check
from small_experiment import record_complete_experiment
from store_rows import rows_of_readers
from store_server import StoreServer

pytestmark = pytest.mark.slow  # servers are processes


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[str]]:
    """Two servers of empty stores."""
    made = [StoreServer(tmp_path / name) for name in ("first", "second")]
    for server in made:
        server.start()
    yield [server.address for server in made]
    for server in made:
        server.stop()


def copy(source: str, target: str) -> Copied:
    return copy_experiments(Store(source).backend.tables, open_target(target))


def test_from_place_to_place(
    bucket_factory: Callable[[], str], servers: list[str], tmp_path: Path
) -> None:
    first, last = tmp_path / "here", tmp_path / "back"
    for number, project in ((1, "digits"), (2, "cats & dogs")):
        record_complete_experiment(first, project, number)
    size = sum(info.size_bytes for info in LocalFiles(first).list("objects"))
    way = [str(first), bucket_factory(), *servers, bucket_factory(), str(last)]

    for source, target in itertools.pairwise(way):
        copied = copy(source, target)
        assert (len(copied.new), copied.object_bytes) == (2, size), (source, target)
    for source, target in itertools.pairwise(way):
        assert copy(source, target) == Copied((), (), 2, (), 0), (source, target)
    assert rows_of_readers(LocalFiles(last)) == rows_of_readers(LocalFiles(first))
    assert check(LocalFiles(last)) == []

    run = Store(first).experiment("run-1")
    run.set_tags(["best"])
    for source, target in itertools.pairwise(way):
        copied = copy(source, target)
        assert (copied.changed, copied.new, copied.object_bytes) == ((run.id,), (), 0)
    assert Store(last).experiment("run-1").record.tags == ("best",)
