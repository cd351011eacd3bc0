"""Normalizations."""

from __future__ import annotations

import ast

from modelkb_store.codegen.torch.code import call, code, unless
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Value


def _batch_normalization(site: Site) -> Value:
    x, settings = site.x, site.settings
    shape = x.shape or site.built_shape()
    if shape is None:
        site.refuse("the shape of its input is not known; save the model after it was built")
    assert shape is not None
    rank, axis = len(shape), settings.integers("axis", None, -1)[0] % len(shape)
    channels = site.channels(x, axis)
    if axis == rank - 1 and rank > 2:
        x = site.first(x, rank)
    elif axis != 1:
        settings.fail("axis")
    else:
        x = site.last(x)
    if rank > 5:
        site.refuse(f"its input has {rank} axes")
    scale, center = settings.flag("scale", True), settings.flag("center", True)
    made = call(
        f"nn.BatchNorm{max(rank - 2, 1)}d",
        channels,
        eps=settings.number("epsilon", 1e-3),
        momentum=round(1 - settings.number("momentum", 0.99), 12),
        affine=unless(scale or center, True),
    )
    if not site.layer.config.get("trainable", True) or site.kwargs.get("training") is False:
        site.note("it normalizes by the batch in training mode; call its eval() to prevent it")
    module = site.module(made, _loader("load_batch_norm", scale=scale, center=center))
    _fix_missing(site, module, scale=scale, center=center)
    return x.changed(call(module, x.node))


def _loader(name: str, *, scale: bool, center: bool) -> str:
    """Return the function that loads what a layer has of scale and center."""
    if scale == center:
        return name
    return f"{name}_scale" if scale else f"{name}_center"


def _fix_missing(site: Site, module: ast.Attribute, *, scale: bool, center: bool) -> None:
    """Keep what Keras' layer does not have from being trained."""
    if scale == center:
        return
    missing = ast.Attribute(module, "bias" if scale else "weight")
    statement = ast.Expr(code("part.requires_grad_(False)", part=missing))
    if ast.dump(statement) not in map(ast.dump, site.draft.making):
        site.draft.making.append(statement)


def _layer_normalization(site: Site) -> Value:
    x, settings = site.last(site.x), site.settings
    settings.refuse("rms_scaling")
    sizes = _trailing_sizes(site, x)
    scale, center = settings.flag("scale", True), settings.flag("center", True)
    made = call(
        "nn.LayerNorm",
        sizes[0] if len(sizes) == 1 else tuple(sizes),
        eps=settings.number("epsilon", 1e-3),
        elementwise_affine=unless(scale or center, True),
        bias=unless(center or not scale, True),
    )
    loader = "load_affine" if scale or not center else "load_affine_center"
    module = site.module(made, loader)
    if center:
        _fix_missing(site, module, scale=scale, center=center)
    return x.changed(call(module, x.node))


def _trailing_sizes(site: Site, x: Value) -> list[int]:
    axes = site.settings.integers("axis", None, -1)
    shape = x.shape or site.built_shape()
    if shape is not None:
        axes = [axis - len(shape) if axis >= 0 else axis for axis in axes]
    if sorted(axes) != list(range(-len(axes), 0)):
        site.settings.fail("axis")
    return [site.channels(x, axis) for axis in sorted(axes)]


def _rms_normalization(site: Site) -> Value:
    x = site.last(site.x)
    sizes = _trailing_sizes(site, x)
    size = sizes[0] if len(sizes) == 1 else tuple(sizes)
    made = call("nn.RMSNorm", size, eps=site.settings.number("epsilon", 1e-6))
    return x.changed(call(site.module(made, "load_affine"), x.node))


def _group_normalization(site: Site) -> Value:
    x, settings = site.x, site.settings
    shape = x.shape or site.built_shape()
    if shape is None:
        site.refuse("the shape of its input is not known; save the model after it was built")
    assert shape is not None
    if settings.integer("axis", -1) not in (-1, len(shape) - 1):
        settings.fail("axis")
    x = site.first(x, len(shape)) if len(shape) > 2 else x
    channels, groups = site.channels(x), settings.integer("groups", 32)
    scale, center = settings.flag("scale", True), settings.flag("center", True)
    made = call(
        "nn.GroupNorm",
        channels if groups == -1 else groups,
        channels,
        eps=settings.number("epsilon", 1e-3),
        affine=unless(scale or center, True),
    )
    loader = "load_affine_center" if center and not scale else "load_affine"
    module = site.module(made, loader)
    _fix_missing(site, module, scale=scale, center=center)
    return x.changed(call(module, x.node))


def _unit_normalization(site: Site) -> Value:
    x, axes = site.x, site.settings.integers("axis", None, -1)
    if len(axes) != 1:
        site.settings.fail("axis")
    # Keras bounds the sum of the squares, PyTorch its root.
    return x.changed(call("F.normalize", x.node, dim=x.axis(axes[0]), eps=1e-6))


WRITERS = {
    "BatchNormalization": _batch_normalization,
    "GroupNormalization": _group_normalization,
    "LayerNormalization": _layer_normalization,
    "RMSNormalization": _rms_normalization,
    "UnitNormalization": _unit_normalization,
}
