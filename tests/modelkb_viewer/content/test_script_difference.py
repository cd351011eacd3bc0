from __future__ import annotations

from modelkb_viewer.content.script_difference import script_difference


def test_lines_are_marked() -> None:
    found = script_difference("a = 1\nb = 2\n", "a = 1\nb = 3\n", ("first", "second"))
    assert found.splitlines() == [
        "--- first",
        "+++ second",
        "@@ -1,2 +1,2 @@",
        " a = 1",
        "-b = 2",
        "+b = 3",
    ]


def test_equal_scripts_have_no_difference() -> None:
    assert script_difference("a = 1\n", "a = 1\n", ("first", "second")) == ""
