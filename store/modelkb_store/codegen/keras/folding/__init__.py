"""Folding of straight-line programs into functions and loops."""

from modelkb_store.codegen.keras.folding.folding import Folded, fold

__all__ = ["Folded", "fold"]
