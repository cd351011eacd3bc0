"""``modelkb scan``: what a script says of its training."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from modelkb_callbacks.scanning import Scan, scan_source
from modelkb_callbacks.source_code import SourceCode, read_source
from modelkb_viewer.options import json_option
from modelkb_viewer.printing import print_json, print_table

_UNKNOWN = "?"


@click.command("scan")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path, as_json: bool) -> None:
    """Show what a script or notebook says of its training, without running it.

    Data, models, calls of compile and fit, hyperparameters, and warnings of probable
    mistakes. What only a run can tell is listed with the reason.

    Examples:
      modelkb scan train.py
      modelkb scan notebook.ipynb --json
    """
    source = read_source(file)
    found = scan_source(source)
    if as_json:
        print_json(found.to_dict())
        return
    _print(found, source)


def _print(found: Scan, source: SourceCode) -> None:
    where = source.location
    sections: list[tuple[str, Sequence[str], list[list[str]]]] = [
        ("Warnings", ("where", "code", "message"), _rows(found.warnings, where, "code", "message")),
        (
            "Data",
            ("where", "loader", "name", "source"),
            _rows(found.datasets, where, "loader", "name", "source"),
        ),
        (
            "Models",
            ("where", "kind", "name", "layers"),
            _rows(found.models, where, "kind", "name", "layers"),
        ),
        (
            "Compile",
            ("where", "optimizer", "learning rate", "loss", "metrics"),
            _rows(found.compile, where, "optimizer", "learning_rate", "loss", "metrics"),
        ),
        (
            "Fit",
            ("where", "epochs", "batch size", "validation split", "callbacks"),
            _rows(found.fit, where, "epochs", "batch_size", "validation_split", "callbacks"),
        ),
        (
            "Hyperparameters",
            ("name", "value"),
            [[name, _value(value)] for name, value in found.hyperparameters.items()],
        ),
        (
            "Known only in a run",
            ("where", "expression", "reason"),
            _rows(found.unresolved, where, "expression", "reason"),
        ),
    ]
    shown = [section for section in sections if section[2]]
    for title, columns, rows in shown:
        click.echo(f"\n{title}")
        print_table(columns, rows)
    if not shown:
        click.echo(f"Nothing of Keras was found in {source.name}.")


def _rows(records: Sequence[Any], where: Callable[[int], str], *names: str) -> list[list[str]]:
    return [
        [where(record.line), *(_cell(getattr(record, name)) for name in names)]
        for record in records
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return _runs([_cell(each) or _UNKNOWN for each in value])
    return value if isinstance(value, str) else f"{value}"


def _runs(names: list[str]) -> str:
    """Join names; of what follows itself, say how often."""
    parts: list[tuple[str, int]] = []
    for name in names:
        if parts and parts[-1][0] == name:
            parts[-1] = (name, parts[-1][1] + 1)
        else:
            parts.append((name, 1))
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in parts)


def _value(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"any_of"}:
        return " or ".join(_value(each) for each in value["any_of"])
    return value if isinstance(value, str) else json.dumps(value)
