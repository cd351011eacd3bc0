"""Rows of Parquet files, kept for the next who asks for the same."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence

import pyarrow as pa

from modelkb_store.table_file import Where

# What an entry takes beside its rows, for each file: their schema, and the key.
ENTRY_BYTES = 4096

Source = tuple[Hashable, ...]

_Key = tuple[Source, tuple[str, ...], tuple[tuple[str, bytes], ...]]


class RowCache:
    """Keeps what was read last, up to a size in memory. Threads may share it.

    Args:
        most_bytes: The size.
    """

    def __init__(self, most_bytes: int = 128 << 20) -> None:
        self._most_bytes = most_bytes
        self._rows: OrderedDict[_Key, pa.Table] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(
        self,
        source: Source,
        columns: Sequence[str],
        where: Where | None,
        read: Callable[[], pa.Table],
    ) -> pa.Table:
        """Return rows, read only if they are not kept.

        Args:
            source: The files, each by what is equal only if its content is the same.
            columns: Which columns.
            where: Which rows.
            read: Reads them.
        """
        chosen = tuple((name, _digest(values)) for name, values in (where or {}).items())
        key = (source, tuple(columns), chosen)
        with self._lock:
            if key in self._rows:
                self._rows.move_to_end(key)
                return self._rows[key]
        rows = read()
        with self._lock:
            if key not in self._rows:
                self._rows[key] = rows
                self._bytes += _size(key, rows)
            while self._bytes > self._most_bytes:
                self._bytes -= _size(*self._rows.popitem(last=False))
        return rows


def _size(key: _Key, rows: pa.Table) -> int:
    return int(rows.nbytes) + len(key[0]) * ENTRY_BYTES


def _digest(values: Iterable[str]) -> bytes:
    """Return what is equal for the same values, and short: they may be all ids of a store."""
    return hashlib.sha256(repr(sorted(map(repr, values))).encode()).digest()
