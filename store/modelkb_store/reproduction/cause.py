"""A reason why a run and its reproduction may differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """What is known to differ between two runs, or is not known of them.

    Attributes:
        kind: What it is about: ``data``, ``seed``, ``backend``, ``threads``, ..
        text: A sentence for people.
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"
