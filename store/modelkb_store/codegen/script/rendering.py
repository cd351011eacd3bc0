"""The text of a script, and the cells of a notebook, from their parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from modelkb_store.codegen.formatting import format_python
from modelkb_store.codegen.script.header import docstring
from modelkb_store.codegen.script.training_body import Body
from modelkb_store.codegen.templates import render

_TEMPLATES = Path(__file__).parent / "templates"
_TEMPLATE = "script.py.j2"
_FIRST_CELL = "Imports and settings"


@dataclass(frozen=True, slots=True)
class ScriptParts:
    """What a script is put together from, each a text of finished code.

    Attributes:
        has_future: Whether annotations must not be evaluated.
        variables: Sets environment variables.
        imports: Imports, unsorted.
        settings: Global settings of Keras and its backend.
        constants: What a user may want to change.
        definitions: Classes and functions of the user's.
        functions: The functions that make the model, and restore its start.
        body: What runs.
    """

    has_future: bool
    variables: str
    imports: str
    settings: str
    constants: str
    definitions: str
    functions: tuple[str, ...]
    body: Body

    def code(self) -> Iterator[str]:
        """Walk all texts but the imports."""
        yield from (self.variables, self.settings, self.constants, self.definitions)
        yield from self.functions
        yield from (self.body.start, self.body.data, self.body.training, self.body.evaluation)


def script_text(parts: ScriptParts, header: str) -> str:
    """Return a script, formatted."""
    return _formatted(parts, docstring(header), "")


def notebook_cells(parts: ScriptParts) -> tuple[tuple[str, str], ...]:
    """Return titles and code of a notebook's cells, formatted as the script is."""
    marker = "# %% "
    while any(marker in text for text in parts.code()):
        marker = f"{marker}% "
    title, lines, cells = _FIRST_CELL, list[str](), []
    for line in _formatted(parts, "", marker).split("\n"):
        if line.startswith(marker):
            cells.append((title, "\n".join(lines).strip("\n")))
            title, lines = line.removeprefix(marker), []
        else:
            lines.append(line)
    cells.append((title, "\n".join(lines).strip("\n")))
    return tuple((title, code) for title, code in cells if code)


def _formatted(parts: ScriptParts, header: str, marker: str) -> str:
    context = {**asdict(parts), "header": header, "marker": marker}
    return format_python(render(_TEMPLATES, _TEMPLATE, **context), sort_out_imports=True)
