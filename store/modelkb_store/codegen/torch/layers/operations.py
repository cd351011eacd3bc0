"""Operations of `keras.ops`, and Python's operators on tensors.

They count axes as Keras has them, so every tensor is given with its channels last.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from modelkb_store.codegen.torch.code import OMIT, call, code, literal, unless
from modelkb_store.codegen.torch.layers.indices import index
from modelkb_store.codegen.torch.layers.merging import broadcast, joined
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
_DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


def _node(site: Site, value: Any) -> ast.expr:
    """Return an operand: a tensor, or a number."""
    if isinstance(value, Value):
        return site.last(value).node
    if value is None or isinstance(value, bool):
        return literal(value)
    return literal(site.settings.as_number(value, "operand"))


def _operands(site: Site, count: int) -> list[Any]:
    given = [*site.args, *site.kwargs.values()]
    if len(given) != count:
        site.refuse(f"it is called with {len(given)} values")
    return given


def _one(site: Site) -> Value:
    x = site.last(site.x)
    return Value(code(_ONE[site.layer.class_name], a=x.node), x.shape)


def _two(site: Site) -> Value:
    given = _operands(site, 2)
    a, b = (_node(site, each) for each in given)
    shapes = [each.shape for each in given if isinstance(each, Value)]
    return Value(code(_TWO[site.layer.class_name], a=a, b=b), broadcast(*shapes))


def _extreme(site: Site) -> Value:
    """Write the greater or the smaller of two, of which one may be a number."""
    given = _operands(site, 2)
    larger = site.layer.class_name == "Maximum"
    shapes = [each.shape for each in given if isinstance(each, Value)]
    numbers = [each for each in given if not isinstance(each, Value)]
    if not numbers:
        function = "torch.maximum" if larger else "torch.minimum"
        return Value(call(function, *(_node(site, each) for each in given)), broadcast(*shapes))
    bound = {"min" if larger else "max": _node(site, numbers[0])}
    tensor = ast.Attribute(_node(site, site.x), "clamp")
    return Value(call(tensor, **bound), shapes[0])


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


def _cast(site: Site) -> Value:
    x = site.last(site.x)
    dtype = site.settings.text("dtype", "float32", _DTYPES)
    return Value(call(ast.Attribute(x.node, "to"), code(f"torch.{dtype}")), x.shape, dtype=dtype)


def _clip(site: Site) -> Value:
    x, config = site.last(site.x), site.settings
    least, most = config.number("x_min"), config.number("x_max")
    return Value(call(ast.Attribute(x.node, "clamp"), least, most), x.shape)


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
    a, b = (_node(site, each) for each in _operands(site, 2))
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


def _where(site: Site) -> Value:
    return Value(call("torch.where", *(_node(site, each) for each in _operands(site, 3))))


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


def _take(site: Site) -> Value:
    given, axis = _operands(site, 2), site.settings.integer("axis")
    if not isinstance(given[1], int) or isinstance(given[1], bool):
        site.refuse("its indices are no single number")
    return Value(call(ast.Attribute(_node(site, given[0]), "select"), axis, given[1]))


def _normalize(site: Site) -> Value:
    x, settings = site.last(site.x), site.settings
    epsilon = settings.number("epsilon", 1e-12)
    if settings.number("order", 2) != 2 or epsilon < 0:
        settings.fail("order")
    return Value(
        call("F.normalize", x.node, dim=settings.integer("axis", -1), eps=epsilon**0.5), x.shape
    )


WRITERS: Mapping[str, Callable[[Site], Any]] = {
    **dict.fromkeys(_ONE, _one),
    **dict.fromkeys(_TWO, _two),
    **dict.fromkeys(_REDUCTIONS, _reduction),
    "Argmax": _arg_extreme,
    "Argmin": _arg_extreme,
    "Cast": _cast,
    "Clip": _clip,
    "Concatenate": _concatenate,
    "Cumsum": _of_axis("cumsum", "axis"),
    "Einsum": _einsum,
    "Elu": _slope("F.elu", "alpha", 1.0),
    "ExpandDims": _expand_dims,
    "Flip": _flip,
    "Gelu": _gelu,
    "GetItem": _get_item,
    "LeakyRelu": _slope("F.leaky_relu", "negative_slope", 0.2),
    "LogSoftmax": _softmax,
    "Matmul": _matmul,
    "Maximum": _extreme,
    "Minimum": _extreme,
    "Moveaxis": _of_axis("movedim", "source", "destination"),
    "Normalize": _normalize,
    "Reshape": _reshape,
    "Softmax": _softmax,
    "Split": _split,
    "Squeeze": _squeeze,
    "Stack": _stack,
    "Std": _spread,
    "Swapaxes": _of_axis("transpose", "axis1", "axis2"),
    "Take": _take,
    "Transpose": _transpose,
    "Var": _spread,
    "Where": _where,
}
