"""Help as it is written in docstrings, and shown on a terminal."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TypeVar

import click

Command = TypeVar("Command", bound=click.Command)

_INDENTED = re.compile(r"^  ", re.MULTILINE)
_AS_IT_IS = "\b\n"


def with_blocks(command: Command) -> Command:
    """Have a command's help show what is indented, such as examples, line by line.

    Click fills paragraphs, but for those behind its mark, which docstrings need not have.
    """
    command.help = "\n\n".join(map(_marked, cleandoc(command.help or "").split("\n\n"))) or None
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_blocks(each)
    return command


def examples(command: click.Command) -> list[str]:
    """Return the command lines that a command's help gives as examples."""
    return re.findall(r"^ +(modelkb .*)$", cleandoc(command.help or ""), re.MULTILINE)


def _marked(paragraph: str) -> str:
    is_block = _INDENTED.search(paragraph) and not paragraph.startswith(_AS_IT_IS)
    return _AS_IT_IS + paragraph if is_block else paragraph
