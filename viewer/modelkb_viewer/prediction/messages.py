"""What the server and its prediction process say to each other: JSON with arrays behind it.

Nothing is pickled, so that neither side can make the other run code.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

_LENGTH = struct.Struct(">Q")
_MOST_BYTES = 1 << 31


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer.

    Attributes:
        content: What JSON can hold.
        arrays: Numbers or texts, never objects.
    """

    content: Mapping[str, Any]
    arrays: Sequence[np.ndarray[Any, Any]] = field(default=())


def send(stream: BinaryIO, message: Message) -> None:
    """Write a message.

    Raises:
        OSError: Nobody reads it any more.
        ValueError: An array is of objects.
    """
    parts = [json.dumps({"content": message.content, "arrays": len(message.arrays)}).encode()]
    for array in message.arrays:
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        parts.append(buffer.getvalue())
    for part in parts:
        stream.write(_LENGTH.pack(len(part)))
        stream.write(part)
    stream.flush()


def receive(stream: BinaryIO) -> Message:
    """Read the next message.

    Raises:
        EOFError: The other side is gone.
        ValueError: What it said is no message.
    """
    head = json.loads(_part(stream))
    arrays = [
        np.load(io.BytesIO(_part(stream)), allow_pickle=False) for _ in range(int(head["arrays"]))
    ]
    return Message(head["content"], arrays)


def _part(stream: BinaryIO) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > _MOST_BYTES:
        raise ValueError(f"a part of a message takes {length:,} bytes")
    return _exactly(stream, length)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    content = stream.read(length)
    if content is None or len(content) < length:
        raise EOFError
    return content
