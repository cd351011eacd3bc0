from __future__ import annotations

import click
from click.testing import CliRunner

from modelkb_viewer.help_text import examples, with_blocks


@click.command("look")
def look() -> None:
    """Look at something.

    A long paragraph that is filled, whatever lines it is written in, and
    whatever the width of the terminal is that shows it.

    Examples:
      modelkb look
      modelkb look --again
    """


def test_indented_blocks_are_shown_as_they_are_written() -> None:
    assert with_blocks(look) is with_blocks(look)
    shown = CliRunner().invoke(look, ["--help"], terminal_width=50).output
    assert "\n  Examples:\n    modelkb look\n    modelkb look --again\n\nOptions" in shown
    assert "\n  A long paragraph that is filled, whatever lines\n  it is written in, and" in shown


def test_examples_are_found() -> None:
    assert examples(look) == ["modelkb look", "modelkb look --again"]
