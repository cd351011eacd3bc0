"""Straight-line programs, with what repeats in them as functions and loops."""

from modelkb_store.codegen.keras.repeats.folding import Folded, fold

__all__ = ["Folded", "fold"]
