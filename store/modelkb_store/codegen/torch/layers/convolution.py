"""Convolutions. PyTorch wants the channels second; its padding "same" knows no strides."""

from __future__ import annotations

import ast
from typing import Any

from modelkb_store.codegen.torch.code import OMIT, call, unless
from modelkb_store.codegen.torch.layers.activations import activated
from modelkb_store.codegen.torch.settings import compact
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Shape, Value


def rank_of(site: Site) -> int:
    """Return over how many axes a layer such as ``Conv2D`` goes."""
    digits = [each for each in site.layer.class_name if each in "123"]
    return int(digits[0])


def in_layout(site: Site, value: Value, rank: int) -> Value:
    """Return a value with the channels second, however Keras has it there."""
    if site.settings.text("data_format", "channels_last", FORMATS) == "channels_last":
        return site.first(value, rank + 2)
    value = site.last(value)
    shape = value.shape or site.built_shape() or (None,) * (rank + 2)
    # As Keras would call it if it had the channels last; made plain again by `out_of_layout`.
    return Value(value.node, (shape[0], *shape[2:], shape[1]), first=True, mask=value.mask)


def out_of_layout(site: Site, value: Value) -> Value:
    """Return what was computed with the channels second as Keras has it."""
    if site.settings.text("data_format", "channels_last", FORMATS) == "channels_last":
        return value
    shape = value.shape or ()
    return Value(value.node, (shape[0], shape[-1], *shape[1:-1]), mask=value.mask)


FORMATS = ("channels_last", "channels_first")
PADDINGS = ("valid", "same", "causal")


class Window:
    """The kernel of a convolution or pool, how it moves, and the padding.

    Attributes:
        size: Its size.
        strides: Its steps.
        dilation: The distance of its points.
        padding: As Keras calls it.
    """

    def __init__(self, site: Site, rank: int, size: str) -> None:
        settings = site.settings
        self.size = settings.integers(size, rank)
        self.strides = settings.integers("strides", rank, None) or self.size
        self.dilation = settings.integers("dilation_rate", rank, [1] * rank)
        self.padding = settings.text("padding", "valid", PADDINGS)

    @property
    def is_plain_same(self) -> bool:
        """Whether PyTorch's own padding "same" does it, without a warning of another copy."""
        reach = zip(self.size, self.dilation, strict=True)
        is_even = all((size - 1) * dilation % 2 == 0 for size, dilation in reach)
        return self.padding == "same" and set(self.strides) == {1} and is_even

    def keywords(self) -> dict[str, Any]:
        """Return the arguments of PyTorch's convolutions."""
        return {
            "kernel_size": compact(self.size),
            "stride": unless(compact(self.strides), 1),
            "padding": "same" if self.is_plain_same else OMIT,
            "dilation": unless(compact(self.dilation), 1),
        }

    def padded(self, site: Site, node: ast.expr, value: Any = OMIT) -> ast.expr:
        """Return a tensor with the padding that PyTorch would not do."""
        if self.padding == "causal":
            before = self.dilation[0] * (self.size[0] - 1)
            return call("F.pad", node, (before, 0)) if before else node
        if self.padding == "valid" or self.is_plain_same:
            return node
        dilation = unless(compact(self.dilation), 1)
        size, strides = compact(self.size), compact(self.strides)
        return call(site.piece("pad_same"), node, size, strides, dilation=dilation, value=value)

    def shape(self, given: Shape, channels: int | None) -> Shape:
        """Return the shape of what comes out, the channels last."""
        axes = zip(given[1:-1], self.size, self.strides, self.dilation, strict=True)
        sizes = [
            None if length is None else -(-length // stride) if self.padding != "valid"
            else max(0, (length - (size - 1) * dilation - 1) // stride + 1)
            for length, size, stride, dilation in axes
        ]  # fmt: skip
        return (given[0], *sizes, channels)


def _convolution(site: Site) -> Value:
    rank, settings = rank_of(site), site.settings
    x = in_layout(site, site.x, rank)
    window, filters = Window(site, rank, "kernel_size"), settings.integer("filters")
    made = call(
        f"nn.Conv{rank}d",
        site.channels(x),
        filters,
        **window.keywords(),
        groups=unless(settings.integer("groups", 1), 1),
        bias=unless(settings.flag("use_bias", True), True),
    )
    module = site.module(made, "load_convolution")
    return _done(site, x, call(module, window.padded(site, x.node)), window, filters)


def _done(site: Site, x: Value, node: ast.expr, window: Window, filters: int) -> Value:
    assert x.shape is not None
    value = activated(site, Value(node, window.shape(x.shape, filters), first=True))
    return out_of_layout(site, value)


def _depthwise(site: Site) -> Value:
    rank, settings = rank_of(site), site.settings
    x = in_layout(site, site.x, rank)
    window, channels = Window(site, rank, "kernel_size"), site.channels(x)
    filters = channels * settings.integer("depth_multiplier", 1)
    made = call(
        f"nn.Conv{rank}d",
        channels,
        filters,
        **window.keywords(),
        groups=unless(channels, 1),
        bias=unless(settings.flag("use_bias", True), True),
    )
    module = site.module(made, "load_depthwise")
    return _done(site, x, call(module, window.padded(site, x.node)), window, filters)


def _separable(site: Site) -> Value:
    rank, settings = rank_of(site), site.settings
    x = in_layout(site, site.x, rank)
    window, channels = Window(site, rank, "kernel_size"), site.channels(x)
    filters, inner = (
        settings.integer("filters"),
        channels * settings.integer("depth_multiplier", 1),
    )
    kind = f"nn.Conv{rank}d"
    groups = unless(channels, 1)
    depthwise = call(kind, channels, inner, **window.keywords(), groups=groups, bias=False)
    bias = unless(settings.flag("use_bias", True), True)
    pointwise = call(kind, inner, filters, kernel_size=1, bias=bias)
    module = site.module(call("nn.Sequential", depthwise, pointwise), "load_separable")
    return _done(site, x, call(module, window.padded(site, x.node)), window, filters)


WRITERS = {
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
}
