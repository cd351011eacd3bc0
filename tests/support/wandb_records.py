"""What an offline run of Weights & Biases holds, by the library's own messages.

The library reads these files in Go alone. They have the framing of LevelDB's logs: blocks of
32 KiB, and in them pieces of records, each behind a checksum, its length and its kind.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_BLOCK, _HEADER, _FILE_HEADER = 32768, 7, 7
_WHOLE, _LAST = 1, 4


@dataclass
class OfflineRun:
    """A run as Weights & Biases will show it."""

    run: Any = None
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None


def read_offline_run(folder: Path) -> OfflineRun:
    """Read the run that an offline folder holds."""
    (path,) = folder.glob("*.wandb")
    found = OfflineRun()
    for record in _records(path.read_bytes()):
        match record.WhichOneof("record_type"):
            case "run":
                found.run = record.run
                for item in record.run.config.update:
                    found.config[item.key] = json.loads(item.value_json)
            case "history":
                row = {
                    "/".join(item.nested_key) or item.key: json.loads(item.value_json)
                    for item in record.history.item
                }
                found.history.append(row)
            case "exit":
                found.exit_code = record.exit.exit_code
    return found


def _records(data: bytes) -> Iterator[Any]:
    from wandb.proto.wandb_internal_pb2 import Record

    assert data.startswith(b":W&B")
    position, pieces = _FILE_HEADER, b""
    while position + _HEADER <= len(data):
        left = _BLOCK - position % _BLOCK
        if left < _HEADER:
            position += left
            continue
        _, size, kind = struct.unpack("<IHB", data[position : position + _HEADER])
        pieces += data[position + _HEADER : position + _HEADER + size]
        position += _HEADER + size
        if kind in (_WHOLE, _LAST):
            yield Record.FromString(pieces)
            pieces = b""
