"""The code cells of a notebook, and what IPython allows in them beside Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# IPython's: %magic, !shell, ?help, and results of the first two taken into a variable.
_MAGIC_LINE = re.compile(r"^\s*(%|!|\?)|\?\s*$")
_TAKEN_MAGIC = re.compile(r"^(\s*[\w, ]+=)\s*(!|%)")
# Line magics that run the statement behind them as it stands.
_RUN_MAGIC = re.compile(r"^(\s*)%(?:time|prun)\s+(?=[^\s-])(.*)$")
_CELL_MAGIC = re.compile(r"\s*%%(!|[\w.+-]+)?")
# Cell magics behind which no Python stands, or none that is run.
_NO_PYTHON = re.compile(
    r"""! | ai | bash | bat | batch | bigquery | bq | c | c\+\+ | cat | cmd | coffeescript
    | configure | cpp | css | cu | cuda | cypher | cython(_inline|_pyximport)? | d3 | dot | duckdb
    | f90 | file | fortran | go | graphviz | groovy | haskell | help | html5? | info | java
    | javascript | js | json | julia | kotlin | kql | latex | lua | macro | markdown | matlab | md
    | mermaid | mysql | nim | node | nvcc | octave | osascript | perl | php | plantuml | postgresql
    | powershell | prolog | pwsh | pypy | python2 | r | racket | ruby | rust | scala | script
    | sh | shell | skip | sparql | spark_sql | sql | sqlite | stan | svg | swift | sx | system
    | tex | text | tikz | ts | typescript | vbscript | writefile | writetemplate | xml | yaml
    | zsh""",
    re.VERBOSE | re.IGNORECASE,
)
# A text, also one that doesn't end, or a comma that nothing follows.
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.?)*(?:"|\Z))|,(?=\s*[\]}])', re.DOTALL)


def code_cells(text: str) -> list[str | None]:
    """Return the code cells of a notebook of any format version; None for malformed ones.

    Raises:
        ValueError: The text is no notebook.
    """
    try:
        return list(_code_cells(_loaded(text)))
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _loaded(text: str) -> Any:
    """Load JSON, also with control characters in texts and with commas that nothing follows."""
    try:
        return json.loads(text, strict=False)
    except ValueError as error:
        mended = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
        try:
            return json.loads(mended, strict=False)
        except ValueError:
            raise error from None


def _code_cells(notebook: Any) -> Iterator[str | None]:
    sheets = notebook.get("worksheets") or [notebook]
    for sheet in sheets:
        for cell in sheet.get("cells") or []:
            if not isinstance(cell, dict):
                yield None
            elif cell.get("cell_type") == "code":
                lines = cell.get("source", cell.get("input", ""))
                yield _joined(lines)


def _joined(lines: Any) -> str | None:
    if isinstance(lines, str):
        return lines
    if isinstance(lines, list) and all(isinstance(line, str) for line in lines):
        return "".join(lines)
    return None


def without_cell_magic(cell: str) -> str:
    """Return a cell without its ``%%`` lines; all of it as comments where it is no Python."""
    lines = cell.split("\n")
    for index, line in enumerate(lines):
        magic = _CELL_MAGIC.match(line)
        if magic is None:
            if line.strip():
                break
        elif _NO_PYTHON.fullmatch(magic[1] or ""):
            return "\n".join(f"# {each}" for each in lines)
        else:
            lines[index] = f"# {line}"
    return "\n".join(lines)


def without_magics(text: str) -> str:
    """Return a text of the same lines without magics, shell commands and calls for help."""
    lines = []
    goes_on = False
    for line in text.split("\n"):
        taken, run = _TAKEN_MAGIC.match(line), _RUN_MAGIC.match(line)
        if goes_on:
            lines.append("#")
        elif taken:
            lines.append(f"{taken[1]} get_ipython()")
        elif run:
            lines.append(run[1] + run[2])
            continue
        elif _MAGIC_LINE.search(line) and not line.lstrip().startswith("#"):
            lines.append(line[: len(line) - len(line.lstrip())] + "pass")
        else:
            lines.append(line)
            continue
        goes_on = line.endswith("\\")
    return "\n".join(lines)
