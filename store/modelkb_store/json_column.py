"""A column of JSON texts, decoded by distinct text and not by row."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.text_column import Codes, encoded_texts, numpy_of

_WHOLE_NUMBER = r"^-?[0-9]{1,18}$"  # those that surely fit 64 bits
_QUOTED = r'^"[^"\\]*"$'  # texts in which nothing is escaped
_NUMBER = r"^-?([0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|Infinity)$|^NaN$"


class JsonKind(IntEnum):
    """What a JSON text holds."""

    MISSING = 0
    WHOLE = 1  # a number that 64 bits hold exactly
    NUMBER = 2
    TEXT = 3
    TRUTH = 4
    OTHER = 5  # lists, mappings, numbers beyond a double, and what is no JSON


_NUMBERS = {JsonKind.WHOLE, JsonKind.NUMBER}


class JsonColumn:
    """JSON texts, of which single columns are made.

    Args:
        column: JSON texts, plain or dictionary-encoded.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        codes, self.texts = encoded_texts(column)
        self._codes = np.append(codes, -1)  # the last for rows without a value
        count = len(self.texts)
        self._kinds = np.full(count + 1, JsonKind.MISSING, np.int8)  # the last stands for null
        self._wholes = np.zeros(count + 1, np.int64)
        self._numbers = np.zeros(count + 1, np.float64)
        self._decoded: dict[int, str] = {}
        self._fill()
        self.kinds = self._kinds[codes]

    def array(self, rows: Codes) -> pa.Array:
        """Return the values in some rows, in the one type that fits them all.

        Args:
            rows: Positions in the column; -1 for no value.

        Returns:
            int64, double, string or bool; rows of several types as JSON text.
        """
        kinds = self.kinds_in(rows)
        if kinds <= {JsonKind.WHOLE}:
            return self.wholes(rows)
        if kinds <= _NUMBERS:
            return self.numbers(rows)
        if kinds == {JsonKind.TEXT}:
            return self.strings(rows)
        if kinds == {JsonKind.TRUTH}:
            return self.truths(rows)
        return self._each(rows, _spelled_out)

    def kinds_in(self, rows: Codes) -> set[JsonKind]:
        """Return the kinds of the values in some rows, but for missing ones."""
        kinds = np.bincount(self._kinds[self._codes_at(rows)], minlength=len(JsonKind))
        return {kind for kind in JsonKind if kind and kinds[kind]}

    def present(self, rows: Codes) -> pa.Array:
        """Return which rows have a value that is not null."""
        return pa.array(self._kinds[self._codes_at(rows)] != JsonKind.MISSING)

    def wholes(self, rows: Codes) -> pa.Array:
        """Return the whole numbers in some rows, null for all else."""
        codes = self._codes_at(rows)
        return pa.array(self._wholes[codes], mask=self._kinds[codes] != JsonKind.WHOLE)

    def numbers(self, rows: Codes) -> pa.Array:
        """Return the numbers in some rows as doubles, null for all else."""
        codes = self._codes_at(rows)
        mask = ~np.isin(self._kinds[codes], (JsonKind.WHOLE, JsonKind.NUMBER))
        return pa.array(self._numbers[codes], mask=mask)

    def truths(self, rows: Codes) -> pa.Array:
        """Return the truth values in some rows, null for all else."""
        codes = self._codes_at(rows)
        return pa.array(self._wholes[codes] == 1, mask=self._kinds[codes] != JsonKind.TRUTH)

    def strings(self, rows: Codes) -> pa.Array:
        """Return the texts in some rows, null for all else."""
        codes = self._codes_at(rows)
        codes = np.where(self._kinds[codes] == JsonKind.TEXT, codes, -1)
        used, places = np.unique(codes, return_inverse=True)
        if not len(self.texts):
            return pa.nulls(len(rows), pa.string())
        texts = self.texts.take(pa.array(np.maximum(used, 0)))
        inner = pc.utf8_slice_codeunits(texts, 1, -1)
        if used.size and any(code in self._decoded for code in used.tolist()):
            inner = pa.array(
                [
                    self._decoded.get(code, text)
                    for code, text in zip(used.tolist(), inner.to_pylist(), strict=True)
                ],
                pa.string(),
            )
        return inner.take(pa.array(places, mask=codes < 0))

    def lists(self, rows: Codes) -> pa.Array:
        """Return the lists in some rows, each item as canonical JSON text; null for all else."""
        return self._each(rows, _items, pa.list_(pa.string()))

    def _codes_at(self, rows: Codes) -> Codes:
        return self._codes[rows]

    def _each(
        self,
        rows: Codes,
        decode: Callable[[str], Any],
        kind: pa.DataType | None = None,
    ) -> pa.Array:
        codes = self._codes_at(rows)
        missing = self._kinds[codes] == JsonKind.MISSING
        used, places = np.unique(np.where(missing, -1, codes), return_inverse=True)
        values = [decode(self.texts[code].as_py()) if code >= 0 else None for code in used.tolist()]
        return pa.array(values, kind or pa.string()).take(pa.array(places, mask=missing))

    def _fill(self) -> None:
        texts = self.texts
        if not len(texts):
            return
        numeric = numpy_of(pc.match_substring_regex(texts, _NUMBER))
        whole = numpy_of(pc.match_substring_regex(texts, _WHOLE_NUMBER))
        quoted = numpy_of(pc.match_substring_regex(texts, _QUOTED))
        known = numeric | quoted
        self._kinds[:-1][quoted] = JsonKind.TEXT
        self._kinds[:-1][numeric] = JsonKind.NUMBER
        self._kinds[:-1][whole] = JsonKind.WHOLE
        self._wholes[:-1][whole] = numpy_of(texts.filter(pa.array(whole)).cast(pa.int64()))
        self._numbers[:-1][numeric] = numpy_of(texts.filter(pa.array(numeric)).cast(pa.float64()))
        longer = np.flatnonzero(~known | (numeric & ~whole & _is_long(texts)))
        for code in longer.tolist():
            self._fill_odd(code, texts[code].as_py())

    def _fill_odd(self, code: int, text: str) -> None:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = [text]
        if isinstance(value, bool):
            self._kinds[code], self._wholes[code] = JsonKind.TRUTH, value
        elif isinstance(value, str):
            self._kinds[code], self._decoded[code] = JsonKind.TEXT, _unicode(value)
        elif isinstance(value, int):
            self._fill_large(code, value)
        elif value is None:
            self._kinds[code] = JsonKind.MISSING
        elif not isinstance(value, float):
            self._kinds[code] = JsonKind.OTHER

    def _fill_large(self, code: int, value: int) -> None:
        try:
            self._numbers[code] = float(value)
        except OverflowError:
            self._kinds[code] = JsonKind.OTHER
            return
        fits = -(1 << 63) <= value < 1 << 63
        self._kinds[code] = JsonKind.WHOLE if fits else JsonKind.NUMBER
        self._wholes[code] = value if fits else 0


def _is_long(texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Return which numbers may be whole ones that need a closer look."""
    found = pc.match_substring_regex(texts, r"^-?[0-9]{19,}$")
    return numpy_of(found)  # type: ignore[no-any-return]


def _spelled_out(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _unicode(value) if isinstance(value, str) else json.dumps(value)


def _items(text: str) -> list[str] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return [canonical_item(item) for item in value] if isinstance(value, list) else None


def canonical_item(value: Any) -> str:
    """Return the JSON text that equal values share, whole doubles and integers included."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        return f"[{','.join(canonical_item(item) for item in value)}]"
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _unicode(text: str) -> str:
    """Replace half characters, which JSON can hold and Arrow cannot."""
    return text.encode("utf-8", "replace").decode()
