"""Layers that merge several tensors."""

from __future__ import annotations

import ast
from functools import reduce

from modelkb_store.codegen.torch.code import call, code
from modelkb_store.codegen.torch.site import Site, both
from modelkb_store.codegen.torch.value import Shape, Value

_OPERATORS = {
    "Add": "a + b",
    "Average": "a + b",
    "Maximum": "torch.maximum(a, b)",
    "Minimum": "torch.minimum(a, b)",
    "Multiply": "a * b",
    "Subtract": "a - b",
}


def broadcast(*shapes: Shape | None) -> Shape | None:
    """Return the shape of what is computed of tensors number by number."""
    known = [each for each in shapes if each is not None]
    if len(known) != len(shapes):
        return None
    rank = max(map(len, known))
    out: list[int | None] = [1] * rank
    for shape in known:
        for axis, size in enumerate(reversed(shape), start=1):
            if size != 1:
                out[-axis] = size if out[-axis] in (1, None) else out[-axis]
    return tuple(out)


def _merge(site: Site) -> Value:
    values = _of_one_rank(site, site.alike(site.values))
    pattern = _OPERATORS[site.layer.class_name]
    made = reduce(lambda a, b: code(pattern, a=a, b=b), [each.node for each in values])
    if site.layer.class_name == "Average":
        made = code("total / count", total=made, count=len(values))
    masks = [each.mask for each in values]
    mask = None if None in masks else reduce(lambda a, b: both(a, b, "|"), masks)
    return Value(made, broadcast(*(each.shape for each in values)), values[0].first, mask)


def _of_one_rank(site: Site, values: list[Value]) -> list[Value]:
    """Give all tensors as many axes as the longest has, right after the batch as Keras does."""
    if len(values) < 2:
        site.refuse(f"it is called with {len(values)} tensors")
    shapes = [each.shape for each in values]
    if any(shape is None for shape in shapes):
        return values
    rank = max(len(shape) for shape in shapes if shape is not None)
    raised = []
    for value in values:
        node, shape = value.node, value.shape or ()
        for _ in range(rank - len(shape)):
            node, shape = call(ast.Attribute(node, "unsqueeze"), 1), (shape[0], 1, *shape[1:])
        raised.append(value.changed(node, shape))
    return raised


def _concatenate(site: Site) -> Value:
    values, axis = site.alike(site.values), site.settings.integer("axis", -1)
    shapes = [each.shape for each in values]
    made = call("torch.cat", [each.node for each in values], dim=values[0].axis(axis))
    return Value(made, joined(shapes, axis), values[0].first)


def joined(shapes: list[Shape | None], axis: int) -> Shape | None:
    """Return the shape of what is put together along an axis."""
    if not shapes or any(shape is None for shape in shapes):
        return None
    lengths = [shape[axis] for shape in shapes if shape is not None]
    whole = list(shapes[0] or ())
    whole[axis] = None if None in lengths else sum(length or 0 for length in lengths)
    return tuple(whole)


def _dot(site: Site) -> Value:
    values = [site.last(each) for each in site.values]
    if len(values) != 2:
        site.refuse(f"it is called with {len(values)} tensors")
    axes = site.settings.integers("axes", 2)
    ranks = [len(each.shape) if each.shape else 0 for each in values]
    if 0 in ranks or max(ranks) > 3:
        site.refuse("the shapes of its inputs are not known, or they have more than 3 axes")
    places = [axis % rank for axis, rank in zip(axes, ranks, strict=True)]
    nodes = [each.node for each in values]
    if site.settings.flag("normalize"):
        pairs = zip(nodes, axes, strict=True)
        nodes = [call("F.normalize", node, dim=axis, eps=1e-6) for node, axis in pairs]
    letters = [list("bij"[:rank]) for rank in ranks]
    letters[1] = ["b", "k", "l"][: ranks[1]]
    letters[0][places[0]] = letters[1][places[1]] = "d"
    out = ["b", *(each for each in letters[0] + letters[1] if each not in "bd")]
    equation = f"{''.join(letters[0])},{''.join(letters[1])}->{''.join(out)}"
    made: ast.expr = call("torch.einsum", equation, *nodes)
    return Value(made if len(out) > 1 else code("x[:, None]", x=made))


WRITERS = {**dict.fromkeys(_OPERATORS, _merge), "Concatenate": _concatenate, "Dot": _dot}
