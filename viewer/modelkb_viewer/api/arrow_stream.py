"""Arrow streams that somebody has sent, read without becoming larger than they are."""

from __future__ import annotations

import struct

import pyarrow as pa

# What the fields of Arrow's messages are, by their places in its flatbuffers' definitions.
_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_DATA_OF_DICTIONARY = 1
_COMPRESSION = 3


def read_plain_stream(content: bytes, schema: pa.Schema) -> pa.Table:
    """Read rows whose bytes are all in a stream: neither compressed, nor of types that repeat.

    Args:
        content: An Arrow stream.
        schema: The columns that it must have, of these types; others are left out.

    Returns:
        The rows, with the metadata that the stream has.

    Raises:
        ValueError: It is damaged, or another stream.
    """
    try:
        for message in pa.ipc.MessageReader.open_stream(content):
            if _is_compressed(message.metadata.to_pybytes()):
                raise ValueError("it is compressed: send it as it is")
        with pa.ipc.open_stream(pa.py_buffer(content)) as stream:
            for field in schema:
                found = stream.schema.field(field.name).type
                if found != field.type:
                    raise ValueError(f"{field.name} is of the type {found}, not {field.type}")
            rows = stream.read_all().select(schema.names)
        rows.validate(full=True)
        return rows
    except (pa.ArrowException, KeyError, OSError, struct.error, IndexError) as error:
        raise ValueError(str(error)) from error


def _is_compressed(message: bytes) -> bool:
    """Return whether a message has rows that are compressed."""
    table = struct.unpack_from("<I", message, 0)[0]
    kind_at = _field(message, table, _HEADER_TYPE)
    header = _table(message, table, _HEADER)
    if kind_at is None or header is None:
        return False
    kind = message[kind_at]
    if kind == _DICTIONARY_BATCH:
        header = _table(message, header, _DATA_OF_DICTIONARY)
    elif kind != _RECORD_BATCH:
        return False
    return header is not None and _field(message, header, _COMPRESSION) is not None


def _field(message: bytes, table: int, place: int) -> int | None:
    """Return where a field of a flatbuffers table is; None if it is not there."""
    directory = table - struct.unpack_from("<i", message, table)[0]
    size = struct.unpack_from("<H", message, directory)[0]
    at = 4 + 2 * place
    offset = struct.unpack_from("<H", message, directory + at)[0] if at < size else 0
    return table + offset if offset else None


def _table(message: bytes, table: int, place: int) -> int | None:
    at = _field(message, table, place)
    return None if at is None else at + int(struct.unpack_from("<I", message, at)[0])
