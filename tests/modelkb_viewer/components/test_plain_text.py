from __future__ import annotations

import pytest

from modelkb_viewer.components.plain_text import plain


def test_marks_of_markdown_are_escaped() -> None:
    assert plain("*a* [b](c) <d> `e` $f$ :red[g]") == (
        r"\*a\* \[b\]\(c\) \<d\> \`e\` \$f\$ \:red\[g\]"
    )


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see http://a.example", "http://"),
        ("HTTPS://a.example", "HTTPS://"),
        ("www.a.example", "www."),
        ("a@b.example", "a@b"),
    ],
)
def test_no_address_becomes_a_link(text: str, address: str) -> None:
    shown = plain(text).replace("\\", "")
    assert address not in shown
    assert shown.replace("\u2060", "") == text


def test_lines_stay_lines() -> None:
    assert plain("a\nb") == "a  \nb"
