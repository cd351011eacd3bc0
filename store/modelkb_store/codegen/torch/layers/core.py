"""Dense layers, embeddings, noise that is there in training alone, and wrappers."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from modelkb_store.codegen.network.network import Layer
from modelkb_store.codegen.network.parsing import parse_model
from modelkb_store.codegen.torch.code import call, code, literal, unless
from modelkb_store.codegen.torch.layers.activations import activated
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Shape, Value


def _dense(site: Site) -> Value:
    x, units = site.last(site.x), site.settings.integer("units")
    bias = unless(site.settings.flag("use_bias", True), True)
    site.settings.refuse("lora_rank")
    made = call("nn.Linear", site.channels(x), units, bias=bias)
    shape = x.shape or site.built_shape()
    out = None if shape is None else (*shape[:-1], units)
    return activated(site, x.changed(call(site.module(made, "load_linear"), x.node), out))


def _einsum_dense(site: Site) -> Value:
    x, config = site.last(site.x), site.layer.config
    equation = config.get("equation")
    shape = x.shape or site.built_shape()
    sizes = _kernel_sizes(site, equation, shape)
    made = call(site.piece("EinsumDense"), str(equation), tuple(sizes[0]), sizes[1])
    node = call(site.module(made, "load_einsum_dense"), x.node)
    return activated(site, Value(node, mask=x.mask))


def _kernel_sizes(
    site: Site, equation: object, shape: Shape | None
) -> tuple[list[int], tuple[int, ...] | None]:
    """Return the shapes of a kernel and of a bias, by the letters of an equation."""
    letters = str(equation).replace(" ", "")
    if not isinstance(equation, str) or "..." in letters or letters.count("->") != 1:
        site.settings.fail("equation")
    given, out = letters.split("->")
    if given.count(",") != 1 or not letters.replace(",", "").replace("->", "").isalpha():
        site.settings.fail("equation")
    of_input, of_kernel = given.split(",")
    known: dict[str, int | None] = dict(zip(of_input, shape or (), strict=False))
    wanted = site.layer.config.get("output_shape")
    wanted = [wanted] if isinstance(wanted, int) else list(wanted or ())
    for letter, size in zip(reversed(out), reversed(wanted), strict=False):
        if isinstance(size, int):
            known.setdefault(letter, size)
    sizes = [known.get(letter) for letter in of_kernel]
    axes = site.layer.config.get("bias_axes")
    if not all(isinstance(each, int) for each in sizes):
        site.refuse("the shape of its kernel is not known")
    if axes is None:
        return [each or 0 for each in sizes], None
    if not isinstance(axes, str) or not all(known.get(each) for each in axes):
        site.settings.fail("bias_axes")
    first = min(out.index(each) for each in axes)
    return [each or 0 for each in sizes], tuple(
        (known[each] or 1) if each in axes else 1 for each in out[first:]
    )


def _embedding(site: Site) -> Value:
    x, settings = site.last(site.x), site.settings
    settings.refuse("lora_rank")
    size = settings.integer("output_dim")
    made = call("nn.Embedding", settings.integer("input_dim"), size)
    module = site.module(made, "load_embedding")
    whole = x.dtype in ("int32", "int64")
    node = call(module, x.node if whole else call(ast.Attribute(x.node, "long")))
    shape = None if x.shape is None else (*x.shape, size)
    mask = code("x != 0", x=x.node) if settings.flag("mask_zero") else None
    return Value(node, shape, mask=mask)


def _masking(site: Site) -> Value:
    x = site.last(site.x)
    value = site.settings.number("mask_value", 0.0)
    mask = site.assign(code("(x != value).any(dim=-1)", x=x.node, value=value), "mask")
    node = code("x * mask[..., None]", x=x.node, mask=mask)
    return Value(node, x.shape, mask=mask)


def _dropout(site: Site) -> Value:
    rate = site.settings.number("rate")
    noise_shape = site.settings.config.get("noise_shape")
    if noise_shape is not None:
        return _dropout_of_parts(site, rate, noise_shape)
    if site.kwargs.get("training") is True:
        return site.elementwise(lambda x: call("F.dropout", x, rate, training=True))
    module = site.module(call("nn.Dropout", rate))
    return site.elementwise(lambda x: call(module, x))


def _dropout_of_parts(site: Site, rate: float, shape: object) -> Value:
    """Write a dropout that is the same along some axes."""
    if not isinstance(shape, (list, tuple)) or not all(
        each is None or (type(each) is int and each > 0) for each in shape
    ):
        site.settings.fail("noise_shape")
    is_of_samples = all(each == 1 for each in shape[1:])
    x = site.x if is_of_samples else site.last(site.x)
    module = site.module(call(site.piece("DropoutOfParts"), rate, tuple(shape)))
    return x.changed(call(module, x.node))


def _stochastic_depth(site: Site) -> Value:
    """Write the layer of Keras' ConvNeXt that drops whole samples."""
    shape = site.x.shape or site.built_shape() or ()
    rate = site.settings.number("drop_path_rate")
    return _dropout_of_parts(site, rate, [None, *(1 for _ in shape[1:])])


def _layer_scale(site: Site) -> Value:
    """Write the layer of Keras' ConvNeXt that multiplies each channel."""
    x, settings = site.last(site.x), site.settings
    size, begin = settings.integer("projection_dim"), settings.number("init_values")
    module = site.module(call(site.piece("LayerScale"), size, begin), "load_variables")
    return x.changed(call(module, x.node))


def _spatial_dropout(site: Site) -> Value:
    rank = int(site.layer.class_name[-2])
    site.settings.text("data_format", "channels_last", ("channels_last",))
    x = site.first(site.x, rank + 2)
    module = site.module(call(f"nn.Dropout{rank}d", site.settings.number("rate")))
    return x.changed(call(module, x.node))


def _gaussian(site: Site) -> Value:
    is_noise = site.layer.class_name == "GaussianNoise"
    amount = site.settings.number("stddev" if is_noise else "rate")
    module = site.module(call(site.piece(site.layer.class_name), amount))
    return site.elementwise(lambda x: call(module, x))


def _alpha_dropout(site: Site) -> Value:
    module = site.module(call("nn.AlphaDropout", site.settings.number("rate")))
    return site.elementwise(lambda x: call(module, x))


def _identity(site: Site) -> Value:
    return site.x


def _time_distributed(site: Site) -> Value:
    x, entry = site.last(site.x), site.layer.config.get("layer")
    if not isinstance(entry, Mapping):
        site.settings.fail("layer")
    inner = parse_model(entry)
    if not isinstance(inner, Layer):
        site.refuse("a model inside it cannot be written; call the model on reshaped tensors")
    assert isinstance(inner, Layer)
    flat = site.assign(code("x.flatten(0, 1)", x=x.node))
    shape = None if x.shape is None else (None, *x.shape[2:])
    value = Value(flat, shape)
    (made,) = site.write(inner, site.draft, f"{site.place}/layer", (value,), {})
    made = site.last(Value(site.assign(made.node), made.shape, made.first) if made.first else made)
    steps = literal(x.shape[1]) if x.shape and x.shape[1] else code("x.shape[1]", x=x.node)
    node = code("y.unflatten(0, (-1, steps))", y=made.node, steps=steps)
    out = None if made.shape is None or x.shape is None else (*x.shape[:2], *made.shape[1:])
    return Value(node, out, mask=x.mask)


WRITERS = {
    "ActivityRegularization": _identity,
    "AlphaDropout": _alpha_dropout,
    "Dense": _dense,
    "Dropout": _dropout,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "GaussianDropout": _gaussian,
    "GaussianNoise": _gaussian,
    "Identity": _identity,
    "LayerScale": _layer_scale,
    "Masking": _masking,
    "SpatialDropout1D": _spatial_dropout,
    "SpatialDropout2D": _spatial_dropout,
    "SpatialDropout3D": _spatial_dropout,
    "StochasticDepth": _stochastic_depth,
    "TimeDistributed": _time_distributed,
}
