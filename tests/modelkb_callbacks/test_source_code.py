from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from modelkb_callbacks.source_code import SourceCode, read_source
from modelkb_store.errors import SourceNotFoundError


def names(source: SourceCode) -> list[str]:
    """Return the names that the module binds."""
    return [
        node.id
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def notebook(path: Path, *cells: str, **other: Any) -> Path:
    found = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    path.write_text(json.dumps({"nbformat": 4, "cells": found, **other}), encoding="utf-8")
    return path


def test_a_script(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("a = 1\r\nb = 'é'\r\n", encoding="utf-8")

    source = read_source(path)

    assert (source.name, source.path, source.problems) == ("train.py", path, ())
    assert source.text == "a = 1\nb = 'é'\n"
    assert names(source) == ["a", "b"]
    assert source.location(2) == "train.py:2"


def test_a_text() -> None:
    source = read_source("a = 1\n")

    assert (source.name, source.path, source.location(1)) == ("<source>", None, "<source>:1")
    assert read_source("").tree.body == []


@pytest.mark.parametrize("path", ["nothing.py", "no/such.ipynb"])
def test_a_missing_file(path: str) -> None:
    with pytest.raises(SourceNotFoundError, match=path):
        read_source(path)
    with pytest.raises(FileNotFoundError):
        read_source(Path(path))


def test_a_folder_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError):
        read_source(tmp_path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xef\xbb\xbfa = 'x'\n", "x"),
        (b"# -*- coding: latin-1 -*-\na = '\xe9'\n", "é"),
        (b"a = '\xe9'\n", "\ufffd"),
        (b"# coding: no-such-thing\na = 'x'\n", "x"),
    ],
    ids=["mark", "declared", "wrong", "unknown"],
)
def test_encodings(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "train.py"
    path.write_bytes(content)

    source = read_source(path)

    assert ast.literal_eval(source.tree.body[0].value) == text  # type: ignore[attr-defined]


def test_a_statement_that_does_not_parse_takes_no_other_with_it() -> None:
    source = read_source(
        "a = 1\ndef broken(:\n    b = 2\n\n@decorated\ndef c():\n    d = 3\n\ne = 4\n"
    )

    assert sorted(names(source)) == ["a", "d", "e"]
    assert [problem.line for problem in source.problems] == [2]
    assert source.problems[0].reason.startswith("does not parse: ")
    assert source.tree.body[-1].lineno == 9


def test_spaces_that_are_none() -> None:
    source = read_source("a = 1\nif a:\n\u00a0\u00a0\u00a0 b\u00a0= 2\n\u200bc = 3\n")

    assert sorted(names(source)) == ["a", "b", "c"]
    assert source.problems == ()


def test_python_2() -> None:
    source = read_source(
        "a = 1\nprint 'a:', a\nfor b in a:\n    print b\ntry:\n    c = 1\n"
        "except (ValueError, KeyError), d:\n    raise TypeError, 'no'\nprint\nprint (a)\ne = 2\n"
    )

    assert names(source) == ["a", "b", "e", "c"]
    assert [(problem.line, problem.reason) for problem in source.problems] == [
        (2, "a print statement of Python 2"),
        (4, "a print statement of Python 2"),
    ]


@pytest.mark.parametrize(
    "text", ["\0\n", "x = " + "(" * 5000, "a" * 100 + "\n\x0c]", "if 1:\n", "\\"]
)
def test_what_cannot_be_read_at_all(text: str) -> None:
    source = read_source(text + "\n")

    assert names(source) == []
    assert source.problems


def test_what_no_person_wrote_is_not_read() -> None:
    source = read_source("a = 1\n" * 800_000)

    assert source.tree.body == []
    assert [problem.reason for problem in source.problems] == ["longer than 1,048,576 characters"]


def test_a_notebook(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", "a = 1\nb = 2", "", "c = 3\n")

    source = read_source(path)

    assert names(source) == ["a", "b", "c"]
    assert [source.location(line) for line in (1, 2, 4)] == [
        "n.ipynb, cell 1, line 1",
        "n.ipynb, cell 1, line 2",
        "n.ipynb, cell 3, line 1",
    ]


def test_lines_of_ipython(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "n.ipynb",
        "%matplotlib inline\n"
        "a = 1\n"
        "!pip install \\\n"
        "    keras\n"
        "a?\n"
        "files = !ls\n"
        "if a:\n"
        "    %cd ..\n"
        "    b = 2",
        "%%bash\nc=3",
        "%%time\nd = 4\n",
    )

    source = read_source(path)

    assert names(source) == ["a", "files", "d", "b"]
    assert source.problems == ()
    assert source.text.count("\n") == 13


def test_a_broken_cell_takes_no_other_with_it(tmp_path: Path) -> None:
    source = read_source(notebook(tmp_path / "n.ipynb", "a = 1", "b = (", "c = 3"))

    assert names(source) == ["a", "c"]
    assert [source.location(problem.line) for problem in source.problems] == [
        "n.ipynb, cell 2, line 1"
    ]


def test_a_notebook_of_an_old_format(tmp_path: Path) -> None:
    cells = [{"cell_type": "markdown", "source": "x"}, {"cell_type": "code", "input": ["a = 1"]}]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}))

    assert names(read_source(path)) == ["a"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", '{"cells": 3}', '{"worksheets": [3]}', "[" * 100_000],
)
def test_a_notebook_that_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content)

    source = read_source(path)

    assert source.tree.body == []
    assert [problem.reason[:14] for problem in source.problems] == ["not a notebook"]


@pytest.mark.parametrize("magic", ["%%wandb", "%%backend jax", "%%time\n%%capture out", "\n%%new"])
def test_python_under_a_cell_magic(tmp_path: Path, magic: str) -> None:
    source = read_source(notebook(tmp_path / "n.ipynb", f"{magic}\na = 1\n%cd ..\nb = 2", "c = 3"))

    assert names(source) == ["a", "b", "c"]
    assert source.problems == ()


@pytest.mark.parametrize(
    "magic",
    ["%%bash", "%%sh -e", "%%HTML", "%%writefile a.py", "%%R -i x", "%%!", "%%time\n%%sql db"],
)
def test_cells_that_are_not_run_as_python(tmp_path: Path, magic: str) -> None:
    source = read_source(notebook(tmp_path / "n.ipynb", f"{magic}\na = 1", "c = 3"))

    assert names(source) == ["c"]
    assert source.problems == ()


def test_a_notebook_with_commas_too_many(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    cell = r'{"cell_type": "code", "source": ["a = [1, ]\n", "b = \"\\\" , ]\"", ], }'
    path.write_text(f'{{"cells": [{cell},\n ], "nbformat": 4,}}')

    source = read_source(path)

    assert source.text == 'a = [1, ]\nb = "\\" , ]"\n'
    assert source.problems == ()


def test_a_malformed_cell_takes_no_other_with_it(tmp_path: Path) -> None:
    good = {"cell_type": "code", "source": "a = 1"}
    cells = [good, 3, {"cell_type": "code", "source": None}, {"cell_type": "markdown"}, good]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": cells}))

    source = read_source(path)

    assert names(source) == ["a", "a"]
    assert [(problem.line, problem.reason) for problem in source.problems] == [
        (2, "a cell that is malformed"),
        (3, "a cell that is malformed"),
    ]


def test_a_null_character_takes_nothing_with_it() -> None:
    source = read_source("a = 1\nb = 2\0\nc = 3\n")

    assert names(source) == ["a", "b", "c"]
    assert [problem.line for problem in source.problems] == [2]


def test_sixteen_bits(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_bytes("a = 'é'\n".encode("utf-16"))

    assert read_source(path).text.strip("\ufeff") == "a = 'é'\n"
