"""Slicing at the block of an experiment: the block itself, and what it needs but the model."""

from __future__ import annotations

import ast
import dataclasses
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from modelkb_callbacks.slicing.bound_names import own_nodes
from modelkb_callbacks.slicing.data_slice import DataSlice
from modelkb_callbacks.slicing.frame_location import FIT_NAMES, FrameLocation
from modelkb_callbacks.slicing.program import Branch, Leaf, leaves
from modelkb_callbacks.slicing.scope import Variable, name_of
from modelkb_callbacks.slicing.slicer import Slicer

_logger = logging.getLogger(__name__)

_LEAVING = (ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)


def slice_block(
    frames: Sequence[FrameLocation], *, folders: Iterable[Path] = ()
) -> DataSlice | None:
    """Find the block ``with experiment(model):`` that begins, and what it needs.

    Args:
        frames: The user's frames, the one that is at the ``with`` statement first.
        folders: More folders in which modules of the user's may lie.

    Returns:
        None if the block is not found in the source, if it calls ``fit``, whose own slice
        will be found then, or if it leaves its function midway. It never raises.
    """
    try:
        slicer = Slicer(frames, folders, block=True)
        found = slicer.slice()
        block = slicer.inliner.block
        if found is None or block is None or _fits(block) or _leaves(block):
            return None
        parts = [f"`{name}` is a part of the model, and is made again" for name in _parts(slicer)]
        return dataclasses.replace(found, problems=(*found.problems, *parts))
    except Exception:  # any source may come; a training must not stop over it
        _logger.debug("No slice of the block at %r", frames[:1], exc_info=True)
        return None


def _fits(block: Branch) -> bool:
    """Return whether the block calls ``fit`` of its model."""
    model = ast.unparse(block.model) if block.model is not None else ""
    names = {name for name in FIT_NAMES if not name.endswith("_on_batch")}
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr in names
        and ast.unparse(each.func.value) == model
        for each in ast.walk(block.node)
    )


def _leaves(block: Branch) -> bool:
    """Return whether the block can stand outside of a function."""
    body = block.node.body  # type: ignore[attr-defined]
    nodes = own_nodes(body, walrus=True)
    return any(isinstance(each, _LEAVING) and each is not body[-1] for each in nodes)


def _parts(slicer: Slicer) -> Iterator[str]:
    """Give the names of layers and models that the model is made of, and the block needs."""
    model = slicer.model
    made: set[Variable] = set()
    for node in slicer.kept:
        if isinstance(node, Leaf) and not node.forced and slicer.effects[node].builds_model:
            made |= slicer.effects[node].defines
    used: set[Variable] = set()
    for leaf in leaves(slicer.inliner.program.main):
        effects = slicer.effects.outside(leaf)
        if leaf not in slicer.kept and (model[0] in effects.defines or model in effects.changes):
            used |= {variable for variable, _ in effects.uses}
    yield from sorted(name_of(variable) for variable in made & used)
