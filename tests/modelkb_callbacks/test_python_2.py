"""Statements of Python 2."""

from __future__ import annotations

import ast

import pytest

from modelkb_callbacks.python_2 import without_old_statements

MENDED: dict[str, tuple[str, str]] = {
    "print": ("print a, 'b'", "pass"),
    "print on two lines": ("print a, \\\n    3", "pass\n#"),
    "print in brackets": ("print 'a' % (b,\n  c)\nd = 1", "pass\n#\nd = 1"),
    "print into a file": ("print >>f, 'b'\nprint>>f", "pass\npass"),
    "print behind a colon": ("for a in b: print a", "for a in b: pass"),
    "print and more": ("print 'a'; b = 1", "pass; b = 1"),
    "printing function": ("print (a)\nprint('x')\nprint", "print (a)\nprint('x')\nprint"),
    "exec": ("exec 'a = 1' in b", "pass"),
    "raise": ("raise A, 'b'\nraise a.B, 'c' % (\n  d)", "raise A\nraise a.B\n#"),
    "raise behind a colon": ("if a: raise B, 'c'", "if a: raise B"),
    "except": ("try: pass\nexcept A, b: pass", "try: pass\nexcept A as b: pass"),
    "numbers": ("a = 0777 + 10L + 0x1F + 0.07", "a = 0o777 + 10 + 0x1F + 0.07"),
    "operators": ("if a <> `b`: pass", "if a != repr(b): pass"),
    "texts stay": ("a = '010 <> `b`' # 010", "a = '010 <> `b`' # 010"),
    "docstrings stay": ("'''\nprint the results\n010\n'''", "'''\nprint the results\n010\n'''"),
}


@pytest.mark.parametrize(("text", "mended"), MENDED.values(), ids=MENDED)
def test_mended(text: str, mended: str) -> None:
    found, _ = without_old_statements(text)

    assert found == mended
    ast.parse(found)


def test_what_is_taken_out_is_said() -> None:
    _, problems = without_old_statements("a = 1\nprint a\nexec a\n")

    assert problems == [
        (2, "a print statement of Python 2"),
        (3, "an exec statement of Python 2"),
    ]


@pytest.mark.parametrize(
    "text", ["print a b c (", "raise A, (", "print '" + "(" * 9000, "'''" * 99]
)
def test_what_cannot_be_mended_stays(text: str) -> None:
    assert without_old_statements(text) == (text, [])
