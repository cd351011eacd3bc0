"""Layers that move numbers and do not compute; they count axes as Keras has them."""

from __future__ import annotations

import ast
import math

from modelkb_store.codegen.torch.code import call, code
from modelkb_store.codegen.torch.layers.convolution import in_layout, out_of_layout, rank_of
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Shape, Value


def _flatten(site: Site) -> Value:
    x = site.last(site.x)
    rank = len(x.shape) if x.shape else None
    if site.settings.config.get("data_format") == "channels_first" and rank != 2:
        if rank is None:
            site.refuse("the shape of its input is not known")
        order = (0, *range(2, rank or 0), 1)
        x = Value(call(ast.Attribute(x.node, "permute"), *order), x.shape)
    sizes = x.shape[1:] if x.shape else (None,)
    length = math.prod(size or 0 for size in sizes) if None not in sizes else None
    if rank == 1:
        return Value(code("x[:, None]", x=x.node), (None, 1))
    return Value(call(ast.Attribute(x.node, "flatten"), 1), (*(x.shape or (None,))[:1], length))


def _reshape(site: Site) -> Value:
    x = site.last(site.x)
    target = tuple(site.settings.integers("target_shape"))
    batch: ast.expr | int = -1
    sizes: list[int | None] = list(target)
    if -1 in target:
        batch = code("x.shape[0]", x=x.node)
        whole = math.prod(each or 0 for each in x.shape[1:]) if x.shape else 0
        rest = -math.prod(target)
        sizes[target.index(-1)] = whole // rest if whole and rest else None
    made = call(ast.Attribute(x.node, "reshape"), batch, *target)
    return Value(made, (x.shape[0] if x.shape else None, *sizes))


def _permute(site: Site) -> Value:
    x = site.last(site.x)
    order = (0, *site.settings.integers("dims"))
    shape: Shape | None = None
    if x.shape is not None and sorted(order) == list(range(len(x.shape))):
        shape = tuple(x.shape[axis] for axis in order)
    return Value(call(ast.Attribute(x.node, "permute"), *order), shape)


def _repeat_vector(site: Site) -> Value:
    x, times = site.last(site.x), site.settings.integer("n")
    shape = None if x.shape is None else (x.shape[0], times, x.shape[-1])
    return Value(code("x[:, None].repeat(1, n, 1)", x=x.node, n=times), shape)


def _pairs(site: Site, key: str, rank: int) -> list[tuple[int, int]]:
    """Return how much there is before and after each axis."""
    value = site.settings.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return [(value, value)] * rank
    if not isinstance(value, (list, tuple)):
        site.settings.fail(key)
    if rank == 1 and len(value) == 2:
        value = [value]
    pairs = []
    for each in value:
        pair = [each, each] if isinstance(each, int) else each
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            site.settings.fail(key)
        if not all(type(number) is int and number >= 0 for number in pair):
            site.settings.fail(key)
        pairs.append((pair[0], pair[1]))
    if len(pairs) != rank:
        site.settings.fail(key)
    return pairs


def _zero_padding(site: Site) -> Value:
    rank = rank_of(site)
    x, pairs = in_layout(site, site.x, rank), _pairs(site, "padding", rank)
    # PyTorch begins with the last axis.
    amounts = tuple(number for pair in reversed(pairs) for number in pair)
    module = site.module(
        call(f"nn.ZeroPad{rank}d", amounts[0] if len(set(amounts)) == 1 else amounts)
    )
    assert x.shape is not None
    sizes = [
        None if size is None else size + sum(pair)
        for size, pair in zip(x.shape[1:-1], pairs, strict=True)
    ]
    value = Value(call(module, x.node), (x.shape[0], *sizes, x.shape[-1]), first=True)
    return out_of_layout(site, value)


def _cropping(site: Site) -> Value:
    rank = rank_of(site)
    x, pairs = in_layout(site, site.x, rank), _pairs(site, "cropping", rank)
    slices: list[ast.expr] = [
        ast.Slice(
            ast.Constant(before) if before else None,
            ast.UnaryOp(ast.USub(), ast.Constant(after)) if after else None,
        )
        for before, after in pairs
    ]
    assert x.shape is not None
    sizes = [
        None if size is None else size - sum(pair)
        for size, pair in zip(x.shape[1:-1], pairs, strict=True)
    ]
    made = ast.Subscript(x.node, ast.Tuple([ast.Constant(...), *slices]))
    value = Value(made, (x.shape[0], *sizes, x.shape[-1]), first=True)
    return out_of_layout(site, value)


WRITERS = {
    "Cropping1D": _cropping,
    "Cropping2D": _cropping,
    "Cropping3D": _cropping,
    "Flatten": _flatten,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
    "Reshape": _reshape,
    "ZeroPadding1D": _zero_padding,
    "ZeroPadding2D": _zero_padding,
    "ZeroPadding3D": _zero_padding,
}
