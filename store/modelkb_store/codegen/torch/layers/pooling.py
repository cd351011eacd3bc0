"""Pools."""

from __future__ import annotations

import ast

from modelkb_store.codegen.torch.code import call, unless
from modelkb_store.codegen.torch.layers.convolution import (
    FORMATS,
    Window,
    in_layout,
    out_of_layout,
    rank_of,
)
from modelkb_store.codegen.torch.settings import compact
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Value


def _pool(site: Site) -> Value:
    rank = rank_of(site)
    x = in_layout(site, site.x, rank)
    window = Window(site, rank, "pool_size")
    is_max = site.layer.class_name.startswith("Max")
    size, strides = compact(window.size), compact(window.strides)
    assert x.shape is not None
    node = x.node
    if window.padding == "same" and not (set(window.size) == {1} and set(window.strides) == {1}):
        if not is_max:
            made: ast.expr = call(site.piece("avg_pool_same"), node, size, strides)
            value = Value(made, window.shape(x.shape, x.shape[-1]), first=True)
            return out_of_layout(site, value)
        node = call(site.piece("pad_same"), node, size, strides, value=float("-inf"))
    kind = f"nn.{'Max' if is_max else 'Avg'}Pool{rank}d"
    module = site.module(call(kind, size, stride=unless(strides, size)))
    value = Value(call(module, node), window.shape(x.shape, x.shape[-1]), first=True)
    return out_of_layout(site, value)


def _global_pool(site: Site) -> Value:
    rank, keep = rank_of(site), site.settings.flag("keepdims")
    if site.x.mask is not None:
        return _masked_mean(site, keep)
    x = in_layout(site, site.x, rank)
    assert x.shape is not None
    axes = tuple(range(2, rank + 2))
    function = "amax" if "Max" in site.layer.class_name else "mean"
    made = call(ast.Attribute(x.node, function), dim=axes, keepdim=unless(keep, False))
    if not keep:
        return Value(made, (x.shape[0], x.shape[-1]))
    shape = (x.shape[0], *(1 for _ in range(rank)), x.shape[-1])
    return out_of_layout(site, Value(made, shape, first=True))


def _masked_mean(site: Site, keep: bool) -> Value:
    x = site.last(site.x)
    site.settings.text("data_format", "channels_last", FORMATS[:1])
    made = call(site.piece("masked_mean"), x.node, x.mask, keepdim=unless(keep, False))
    return Value(made)


def _adaptive(site: Site) -> Value:
    rank = rank_of(site)
    x = in_layout(site, site.x, rank)
    sizes = site.settings.integers("output_size", rank)
    kind = "max" if "Max" in site.layer.class_name else "avg"
    made = call(f"F.adaptive_{kind}_pool{rank}d", x.node, compact(sizes))
    assert x.shape is not None
    value = Value(made, (x.shape[0], *sizes, x.shape[-1]), first=True)
    return out_of_layout(site, value)


def _up_sampling(site: Site) -> Value:
    rank, settings = rank_of(site), site.settings
    x = in_layout(site, site.x, rank)
    sizes = settings.integers("size", rank)
    mode = settings.text("interpolation", "nearest", ("nearest", "bilinear"))
    assert x.shape is not None
    shape = (
        x.shape[0],
        *(a and a * b for a, b in zip(x.shape[1:-1], sizes, strict=True)),
        x.shape[-1],
    )
    smooth = {} if mode == "nearest" else {"mode": mode, "align_corners": False}
    module = site.module(call("nn.Upsample", scale_factor=compact(sizes), **smooth))
    return out_of_layout(site, Value(call(module, x.node), shape, first=True))


_EACH = [(kind, rank) for kind in ("Average", "Max") for rank in (1, 2, 3)]
WRITERS = {
    **{f"{kind}Pooling{rank}D": _pool for kind, rank in _EACH},
    **{f"Global{kind}Pooling{rank}D": _global_pool for kind, rank in _EACH},
    **{f"Adaptive{kind}Pooling{rank}D": _adaptive for kind, rank in _EACH},
    **{f"UpSampling{rank}D": _up_sampling for rank in (1, 2, 3)},
}
