"""Calls of operations: functions of `keras.ops`, or Python's operators where these do the same."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from modelkb_store.codegen.keras import api
from modelkb_store.codegen.keras.api import KerasOperation
from modelkb_store.codegen.keras.settings import same_value
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.errors import CodeGenerationError

# What a symbolic tensor makes of an operator; `==` compares objects and is none of them.
_BINARY: dict[str, ast.operator] = {
    "Add": ast.Add(),
    "Subtract": ast.Sub(),
    "Multiply": ast.Mult(),
    "TrueDivide": ast.Div(),
    "FloorDivide": ast.FloorDiv(),
    "Mod": ast.Mod(),
    "Power": ast.Pow(),
    "Matmul": ast.MatMult(),
    "LogicalAnd": ast.BitAnd(),
    "LogicalOr": ast.BitOr(),
    "LogicalXor": ast.BitXor(),
}
_COMPARISONS: dict[str, ast.cmpop] = {
    "Less": ast.Lt(),
    "LessEqual": ast.LtE(),
    "Greater": ast.Gt(),
    "GreaterEqual": ast.GtE(),
    "NotEqual": ast.NotEq(),
}
_UNARY: dict[str, ast.unaryop] = {"Negative": ast.USub(), "LogicalNot": ast.Invert()}


def operation_call(
    speller: Speller,
    entry: Mapping[str, Any],
    args: Sequence[ast.expr],
    kwargs: Mapping[str, ast.expr],
    where: str,
) -> ast.expr:
    """Write the call of an operation.

    Args:
        speller: Writes values.
        entry: The operation as Keras serializes it; its configuration holds its settings.
        args: What it is called with: variables, or written values.
        kwargs: The same by name.
        where: The operation, for errors.

    Raises:
        CodeGenerationError: No function of ``keras.ops`` makes such an operation.
    """
    name = str(entry["class_name"])
    settings = {key: value for key, value in entry["config"].items() if key != "name"}
    operator = None if kwargs or settings else _with_operator(name, args)
    if operator is not None:
        return operator
    described = api.find_operation(entry.get("module"), name)
    if described is None:
        raise CodeGenerationError(
            where,
            f"no function of keras.ops makes the operation {name!r}",
            "use one that keras.ops has, or a layer",
        )
    given = _given(described, args, kwargs, where)
    for key, value in settings.items():
        parameter = described.constructor.get(key)
        if key in described.fixed and same_value(described.fixed[key], value):
            continue
        if parameter is None:
            raise CodeGenerationError(
                where,
                f"{described.function} has no argument for its setting {key!r}",
                "save it with the Keras that this ModelKB knows",
            )
        default = described.parameters.get(parameter)
        if parameter not in given and (default is None or not same_value(default[0], value)):
            given[parameter] = speller.value(value, where)
    more = args[len(_named(described)) :]
    return _ordered_call(speller.spelled(described.function), described, given, more)


def _with_operator(name: str, args: Sequence[ast.expr]) -> ast.expr | None:
    if name == "GetItem" and len(args) == 2 and _is_tensor(args[0]):
        return ast.Subscript(args[0], _as_index(args[1]))
    if name in _UNARY and len(args) == 1 and _is_tensor(args[0]):
        return ast.UnaryOp(_UNARY[name], args[0])
    if len(args) != 2 or not _decides(args[0], args[1]):
        return None
    if name in _BINARY:
        return ast.BinOp(_operand(args[0]), _BINARY[name], args[1])
    # Reflected, Python would turn a comparison round.
    if name in _COMPARISONS and _is_tensor(args[0]):
        return ast.Compare(args[0], [_COMPARISONS[name]], [args[1]])
    return None


def _operand(expression: ast.expr) -> ast.expr:
    """Write a negative number as a negation: so it gets brackets in front of a power."""
    value = expression.value if isinstance(expression, ast.Constant) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return expression


def _decides(left: ast.expr, right: ast.expr) -> bool:
    """Return whether the operator is the tensor's own: an array would do it its own way."""
    return _is_tensor(left) or (_is_tensor(right) and isinstance(left, ast.Constant))


def _is_tensor(expression: ast.expr) -> bool:
    while isinstance(expression, ast.Subscript):
        expression = expression.value
    return isinstance(expression, ast.Name)


def _as_index(expression: ast.expr) -> ast.expr:
    """Write an index as it stands in brackets: `slice(None, 3, None)` is `:3`."""
    if isinstance(expression, (ast.Tuple, ast.List)):
        return ast.Tuple([_as_index(each) for each in expression.elts])
    if isinstance(expression, ast.Call) and ast.unparse(expression.func) == "slice":
        return ast.Slice(*(None if _is_none(each) else each for each in expression.args))
    return expression


def _is_none(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value is None


def _given(
    described: KerasOperation,
    args: Sequence[ast.expr],
    kwargs: Mapping[str, ast.expr],
    where: str,
) -> dict[str, ast.expr]:
    """Return what an operation is called with, by the names of the function's parameters."""
    names = _named(described)
    if len(args) > len(names) and len(names) == len(described.call):
        raise CodeGenerationError(
            where, f"{described.function} is called with {len(args)} values", "save it again"
        )
    # What the function passes on by itself, such as the `constant_values` of `ops.pad`.
    named = {
        name: value
        for name, value in kwargs.items()
        if not (described.parameters.get(name) == (None,) and _is_none(value))
    }
    return {**dict(zip(names, args, strict=False)), **named}


def _named(described: KerasOperation) -> list[str]:
    """Return what an operation is called with; of any number of values, as of `*x`, nothing."""
    return [each for each in described.call if not each.startswith("*")]


def _ordered_call(
    function: ast.expr,
    described: KerasOperation,
    given: Mapping[str, ast.expr],
    more: Sequence[ast.expr],
) -> ast.Call:
    positional: list[ast.expr] = []
    for parameter, default in described.parameters.items():
        # By position only what is always given, so that settings are named.
        if parameter not in given or (default is not None and parameter not in described.call):
            break
        positional.append(given[parameter])
    placed = set(list(described.parameters)[: len(positional)])
    rest = {name: value for name, value in given.items() if name not in placed}
    keywords = [ast.keyword(name, value) for name, value in rest.items()]
    return ast.Call(function, [*positional, *more], keywords)
