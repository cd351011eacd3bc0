"""Doing an experiment again, and saying how far the outcome is the same."""

from modelkb_store.reproduction.cause import Cause
from modelkb_store.reproduction.comparison import Comparison, Verdict, compare
from modelkb_store.reproduction.curves import FirstDifference
from modelkb_store.reproduction.isolation import IsolatedPythons
from modelkb_store.reproduction.reproducing import Reproducer

__all__ = [
    "Cause",
    "Comparison",
    "FirstDifference",
    "IsolatedPythons",
    "Reproducer",
    "Verdict",
    "compare",
]
