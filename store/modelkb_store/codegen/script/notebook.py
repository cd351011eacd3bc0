"""A script as a Jupyter notebook, of format 4."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from modelkb_store.codegen.script.source_edits import python_lines

_FORMAT, _MINOR_FORMAT = 4, 5
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#+!|$~])")


def notebook_text(header: str, cells: Sequence[tuple[str, str]], python_version: str) -> str:
    """Return a notebook's JSON.

    Args:
        header: What the script's docstring says.
        cells: Titles and code.
        python_version: The version of Python that the run had; empty if it is not known.
    """
    found = [_cell("markdown", _plain_markdown(header))]
    for title, code in cells:
        found += [_cell("markdown", f"## {title}"), _cell("code", code)]
    for number, cell in enumerate(found):
        cell["id"] = f"cell-{number}"
    notebook = {
        "cells": found,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", **_version(python_version)},
        },
        "nbformat": _FORMAT,
        "nbformat_minor": _MINOR_FORMAT,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "metadata": {},
        "source": python_lines(source),
    }
    if kind == "code":
        cell.update(execution_count=None, outputs=[])
    return cell


def _version(version: str) -> dict[str, str]:
    return {"version": version} if version else {}


def _plain_markdown(text: str) -> str:
    """Return a text as Markdown that shows it as it is, whatever stands in it."""
    title, _, rest = text.partition("\n\n")
    one_line = " ".join(title.split())
    return f"# {_escaped(one_line)}\n\n{_escaped(rest)}"


def _escaped(text: str) -> str:
    """Escape what Markdown and HTML read; the dashes that begin lines of a list stay."""
    return _SPECIAL.sub(r"\\\1", text)
