"""Operations of `keras.ops` on each number by itself, or on two of the same place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from modelkb_store.codegen.torch.code import OMIT, call, code, literal
from modelkb_store.codegen.torch.layers.merging import broadcast
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Value

# Of each number by itself, or of two of the same place: as expressions of `a` and `b`.
_ONE: Mapping[str, str] = {
    "Absolute": "a.abs()",
    "Abs": "a.abs()",
    "Ceil": "torch.ceil(a)",
    "Cos": "torch.cos(a)",
    "Erf": "torch.erf(a)",
    "Exp": "torch.exp(a)",
    "Expm1": "torch.expm1(a)",
    "Floor": "torch.floor(a)",
    "HardSigmoid": "F.hardsigmoid(a)",
    "HardSilu": "F.hardswish(a)",
    "HardTanh": "F.hardtanh(a)",
    "Isfinite": "torch.isfinite(a)",
    "Isinf": "torch.isinf(a)",
    "Isnan": "torch.isnan(a)",
    "Log": "torch.log(a)",
    "Log10": "torch.log10(a)",
    "Log1p": "torch.log1p(a)",
    "Log2": "torch.log2(a)",
    "LogSigmoid": "F.logsigmoid(a)",
    "LogicalNot": "~a",
    "Mish": "F.mish(a)",
    "Negative": "-a",
    "OnesLike": "torch.ones_like(a)",
    "Reciprocal": "1 / a",
    "Relu": "F.relu(a)",
    "Relu6": "F.relu6(a)",
    "Round": "torch.round(a)",
    "Rsqrt": "torch.rsqrt(a)",
    "Selu": "F.selu(a)",
    "Sigmoid": "torch.sigmoid(a)",
    "Sign": "torch.sign(a)",
    "Silu": "F.silu(a)",
    "Sin": "torch.sin(a)",
    "Softplus": "F.softplus(a)",
    "Softsign": "F.softsign(a)",
    "Sqrt": "torch.sqrt(a)",
    "Square": "torch.square(a)",
    "StopGradient": "a.detach()",
    "Tan": "torch.tan(a)",
    "Tanh": "torch.tanh(a)",
    "TanhShrink": "F.tanhshrink(a)",
    "ZerosLike": "torch.zeros_like(a)",
}

_TWO: Mapping[str, str] = {
    "Add": "a + b",
    "Divide": "a / b",
    "Equal": "a == b",
    "FloorDivide": "a // b",
    "Greater": "a > b",
    "GreaterEqual": "a >= b",
    "Less": "a < b",
    "LessEqual": "a <= b",
    "LogicalAnd": "a & b",
    "LogicalOr": "a | b",
    "Mod": "a % b",
    "Multiply": "a * b",
    "NotEqual": "a != b",
    "Power": "a ** b",
    "Subtract": "a - b",
    "TrueDivide": "a / b",
}

_DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


def node_of(site: Site, value: Any) -> ast.expr:
    """Return an operand: a tensor, or a number."""
    if isinstance(value, Value):
        return site.last(value).node
    if value is None or isinstance(value, bool):
        return literal(value)
    return literal(site.settings.as_number(value, "operand"))


def operands(site: Site, count: int) -> list[Any]:
    """Return what an operation is called with, which must be so many."""
    given = [*site.args, *site.kwargs.values()]
    if len(given) != count:
        site.refuse(f"it is called with {len(given)} values")
    return given


def _one(site: Site) -> Value:
    x = site.last(site.x)
    return Value(code(_ONE[site.layer.class_name], a=x.node), x.shape)


def _two(site: Site) -> Value:
    given = operands(site, 2)
    a, b = (node_of(site, each) for each in given)
    shapes = [each.shape for each in given if isinstance(each, Value)]
    return Value(code(_TWO[site.layer.class_name], a=a, b=b), broadcast(*shapes))


def _extreme(site: Site) -> Value:
    """Write the greater or the smaller of two, of which one may be a number."""
    given = operands(site, 2)
    larger = site.layer.class_name == "Maximum"
    shapes = [each.shape for each in given if isinstance(each, Value)]
    numbers = [each for each in given if not isinstance(each, Value)]
    if not numbers:
        function = "torch.maximum" if larger else "torch.minimum"
        return Value(call(function, *(node_of(site, each) for each in given)), broadcast(*shapes))
    bound = {"min" if larger else "max": node_of(site, numbers[0])}
    tensor = ast.Attribute(node_of(site, site.x), "clamp")
    return Value(call(tensor, **bound), shapes[0])


def _cast(site: Site) -> Value:
    x = site.last(site.x)
    dtype = site.settings.text("dtype", "float32", _DTYPES)
    return Value(call(ast.Attribute(x.node, "to"), code(f"torch.{dtype}")), x.shape, dtype=dtype)


def _clip(site: Site) -> Value:
    x, config = site.last(site.x), site.settings
    least, most = config.number("x_min"), config.number("x_max")
    return Value(call(ast.Attribute(x.node, "clamp"), least, most), x.shape)


def _where(site: Site) -> Value:
    return Value(call("torch.where", *(node_of(site, each) for each in operands(site, 3))))


def _softmax(site: Site) -> Value:
    x, axis = site.last(site.x), site.settings.integer("axis", -1)
    function = "F.log_softmax" if site.layer.class_name == "LogSoftmax" else "F.softmax"
    return Value(call(function, x.node, dim=axis), x.shape)


def _slope(function: str, key: str, default: float) -> Callable[[Site], Value]:
    """Return what writes an activation with one setting."""

    def write(site: Site) -> Value:
        x = site.last(site.x)
        return Value(call(function, x.node, site.settings.number(key, default)), x.shape)

    return write


def _gelu(site: Site) -> Value:
    x = site.last(site.x)
    approximate = "tanh" if site.settings.flag("approximate", True) else OMIT
    return Value(call("F.gelu", x.node, approximate=approximate), x.shape)


def _normalize(site: Site) -> Value:
    x, settings = site.last(site.x), site.settings
    epsilon = settings.number("epsilon", 1e-12)
    if settings.number("order", 2) != 2 or epsilon < 0:
        settings.fail("order")
    return Value(
        call("F.normalize", x.node, dim=settings.integer("axis", -1), eps=epsilon**0.5), x.shape
    )


WRITERS: Mapping[str, Callable[[Site], Value]] = {
    **dict.fromkeys(_ONE, _one),
    **dict.fromkeys(_TWO, _two),
    "Cast": _cast,
    "Clip": _clip,
    "Elu": _slope("F.elu", "alpha", 1.0),
    "Gelu": _gelu,
    "LeakyRelu": _slope("F.leaky_relu", "negative_slope", 0.2),
    "LogSoftmax": _softmax,
    "Maximum": _extreme,
    "Minimum": _extreme,
    "Normalize": _normalize,
    "Softmax": _softmax,
    "Where": _where,
}
