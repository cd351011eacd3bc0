"""Operations of `keras.ops`, and Python's operators on tensors.

They count axes as Keras has them, so every tensor is given with its channels last.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from modelkb_store.codegen.torch.code import call, code, unless
from modelkb_store.codegen.torch.layers import elementwise
from modelkb_store.codegen.torch.layers.elementwise import node_of, operands
from modelkb_store.codegen.torch.layers.indices import index
from modelkb_store.codegen.torch.layers.merging import joined
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Value

_REDUCTIONS = {
    "All": "all",
    "Amax": "amax",
    "Amin": "amin",
    "Any": "any",
    "Max": "amax",
    "Mean": "mean",
    "Min": "amin",
    "Prod": "prod",
    "Sum": "sum",
}


def _reduction(site: Site) -> Value:
    x, axes = site.last(site.x), site.layer.config.get("axis")
    keep = site.settings.flag("keepdims")
    function = ast.Attribute(x.node, _REDUCTIONS[site.layer.class_name])
    if axes is None:
        if keep:
            site.settings.fail("keepdims")
        return Value(call(function), ())
    places = site.settings.integers("axis")
    if len(places) > 1 and site.layer.class_name == "Prod":
        site.settings.fail("axis")
    dim = places[0] if len(places) == 1 else tuple(places)
    return Value(call(function, dim=dim, keepdim=unless(keep, False)))


def _spread(site: Site) -> Value:
    """Write a variance or a standard deviation; PyTorch's own divide by one less."""
    x, name = site.last(site.x), site.layer.class_name.lower()
    places = site.settings.integers("axis")
    keep = unless(site.settings.flag("keepdims"), False)
    return Value(call(f"torch.{name}", x.node, dim=tuple(places), correction=0, keepdim=keep))


def _arg_extreme(site: Site) -> Value:
    function = f"torch.{site.layer.class_name.lower()}"
    keep = unless(site.settings.flag("keepdims"), False)
    axis = site.settings.integer("axis")
    return Value(call(function, site.last(site.x).node, dim=axis, keepdim=keep))


def _get_item(site: Site) -> Value:
    x = site.last(site.args[0])
    return Value(ast.Subscript(x.node, index(site, site.args[1])))


def _concatenate(site: Site) -> Value:
    values, axis = [site.last(each) for each in site.values], site.settings.integer("axis", -1)
    made = call("torch.cat", [each.node for each in values], dim=axis)
    return Value(made, joined([each.shape for each in values], axis))


def _stack(site: Site) -> Value:
    nodes = [site.last(each).node for each in site.values]
    return Value(call("torch.stack", nodes, dim=site.settings.integer("axis", 0)))


def _split(site: Site) -> list[Value]:
    x, axis = site.last(site.x), site.settings.integer("axis", 0)
    parts = site.layer.config.get("indices_or_sections")
    cuts: Any = parts if isinstance(parts, int) else None
    if cuts is None:
        cuts = tuple(site.settings.integers("indices_or_sections"))
    pieces = site.assign(call("torch.tensor_split", x.node, cuts, dim=axis))
    count = cuts if isinstance(cuts, int) else len(cuts) + 1
    if not 0 < count <= 1000:
        site.settings.fail("indices_or_sections")
    return [Value(code("pieces[i]", pieces=pieces, i=i)) for i in range(count)]


def _einsum(site: Site) -> Value:
    equation = site.layer.config.get("subscripts")
    letters = str(equation).replace("->", "").replace(",", "").replace(".", "").replace(" ", "")
    if not isinstance(equation, str) or not (letters.isascii() and letters.isalpha()):
        site.settings.fail("subscripts")
    return Value(call("torch.einsum", equation, *(site.last(each).node for each in site.values)))


def _matmul(site: Site) -> Value:
    a, b = (node_of(site, each) for each in operands(site, 2))
    return Value(code("a @ b", a=a, b=b))


def _reshape(site: Site) -> Value:
    x = site.last(site.x)
    sizes = [-1 if each is None else each for each in site.settings.get("newshape") or ()]
    if not all(type(each) is int for each in sizes):
        site.settings.fail("newshape")
    return Value(call(ast.Attribute(x.node, "reshape"), *sizes))


def _transpose(site: Site) -> Value:
    x = site.last(site.x)
    if site.layer.config.get("axes") is None:
        if x.shape is None:
            site.settings.fail("axes")
        axes = list(reversed(range(len(x.shape or ()))))
    else:
        axes = site.settings.integers("axes")
    return Value(call(ast.Attribute(x.node, "permute"), *axes))


def _of_axis(method: str, *keys: str) -> Callable[[Site], Value]:
    """Return what writes a method of a tensor that takes whole numbers from the settings."""

    def write(site: Site) -> Value:
        numbers = [site.settings.integer(key) for key in keys]
        return Value(call(ast.Attribute(site.last(site.x).node, method), *numbers))

    return write


def _squeeze(site: Site) -> Value:
    x = site.last(site.x)
    axes = site.settings.integers("axis")
    return Value(call(ast.Attribute(x.node, "squeeze"), axes[0] if len(axes) == 1 else tuple(axes)))


def _expand_dims(site: Site) -> Value:
    node = site.last(site.x).node
    axes = site.settings.integers("axis")
    if len(axes) > 1 and any(axis < 0 for axis in axes):
        site.settings.fail("axis")
    for axis in sorted(axes):
        node = call(ast.Attribute(node, "unsqueeze"), axis)
    return Value(node)


def _flip(site: Site) -> Value:
    return Value(
        call(ast.Attribute(site.last(site.x).node, "flip"), *site.settings.integers("axis"))
    )


def _take(site: Site) -> Value:
    given, axis = operands(site, 2), site.settings.integer("axis")
    if not isinstance(given[1], int) or isinstance(given[1], bool):
        site.refuse("its indices are no single number")
    return Value(call(ast.Attribute(node_of(site, given[0]), "select"), axis, given[1]))


WRITERS: Mapping[str, Callable[[Site], Any]] = {
    **elementwise.WRITERS,
    **dict.fromkeys(_REDUCTIONS, _reduction),
    "Argmax": _arg_extreme,
    "Argmin": _arg_extreme,
    "Concatenate": _concatenate,
    "Cumsum": _of_axis("cumsum", "axis"),
    "Einsum": _einsum,
    "ExpandDims": _expand_dims,
    "Flip": _flip,
    "GetItem": _get_item,
    "Matmul": _matmul,
    "Moveaxis": _of_axis("movedim", "source", "destination"),
    "Reshape": _reshape,
    "Split": _split,
    "Squeeze": _squeeze,
    "Stack": _stack,
    "Std": _spread,
    "Swapaxes": _of_axis("transpose", "axis1", "axis2"),
    "Take": _take,
    "Transpose": _transpose,
    "Var": _spread,
}
