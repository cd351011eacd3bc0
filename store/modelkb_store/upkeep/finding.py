"""What is wrong in a store, one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(str, Enum):
    """What is wrong, in a word that programs can go by."""

    FORMAT = "format"  # format.json
    MANIFEST = "manifest"  # which compacted files count is not known
    DAMAGED = "damaged"  # a file is not what it should be
    MISSING = "missing"  # a file that something refers to is not there
    LEFTOVER = "leftover"  # of work that was cut off
    FOREIGN = "foreign"  # a file that is not of ModelKB, between those that are
    LOG = "log"  # of a process that died, or damaged
    DOUBLED = "doubled"  # rows that are there twice
    REFERENCE = "reference"  # rows that refer to rows that are not there
    SUMMARY = "summary"  # metric_summaries differ from metrics


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a store.

    Attributes:
        path: The file that it is about, or the folder of the rows, from the store's folder.
        kind: What sort of thing.
        problem: What is wrong, in a sentence.
        remedy: What can be done.
        ids: The experiments or shared entities that it is about, if it is about some.
        column: Of a reference, the column that has it.
    """

    path: str
    kind: Kind
    problem: str
    remedy: str
    ids: tuple[str, ...] = ()
    column: str | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"
