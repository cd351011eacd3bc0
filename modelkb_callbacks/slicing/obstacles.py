"""Why the evaluations after ``fit`` can't be put into a slice: they would make the rest worse."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from modelkb_callbacks.slicing import known_calls
from modelkb_callbacks.slicing.effects import Effects, Path
from modelkb_callbacks.slicing.program import Leaf, Node, leaves
from modelkb_callbacks.slicing.scope import Variable
from modelkb_callbacks.slicing.slicer import Slicer

_TRAINED = "they depend on the trained model"


def obstacle(extended: Slicer, alone: Slicer) -> str:
    """Return why evaluations make a slice worse; an empty text if they do not.

    Args:
        extended: The slice with them.
        alone: The slice of ``fit`` alone.
    """
    unknown = [each for each in extended.unknown if each not in alone.unknown]
    if unknown:
        return unknown[0]
    if any(isinstance(each, Leaf) and each.is_replaced for each in extended.kept):
        return _TRAINED
    continuation = extended.inliner.continuation
    model = continuation.model if continuation else ("", "")
    if any(_uses(alone.effects[node], model) for node in alone.kept):
        suspects: list[Node] = list(_after_fit(extended))
    else:
        suspects = list(extended.kept)
    if any(node in extended.kept and _uses(extended.effects[node], model) for node in suspects):
        return _TRAINED
    return "they need what builds the model" if _builds_again(extended, alone) else ""


def _after_fit(slicer: Slicer) -> Iterator[Leaf]:
    is_after = False
    for leaf in leaves(slicer.inliner.program.main):
        if is_after:
            yield leaf
        is_after |= leaf is slicer.inliner.fit


def _builds_again(extended: Slicer, alone: Slicer) -> bool:
    """Return whether what the evaluations add builds a part of the model.

    A layer that is used on data alone may be made: it was made there in the run as well.
    """
    known = {_place(each) for each in alone.kept}
    before = set(extended.everything()) - set(_after_fit(extended))
    added = [each for each in before & set(extended.kept) if _place(each) not in known]
    building = [each for each in added if extended.effects[each].builds_model]
    if not building:
        return False
    in_model: set[Variable] = set()
    for node in before - set(extended.kept):
        if extended.effects[node].builds_model:
            in_model |= {variable for variable, _ in extended.effects[node].uses}
    return any(
        not _is_constructor(each) or extended.effects[each].defines & in_model for each in building
    )


def _is_constructor(node: Node) -> bool:
    """Return whether a statement gives a name to one layer of the library's."""
    if not isinstance(node, Leaf) or not isinstance(node.node, ast.Assign):
        return False
    value = node.node.value
    is_call = isinstance(value, ast.Call)
    return is_call and known_calls.builds_model(node.scope.dotted_name(value.func))  # type: ignore[attr-defined]


def _place(node: Node) -> tuple[str, str, int, int]:
    role = node.role if isinstance(node, Leaf) else node.kind
    line, column = getattr(node.node, "lineno", 0), getattr(node.node, "col_offset", 0)
    return node.scope.source.name, role, line, column


def _uses(effects: Effects, model: Path) -> bool:
    variable, attribute = model
    return bool(variable) and any(
        each == variable and (not attribute or part in ("", attribute))
        for each, part in effects.uses
    )
