"""Rows of a table as an answer: JSON for people, Arrow or Parquet for programs, as is asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from modelkb_viewer.json_values import plain

_ROWS_AT_ONCE = 10_000
_TOTAL = "Modelkb-Total-Rows"
_MOST_ROWS = (1 << 63) - 1
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


class Format(str, Enum):
    """How rows are written, by media type."""

    JSON = "application/json"
    ARROW = "application/vnd.apache.arrow.stream"
    PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class Part:
    """Which of the rows are wanted."""

    offset: Annotated[int, Query(ge=0, le=_MOST_ROWS, description="How many to pass over.")] = 0
    limit: Annotated[
        int | None, Query(ge=0, le=_MOST_ROWS, description="No more than these; all by default.")
    ] = None


AskedPart = Annotated[Part, Depends()]


def described_rows(row: dict[str, Any] | None = None) -> dict[int | str, dict[str, Any]]:
    """Return the description of an answer by :func:`rows_answer`, for a route's ``responses``.

    Args:
        row: The schema of a row, where all answers of the route have the same columns.
    """
    rows = {"schema": {"type": "array", "items": row or {"type": "object"}}}
    total = {"schema": {"type": "integer"}, "description": "How many rows there are in all."}
    answer = {"description": "The rows.", "content": {Format.JSON.value: rows, **_binary()}}
    return {200: {**answer, "headers": {_TOTAL: total}}}


def or_rows() -> dict[int | str, dict[str, Any]]:
    """Return the same, of a route that has a document of its own as JSON."""
    return {200: {"content": _binary()}}


def _binary() -> dict[str, Any]:
    return {Format.ARROW.value: _BYTES, Format.PARQUET.value: _BYTES}


def wanted_format(request: Request) -> Format:
    """Return the format that a request prefers: the first of ours that its ``Accept`` names."""
    known = {each.value: each for each in Format}
    for part in request.headers.get("accept", "").split(","):
        media_type = part.partition(";")[0].strip().lower()
        if media_type in known:
            return known[media_type]
    return Format.JSON


def rows_answer(request: Request, rows: pa.Table, part: Part | None = None) -> Response:
    """Return rows in the format that is asked for, written as they are sent.

    Args:
        request: Says which format.
        rows: All of them.
        part: Which of them are sent; all by default.
    """
    wanted = wanted_format(request)
    headers = {"Vary": "Accept", _TOTAL: str(rows.num_rows)}
    if part is not None:
        rows = rows.slice(min(part.offset, rows.num_rows), part.limit)
    if wanted is Format.PARQUET:
        return Response(_parquet(rows), media_type=wanted.value, headers=headers)
    parts = _arrow_parts(rows) if wanted is Format.ARROW else _json_parts(rows)
    if rows.num_rows <= _ROWS_AT_ONCE:  # sooner made whole than threads are changed for its parts
        return Response(b"".join(parts), media_type=wanted.value, headers=headers)
    return StreamingResponse(parts, media_type=wanted.value, headers=headers)


def _json_parts(rows: pa.Table) -> Iterator[bytes]:
    # Each part takes a change of threads: few large ones.
    separator, names = b"[", rows.column_names
    for start in range(0, rows.num_rows, _ROWS_AT_ONCE):
        columns = [_json_values(each) for each in rows.slice(start, _ROWS_AT_ONCE).columns]
        found = [dict(zip(names, each, strict=True)) for each in zip(*columns, strict=True)]
        # What is not a finite number is null.
        yield separator + to_json(found, inf_nan_mode="null")[1:-1]
        separator = b","
    yield b"[]" if separator == b"[" else b"]"


def _json_values(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column as they are written."""
    if pa.types.is_timestamp(column.type):
        return _texts_of_times(column)
    values: list[Any] = column.to_pylist()
    return [plain(value) for value in values] if pa.types.is_nested(column.type) else values


def _texts_of_times(column: pa.ChunkedArray) -> list[str | None]:
    # Many rows are of one moment, and each text takes its time.
    moments = pc.unique(column)
    texts = [None if each is None else each.isoformat() for each in moments.to_pylist()]
    return [texts[code] for code in pc.index_in(column, value_set=moments).to_pylist()]


def _arrow_parts(rows: pa.Table) -> Iterator[bytes]:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        for batch in rows.to_batches(_ROWS_AT_ONCE):
            writer.write_batch(batch)
            yield _taken(sink)
    yield _taken(sink)


def _taken(sink: io.BytesIO) -> bytes:
    content = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return content


def _parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()
