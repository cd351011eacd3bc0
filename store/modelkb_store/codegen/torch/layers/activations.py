"""Activations: functions of one tensor."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from modelkb_store.codegen.torch.code import call, code, unless
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Value

# As expressions of `x`; `axis` is the one that Keras counts last.
FUNCTIONS: Mapping[str, str] = {
    "celu": "F.celu(x)",
    "elu": "F.elu(x)",
    "exponential": "torch.exp(x)",
    "gelu": "F.gelu(x)",
    "glu": "F.glu(x, dim=axis)",
    "hard_shrink": "F.hardshrink(x)",
    "hard_sigmoid": "F.hardsigmoid(x)",
    "hard_silu": "F.hardswish(x)",
    "hard_swish": "F.hardswish(x)",
    "hard_tanh": "F.hardtanh(x)",
    "leaky_relu": "F.leaky_relu(x, 0.2)",
    "linear": "x",
    "log_sigmoid": "F.logsigmoid(x)",
    "log_softmax": "F.log_softmax(x, dim=axis)",
    "mish": "F.mish(x)",
    "relu": "F.relu(x)",
    "relu6": "F.relu6(x)",
    "selu": "F.selu(x)",
    "sigmoid": "torch.sigmoid(x)",
    "silu": "F.silu(x)",
    "soft_shrink": "F.softshrink(x)",
    "softmax": "F.softmax(x, dim=axis)",
    "softplus": "F.softplus(x)",
    "softsign": "F.softsign(x)",
    "swish": "F.silu(x)",
    "tanh": "torch.tanh(x)",
    "tanh_shrink": "F.tanhshrink(x)",
}


def activated(site: Site, value: Value, key: str = "activation") -> Value:
    """Return a value after the activation that a layer's configuration names."""
    pattern = _pattern(site, site.layer.config.get(key), key)
    if pattern == "x":
        return value
    return value.changed(code(pattern, x=value.node, axis=value.axis(-1)))


def activation_function(site: Site, config: Mapping[str, Any], key: str) -> ast.expr:
    """Return an activation as a function."""
    pattern = _pattern(site, config.get(key), key)
    made = code(pattern, axis=-1)
    if isinstance(made, ast.Call) and len(made.args) == 1 and not made.keywords:
        return made.func
    return code(f"lambda x: {pattern}", axis=-1)


def _pattern(site: Site, activation: Any, key: str) -> str:
    if isinstance(activation, Mapping):  # a function as Keras serializes it, or a layer
        config = activation.get("config")
        if isinstance(config, Mapping):
            site.refuse(f"its {key} has settings of its own: put a layer there instead")
        activation = config if activation.get("module") in (None, "builtins") else None
    elif activation is None:
        return "x"
    if not isinstance(activation, str) or activation not in FUNCTIONS:
        site.refuse(f"PyTorch has no counterpart of its {key} that could be written")
    return FUNCTIONS[str(activation)]


def _activation(site: Site) -> Value:
    return activated(site, site.x)


def _relu(site: Site) -> Value:
    settings = site.settings
    slope = settings.number("negative_slope", 0.0)
    threshold = settings.number("threshold", 0.0)
    most = settings.config.get("max_value")
    if threshold == 0 and slope == 0 and most in (None, 6):
        return site.elementwise(lambda x: call("F.relu" if most is None else "F.relu6", x))
    node = site.x.node
    below = code("slope * (x - threshold)", slope=slope, x=node, threshold=threshold)
    made = code("torch.where(x >= threshold, x, below)", x=node, threshold=threshold, below=below)
    if threshold == 0:
        made = call("F.leaky_relu", node, slope) if slope else call("F.relu", node)
    if most is not None:
        made = call(ast.Attribute(made, "clamp"), max=settings.number("max_value"))
    return site.x.changed(made)


def _leaky_relu(site: Site) -> Value:
    config = site.settings
    slope = config.number("negative_slope", config.number("alpha", 0.3))
    return site.elementwise(lambda x: call("F.leaky_relu", x, slope))


def _elu(site: Site) -> Value:
    alpha = site.settings.number("alpha", 1.0)
    return site.elementwise(lambda x: call("F.elu", x, unless(alpha, 1.0)))


def _prelu(site: Site) -> Value:
    x = site.x
    shape = x.shape or site.built_shape()
    if shape is None:
        site.refuse("the shape of its input is not known; save the model after it was built")
    assert shape is not None
    axes = site.settings.config.get("shared_axes") or []
    shared = {axis % len(shape) for axis in site.settings.integers("shared_axes", None, axes)}
    if len(shape) > 2 and shared == set(range(1, len(shape) - 1)):
        x = site.first(x, len(shape))
        made = call("nn.PReLU", site.channels(x))
        return x.changed(call(site.module(made, "load_prelu"), x.node))
    sizes = [1 if axis in shared else site.channels(x, axis) for axis in range(1, len(shape))]
    x = site.last(x)
    module = site.module(call(site.piece("PReLU"), tuple(sizes)), "load_prelu")
    return x.changed(call(module, x.node))


def _softmax(site: Site) -> Value:
    x, axis = site.x, site.settings.config.get("axis", -1)
    if isinstance(axis, list) and len(axis) != 1:
        site.settings.fail("axis")
    axis = site.settings.integers("axis", None, -1)[0]
    return x.changed(call("F.softmax", x.node, dim=x.axis(axis)))


WRITERS = {
    "Activation": _activation,
    "ELU": _elu,
    "LeakyReLU": _leaky_relu,
    "PReLU": _prelu,
    "ReLU": _relu,
    "Softmax": _softmax,
}
