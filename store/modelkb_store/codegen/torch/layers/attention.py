"""Attention."""

from __future__ import annotations

import ast
from typing import Any

from modelkb_store.codegen.torch.code import OMIT, call, code, unless
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Shape, Value


def _multi_head(site: Site) -> list[Value]:
    settings = site.settings
    settings.refuse("use_gate")
    settings.refuse("sliding_window")
    query, value, *rest = [site.last(each) for each in _given(site, ("query", "value", "key"))]
    keys = rest[0] if rest else value
    named = [(query, "query_shape"), (value, "value_shape"), (keys, "key_shape")]
    sizes = [_width(site, each, name) for each, name in named]
    if settings.config.get("attention_axes") not in (None, [1], 1):
        settings.fail("attention_axes")
    out = settings.config.get("output_shape")
    width = sizes[0] if out is None else settings.integers("output_shape", 1)[0]
    heads, key_dim = settings.integer("num_heads"), settings.integer("key_dim")
    made = call(
        site.piece("MultiHeadAttention"),
        heads,
        key_dim,
        sizes[0],
        value_size=unless(sizes[1], sizes[0]),
        key_size=unless(sizes[2], sizes[1]),
        value_dim=unless(settings.integer("value_dim", key_dim), key_dim),
        output_size=unless(width, sizes[0]),
        dropout=unless(settings.number("dropout", 0.0), 0.0),
        bias=unless(settings.flag("use_bias", True), True),
    )
    module = site.module(made, "load_attention")
    node = call(
        module,
        query.node,
        value.node,
        keys.node if rest else OMIT,
        mask=_mask_of_scores(site, query, value, keys if rest else None),
        is_causal=unless(bool(site.kwargs.get("use_causal_mask")), False),
    )
    shape = None if query.shape is None else (*query.shape[:-1], width)
    return _results(site, node, shape, query.mask)


def _given(site: Site, names: tuple[str, ...]) -> list[Value]:
    """Return tensors, given by position or by name."""
    values = site.values
    named = [site.kwargs.get(name) for name in names[len(values) :]]
    values += [each for each in named if isinstance(each, Value)]
    if len(values) < 2:
        site.refuse("it is called without a value")
    return values


def _width(site: Site, value: Value, name: str) -> int:
    size = value.shape[-1] if value.shape else None
    if size is None:
        shape = site.built_shape(name)
        if shape is None and name == "key_shape":
            shape = site.built_shape("value_shape")
        size = shape[-1] if shape else None
    if size is None or (value.shape is not None and len(value.shape) != 3):
        site.refuse("the shapes of its inputs are not known, or they have more than 3 axes")
    assert size is not None
    return size


def _mask_of_scores(site: Site, query: Value, value: Value, key: Value | None) -> Any:
    """Return the mask of the scores that Keras makes of those of the inputs."""
    parts: list[ast.expr] = []
    explicit = site.kwargs.get("attention_mask")
    if isinstance(explicit, Value):
        parts.append(call(ast.Attribute(explicit.node, "bool")))
    masks = {"query_mask": query.mask, "value_mask": value.mask, "key_mask": key and key.mask}
    for name, mask in masks.items():
        given = site.kwargs.get(name)
        node = given.node if isinstance(given, Value) else mask
        if node is not None:
            pattern = "mask[:, :, None]" if name == "query_mask" else "mask[:, None, :]"
            parts.append(code(pattern, mask=node))
    if not parts:
        return OMIT
    whole = parts[0]
    for part in parts[1:]:
        whole = code("a & b", a=whole, b=part)
    return whole


def _results(site: Site, node: ast.expr, shape: Shape | None, mask: ast.expr | None) -> list[Value]:
    pair = site.assign(node)
    values = [Value(code("pair[0]", pair=pair), shape, mask=mask)]
    if site.kwargs.get("return_attention_scores"):
        values.append(Value(code("pair[1]", pair=pair)))
    return values


def _attention(site: Site) -> list[Value]:
    settings, values = site.settings, [site.last(each) for each in site.values]
    if len(values) not in (2, 3):
        site.refuse(f"it is called with {len(values)} tensors")
    query, value = values[:2]
    additive = site.layer.class_name == "AdditiveAttention"
    scaled = settings.flag("use_scale", additive)
    concat = settings.text("score_mode", "dot", ("dot", "concat")) == "concat"
    dropout = unless(settings.number("dropout", 0.0), 0.0)
    if additive:
        size = _width(site, query, "query_shape") if scaled else None
        made = call(site.piece("AdditiveAttention"), size, dropout=dropout)
    else:
        made = call(
            site.piece("Attention"),
            scale=unless(scaled, False),
            concat=unless(concat, False),
            dropout=dropout,
        )
    module = site.module(made, "load_variables" if scaled or (concat and not additive) else None)
    mask = OMIT if value.mask is None else code("mask[:, None, :]", mask=value.mask)
    node = call(
        module,
        *(each.node for each in values),
        mask=mask,
        query_mask=OMIT if query.mask is None else query.mask,
        is_causal=unless(bool(site.kwargs.get("use_causal_mask")), False),
    )
    shape = None
    if query.shape is not None and value.shape is not None:
        shape = (*query.shape[:-1], value.shape[-1])
    return _results(site, node, shape, query.mask)


WRITERS = {
    "AdditiveAttention": _attention,
    "Attention": _attention,
    "MultiHeadAttention": _multi_head,
}
