from __future__ import annotations

import json
import warnings

import nbformat

from modelkb_store.codegen.script.notebook import notebook_text


def test_it_is_a_notebook_of_format_4() -> None:
    text = notebook_text("A *title*.\n\nNot recorded:\n- <b>", [("Data", "x = 1\ny = 2")], "3.11.7")

    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "markdown", "code"]
    assert notebook.cells[0].source == "# A \\*title\\*.\n\nNot recorded:\n- \\<b\\>"
    assert notebook.cells[1].source == "## Data"
    assert notebook.cells[2].source == "x = 1\ny = 2"
    assert notebook.metadata.language_info.version == "3.11.7"


def test_a_version_may_be_unknown() -> None:
    assert "version" not in json.loads(notebook_text("a", [], ""))["metadata"]["language_info"]
