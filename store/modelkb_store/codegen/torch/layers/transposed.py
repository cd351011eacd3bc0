"""Transposed convolutions, whose edges Keras cuts in its own way."""

from __future__ import annotations

import ast

from modelkb_store.codegen.torch.code import call, unless
from modelkb_store.codegen.torch.layers.activations import activated
from modelkb_store.codegen.torch.layers.convolution import (
    Window,
    in_layout,
    out_of_layout,
    rank_of,
)
from modelkb_store.codegen.torch.settings import compact
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Value


def _transposed(site: Site) -> Value:
    rank, settings = rank_of(site), site.settings
    x = in_layout(site, site.x, rank)
    window, filters = Window(site, rank, "kernel_size"), settings.integer("filters")
    cuts = _cuts(site, window, rank)
    padding = [max(cut, 0) // 2 for cut in cuts]
    longer = [max(-cut, 0) for cut in cuts]
    if any(more >= max(step, 1) for more, step in zip(longer, window.strides, strict=True) if more):
        settings.fail("output_padding")
    made = call(
        f"nn.ConvTranspose{rank}d",
        site.channels(x),
        filters,
        kernel_size=compact(window.size),
        stride=unless(compact(window.strides), 1),
        padding=unless(compact(padding), 0),
        output_padding=unless(compact(longer), 0),
        bias=unless(settings.flag("use_bias", True), True),
        dilation=unless(compact(window.dilation), 1),
    )
    whole = call(site.module(made, "load_convolution"), x.node)
    node = _cut_at_the_end(whole, [max(cut, 0) % 2 for cut in cuts])
    assert x.shape is not None
    sizes = [
        None if length is None else (length - 1) * step + reach - cut
        for length, step, reach, cut in zip(
            x.shape[1:-1], window.strides, _reaches(window), cuts, strict=True
        )
    ]
    value = Value(node, (x.shape[0], *sizes, filters), first=True)
    return out_of_layout(site, activated(site, value))


def _reaches(window: Window) -> list[int]:
    sizes = zip(window.size, window.dilation, strict=True)
    return [(size - 1) * dilation + 1 for size, dilation in sizes]


def _cuts(site: Site, window: Window, rank: int) -> list[int]:
    """Return by how much each axis is shorter than all that the kernel reaches."""
    more = site.settings.config.get("output_padding")
    given = None if more is None else site.settings.integers("output_padding", rank)
    cuts = []
    for axis, (reach, step) in enumerate(zip(_reaches(window), window.strides, strict=True)):
        if window.padding == "same":
            cut = reach - step if given is None else 2 * (reach // 2) - given[axis]
        else:
            cut = min(reach - step, 0) if given is None else -given[axis]
        cuts.append(cut)
    return cuts


def _cut_at_the_end(node: ast.expr, cuts: list[int]) -> ast.expr:
    if not any(cuts):
        return node
    ends = [ast.UnaryOp(ast.USub(), ast.Constant(cut)) if cut else None for cut in cuts]
    axes: list[ast.expr] = [ast.Constant(...), *(ast.Slice(None, end) for end in ends)]
    return ast.Subscript(node, ast.Tuple(axes))


WRITERS = {
    "Conv1DTranspose": _transposed,
    "Conv2DTranspose": _transposed,
    "Conv3DTranspose": _transposed,
}
