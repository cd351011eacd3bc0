from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelkb_store.log.edit import Edit

TAGS = st.lists(st.sampled_from("abcde"), unique=True).map(tuple)
LINES = st.lists(st.sampled_from(["one", "two", "three"]), max_size=3)


def notes_edit(before: str, after: str) -> Edit:
    return Edit(notes_before=before, notes=after)


@given(before=TAGS, after=TAGS, added=TAGS)
def test_tags_that_others_add_meanwhile_stay(
    before: tuple[str, ...], after: tuple[str, ...], added: tuple[str, ...]
) -> None:
    edit = Edit(tags_before=before, tags=after)
    now = list(dict.fromkeys([*before, *added]))
    new = edit.new_tags(now)
    assert len(set(new)) == len(new)
    assert set(new) == set(after) | (set(added) - set(before))
    assert edit.new_tags(new) == new


def test_tags_that_others_have_taken_away_stay_away() -> None:
    edit = Edit(tags_before=("a", "b"), tags=("a", "b", "c"))
    assert edit.new_tags(["a"]) == ["a", "c"]


@given(before=LINES, after=LINES, added=LINES)
def test_notes_that_a_run_adds_meanwhile_stay_below(
    before: list[str], after: list[str], added: list[str]
) -> None:
    edit = notes_edit("\n".join(before), "\n".join(after))
    added = [f"added {line}" for line in added]
    new = edit.new_notes("\n".join([*before, *added]))
    assert new == "\n".join([*after, *added])


@given(before=LINES, after=LINES)
def test_to_edit_twice_is_to_edit_once(before: list[str], after: list[str]) -> None:
    edit = notes_edit("\n".join(before), "\n".join(after))
    once = edit.new_notes("\n".join(before))
    assert edit.new_notes(once) == once


def test_a_line_that_a_run_adds_goes_below_what_was_written_anew() -> None:
    edit = notes_edit("first", "first\nsecond")
    assert edit.new_notes("all anew") == "all anew\nsecond"
    assert edit.new_notes("all anew\nsecond") == "all anew\nsecond"


def test_of_two_who_write_anew_the_later_one_counts() -> None:
    assert notes_edit("first", "mine").new_notes("theirs") == "mine"


def test_an_edit_of_notes_leaves_tags_alone() -> None:
    edit = notes_edit("", "text")
    assert edit.new_tags(["a"]) == ["a"]
    assert Edit(tags_before=(), tags=("a",)).new_notes("text") == "text"


def test_an_edit_is_the_same_when_it_is_read() -> None:
    for edit in (Edit(("a",), (), "x", "y\nz"), Edit(None, None, "", "x"), Edit((), ("ü",))):
        assert Edit.from_columns(edit.as_columns("id")) == edit
