"""The settings of a layer, each checked to be of the type that Keras writes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from modelkb_store.errors import CodeGenerationError

_REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Settings:
    """Reads a configuration, which may hold anything.

    Attributes:
        config: The configuration.
        where: The layer, for errors.
    """

    config: Mapping[str, Any]
    where: str

    def get(self, key: str, default: Any = None) -> Any:
        """Return a setting as it is; it must not get into code unchecked."""
        value = self.config.get(key, default)
        return default if value is None else value

    def integer(self, key: str, default: Any = _REQUIRED) -> int:
        """Return a whole number."""
        value = self._value(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail(key)
        return value

    def number(self, key: str, default: Any = _REQUIRED) -> float:
        """Return a number."""
        return self.as_number(self._value(key, default), key)

    def as_number(self, value: Any, key: str) -> float:
        """Return what is a number, whole where it can be."""
        if not isinstance(value, (int, float)) or isinstance(value, bool) or math.isnan(value):
            self.fail(key)
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return whether something is so."""
        value = self.config.get(key, default)
        if not isinstance(value, (bool, int)) and value is not None:
            self.fail(key)
        return bool(value)

    def text(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return one of some words."""
        value = self.get(key, default)
        if not isinstance(value, str) or value not in allowed:
            self.fail(key)
        return value

    def integers(self, key: str, count: int | None = None, default: Any = _REQUIRED) -> list[int]:
        """Return whole numbers; a single one stands for all if their count is given."""
        value = self._value(key, default)
        if isinstance(value, int) and not isinstance(value, bool):
            value = [value] * (count or 1)
        if not isinstance(value, (list, tuple)) or (count is not None and len(value) != count):
            self.fail(key)
        return [Settings({key: each}, self.where).integer(key) for each in value]

    def fail(self, key: str) -> NoReturn:
        """Complain of a setting that has another value than code can be written for."""
        shown = repr(self.config.get(key))
        shown = shown if len(shown) <= 60 else f"{shown[:60]}.."
        raise CodeGenerationError(
            self.where,
            f"PyTorch has no counterpart of {key}={shown}",
            "write code for Keras, or use another layer there",
        )

    def refuse(self, key: str, *without: Any) -> None:
        """Complain if a setting has another value than those given, None or False."""
        if self.config.get(key) not in (None, False, *without):
            self.fail(key)

    def _value(self, key: str, default: Any) -> Any:
        value = self.config.get(key)
        if value is None:
            if default is _REQUIRED:
                self.fail(key)
            return default
        return value


def compact(values: list[int]) -> Any:
    """Return equal numbers as one, as people write them: ``3`` for ``(3, 3)``."""
    return values[0] if len(set(values)) == 1 else tuple(values)
