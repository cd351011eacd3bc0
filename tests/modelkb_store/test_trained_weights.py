from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store.errors import CorruptFileError
from modelkb_store.layout import Layout
from modelkb_store.trained_weights import TrainedNote, read_trained_note, write_trained_note

WEIGHTS = "ab" * 16


@pytest.fixture
def layout(store: Path) -> Layout:
    """An empty store."""
    return Layout.create(store)


def test_what_is_written_is_read(layout: Layout) -> None:
    note = TrainedNote("Wind & Gezeiten", "20260102-030405678-0000000001")
    assert read_trained_note(layout, WEIGHTS) is None
    write_trained_note(layout, WEIGHTS, note)
    assert read_trained_note(layout, WEIGHTS) == note
    assert read_trained_note(layout, "cd" * 16) is None


def test_the_first_experiment_stays(layout: Layout) -> None:
    first, second = TrainedNote("a", "1"), TrainedNote("b", "2")
    write_trained_note(layout, WEIGHTS, first)
    write_trained_note(layout, WEIGHTS, second)
    assert read_trained_note(layout, WEIGHTS) == first


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b'{"project": "a"}', b"\xff\xfe"])
def test_a_damaged_note_is_told(content: bytes, layout: Layout) -> None:
    write_trained_note(layout, WEIGHTS, TrainedNote("a", "1"))
    layout.trained_file(WEIGHTS).write_bytes(content)
    with pytest.raises(CorruptFileError, match=WEIGHTS):
        read_trained_note(layout, WEIGHTS)
