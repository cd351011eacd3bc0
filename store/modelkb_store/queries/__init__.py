"""The query language: choosing experiments by what is recorded of them; see docs/queries.md."""

from modelkb_store.queries.parser import parse_condition, parse_ordering
from modelkb_store.queries.selection import select_experiments

__all__ = ["parse_condition", "parse_ordering", "select_experiments"]
