from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from modelkb_store.commits.compaction import compact
from modelkb_store.errors import CorruptFileError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_store.trained_weights import find_trained
from modelkb_store.writer import ExperimentWriter

WriterFactory = Callable[..., ExperimentWriter]
WEIGHTS = "ab" * 16


@pytest.fixture
def files(store: Path) -> LocalFiles:
    """An empty store."""
    files = LocalFiles(store)
    create_store(files)
    return files


def test_what_is_written_is_found(files: LocalFiles, writer_factory: WriterFactory) -> None:
    """By readers of the log, of loose files and of merged ones alike."""
    assert find_trained(files, WEIGHTS) is None
    writer = writer_factory("Wind & Gezeiten")
    expected = ("Wind & Gezeiten", writer.experiment.experiment_id)

    writer.add_trained_weights(WEIGHTS)
    assert find_trained(files, WEIGHTS) == expected
    writer.close()
    assert find_trained(files, WEIGHTS) == expected
    compact(files)
    assert find_trained(files, WEIGHTS) == expected
    assert find_trained(files, "cd" * 16) is None


@pytest.mark.parametrize("ends", [(0, 1), (1, 0)])
def test_the_first_experiment_counts(
    files: LocalFiles, writer_factory: WriterFactory, ends: tuple[int, int]
) -> None:
    writers = [writer_factory(project) for project in ("b", "a")]
    for position in ends:
        writers[position].add_trained_weights(WEIGHTS)
        writers[position].close()

    assert find_trained(files, WEIGHTS) == ("b", writers[0].experiment.experiment_id)
    compact(files)
    assert find_trained(files, WEIGHTS) == ("b", writers[0].experiment.experiment_id)


@pytest.mark.parametrize("content", [b"", b"{", b"PAR1PAR1"])
def test_a_damaged_file_is_told(
    content: bytes, files: LocalFiles, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    writer.add_trained_weights(WEIGHTS)
    writer.close()
    (path,) = (files.root / "trained_weights").rglob("*.parquet")
    assert path.stem == WEIGHTS
    path.write_bytes(content)

    with pytest.raises(CorruptFileError, match=re.escape(str(path))):
        find_trained(files, WEIGHTS)
    assert find_trained(files, "cd" * 16) is None, "other weights are found without it"
