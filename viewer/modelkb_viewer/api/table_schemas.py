"""Rows of tables as the description of the API has them: JSON Schema of the Arrow schemas."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from modelkb_store.schemas import SCHEMAS

_TYPES = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "number"),
)
# Names say units, and these say them in words.
_UNITS = {
    "_seconds": "Seconds.",
    "_bytes": "Bytes.",
    "_percent": "Percent.",
    "_at": "In UTC, as ISO 8601.",
    "wall_time": "In UTC, as ISO 8601.",
    "_learning_rate": "Of the optimizer.",
}


def row_schema(
    table: str,
    *,
    without: Collection[str] = ("experiment_id",),
    instead: dict[str, Any] | None = None,
    is_whole: bool = True,
) -> dict[str, Any]:
    """Return the schema of a row of a table, as JSON has it.

    Args:
        table: A table of FORMAT.md.
        without: Columns that the row does not have.
        instead: The schemas of columns that are shown otherwise than they are stored, and of
            further ones.
        is_whole: Whether the row has all columns.
    """
    columns = {
        field.name: _with_unit(field.name, _schema_of(field.type))
        for field in SCHEMAS[table]
        if field.name not in without
    }
    columns.update(instead or {})
    schema: dict[str, Any] = {
        "type": "object",
        "description": f"A row of the table `{table}`, whose columns FORMAT.md describes.",
        "properties": columns,
    }
    return {**schema, "required": list(columns)} if is_whole else schema


def _with_unit(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    unit = next((words for end, words in _UNITS.items() if name.endswith(end)), None)
    return schema if unit is None else {**schema, "description": unit}


def _schema_of(kind: pa.DataType) -> dict[str, Any]:
    """Return the schema of a column's values; each may be missing."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_list(kind):
        return {"type": ["array", "null"], "items": _schema_of(kind.value_type)}
    if pa.types.is_struct(kind):
        parts = {field.name: _schema_of(field.type) for field in kind}
        return {"type": ["object", "null"], "properties": parts}
    if pa.types.is_timestamp(kind):
        return {"type": ["string", "null"], "format": "date-time"}
    name = next((name for is_one, name in _TYPES if is_one(kind)), "string")
    return {"type": [name, "null"]}
