"""Writes a folded program as Python."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelkb_store.codegen.keras.folding.attributes import (
    Affine,
    Attribute,
    Literal,
    Parameter,
    Text,
)
from modelkb_store.codegen.keras.folding.expressions import fill, spelled
from modelkb_store.codegen.keras.folding.graph import (
    Call,
    Function,
    Loop,
    Operation,
    Program,
    Region,
    Role,
    Statement,
    Value,
)
from modelkb_store.codegen.keras.folding.lifetimes import Lifetimes, caller_names, flowing_names
from modelkb_store.codegen.keras.folding.naming import parameter_names
from modelkb_store.codegen.keras.folding.shapes import FEW_ARGUMENTS
from modelkb_store.codegen.keras.naming import Wishes


def write_main(program: Program, taken: set[str], wishes: Wishes) -> list[ast.stmt]:
    """Write the statements that are not in functions."""
    lifetimes = Lifetimes.of(program.main)
    values = caller_names(lifetimes, program.names, program.kept, wishes)
    unavailable = {*taken, *program.variables, *values.values()}
    parameters = parameter_names(program.main, [], [], unavailable)
    return list(_Writer(program, lifetimes, values, parameters).statements(program.main))


def write_function(
    program: Program, function: Function, taken: set[str], wishes: Wishes
) -> ast.FunctionDef:
    """Write a function."""
    lifetimes = Lifetimes.of(function.body)
    unavailable = {*taken, "x", "y", "z"}
    parameters = parameter_names(function.body, function.parameters, function.roles, unavailable)
    used = {*taken, *parameters.values()}
    values = flowing_names(function.body, lifetimes, used, program.names, wishes)
    writer = _Writer(program, lifetimes, values, parameters)
    body = list(writer.statements(function.body))
    results = function.body.results
    if results:
        body = _returning(body, _one_or_tuple([writer.read(each) for each in results]))
    names = [
        *(writer.name(each) for each in function.body.arguments),
        *(parameters[each] for each in function.parameters),
    ]
    function_def = ast.parse("def name(): pass").body[0]
    assert isinstance(function_def, ast.FunctionDef)
    function_def.name, function_def.body = function.name, body
    function_def.args.args = [ast.arg(name) for name in names]
    function.roles = [parameters[each] for each in function.parameters]
    return function_def


def _returning(body: list[ast.stmt], result: ast.expr) -> list[ast.stmt]:
    """Return a value at once that is assigned only to be returned."""
    last = body[-1]
    if isinstance(last, ast.Assign) and ast.unparse(last.targets[0]) == ast.unparse(result):
        return [*body[:-1], ast.Return(last.value)]
    return [*body, ast.Return(result)]


def _one_or_tuple(nodes: Sequence[ast.expr], ctx: ast.expr_context | None = None) -> ast.expr:
    return nodes[0] if len(nodes) == 1 else ast.Tuple(list(nodes), ctx or ast.Load())


@dataclass(slots=True)
class _Writer:
    program: Program
    lifetimes: Lifetimes
    values: dict[Value, str]
    parameters: dict[Parameter, str]

    def name(self, value: Value) -> str:
        return self.values[self.lifetimes.variable(value)]

    def read(self, value: Value) -> ast.expr:
        return ast.Name(self.name(value), ast.Load())

    def statements(self, region: Region) -> Iterator[ast.stmt]:
        for operation in region.operations:
            if isinstance(operation, Loop):
                yield from self._loop(operation)
            else:
                yield self._simple(operation)

    def _simple(self, operation: Operation) -> ast.stmt:
        if isinstance(operation, Call):
            value = self._call(operation)
        else:
            assert isinstance(operation, Statement)
            value = self._expression(operation)
            if operation.template.is_return:
                return ast.Return(value)
        if not operation.results:
            return ast.Expr(value)
        targets = [ast.Name(self.name(each), ast.Store()) for each in operation.results]
        return _assign(_one_or_tuple(targets, ast.Store()), value)

    def _call(self, call: Call) -> ast.expr:
        arguments = [self.read(each) for each in call.operands]
        constants = [self.constant(each) for each in call.attributes]
        function = ast.Name(call.function.name, ast.Load())
        if len(constants) <= FEW_ARGUMENTS:
            return ast.Call(function, [*arguments, *constants], [])
        roles: list[Role] = call.function.roles
        keywords = [ast.keyword(role, value) for role, value in zip(roles, constants, strict=True)]
        return ast.Call(function, arguments, keywords)

    def _expression(self, statement: Statement) -> ast.expr:
        if statement.template.is_opaque:
            return statement.template.expression
        return fill(
            statement.template.expression,
            [self.name(each) for each in statement.operands],
            [self.constant(each) for each in statement.attributes],
            self.program.variables,
        )

    def _loop(self, loop: Loop) -> Iterator[ast.stmt]:
        arguments = loop.body.arguments[: loop.carried]
        yield from self._copies(zip(arguments, loop.operands, strict=False))
        body = list(self.statements(loop.body))
        body += self._copies(zip(arguments, loop.body.results[: loop.carried], strict=True))
        yield ast.For(
            target=self._target(loop),
            iter=self._domain(loop),
            body=body,
            orelse=[],
            lineno=1,
        )

    def _copies(self, pairs: Iterator[tuple[Value, Value]]) -> list[ast.stmt]:
        different = [
            (to, value)
            for to, value in pairs
            if self.lifetimes.variable(to) != self.lifetimes.variable(value)
        ]
        if not different:
            return []
        targets = [ast.Name(self.name(to), ast.Store()) for to, _ in different]
        values = [self.read(value) for _, value in different]
        return [_assign(_one_or_tuple(targets, ast.Store()), _one_or_tuple(values))]

    def _target(self, loop: Loop) -> ast.expr:
        columns = [ast.Name(self.parameters[each], ast.Store()) for each in loop.columns]
        if loop.index is None:
            if not columns:
                return ast.Name("_", ast.Store())
            return _one_or_tuple(columns, ast.Store())
        index = ast.Name(self.parameters[loop.index], ast.Store())
        if not columns:
            return index
        return ast.Tuple([index, _one_or_tuple(columns, ast.Store())], ast.Store())

    def _domain(self, loop: Loop) -> ast.expr:
        if not loop.rows:
            return _call("range", self._range(loop))
        rows: ast.expr = ast.List(
            [_one_or_tuple([self.constant(each) for each in row]) for row in loop.rows], ast.Load()
        )
        if loop.index is None:
            return rows
        start = self.constant(loop.numbers[0])
        is_zero = isinstance(start, ast.Constant) and start.value == 0
        return _call("enumerate", [rows] if is_zero else [rows, start])

    def _range(self, loop: Loop) -> list[ast.expr]:
        if len(loop.numbers) == 1:
            return [self.constant(loop.numbers[0])]
        first, last = loop.numbers
        direction = 1 if loop.step > 0 else -1
        if isinstance(last, Literal) and isinstance(last.value, int):
            stop = spelled(last.value + direction)
        else:
            stop = _plus(self.constant(last), direction)
        begin = self.constant(first)
        return [begin, stop] if loop.step == 1 else [begin, stop, spelled(loop.step)]

    def constant(self, attribute: Attribute) -> ast.expr:
        if isinstance(attribute, Literal):
            return spelled(attribute.value)
        if isinstance(attribute, Parameter):
            return ast.Name(self.parameters[attribute], ast.Load())
        if isinstance(attribute, Affine):
            return self._affine(attribute)
        return self._text(attribute)

    def _affine(self, attribute: Affine) -> ast.expr:
        parameter: ast.expr = ast.Name(self.parameters[attribute.parameter], ast.Load())
        factor = attribute.factor
        if factor < 0 <= attribute.offset:
            parameter = parameter if factor == -1 else _times(-factor, parameter)
            return ast.BinOp(spelled(attribute.offset), ast.Sub(), parameter)
        product = parameter if factor == 1 else _times(factor, parameter)
        return _plus(product, attribute.offset)

    def _text(self, attribute: Text) -> ast.expr:
        return ast.JoinedStr(
            [
                ast.Constant(piece)
                if isinstance(piece, str)
                else ast.FormattedValue(self.constant(piece), -1)
                for piece in attribute.pieces
            ]
        )


def _plus(node: ast.expr, number: int) -> ast.expr:
    if number == 0:
        return node
    sign = ast.Add() if number > 0 else ast.Sub()
    return ast.BinOp(node, sign, ast.Constant(abs(number)))


def _times(factor: int, node: ast.expr) -> ast.expr:
    return ast.BinOp(spelled(factor), ast.Mult(), node)


def _call(function: str, arguments: list[ast.expr]) -> ast.expr:
    return ast.Call(ast.Name(function, ast.Load()), arguments, [])


def _assign(target: ast.expr, value: ast.expr) -> ast.stmt:
    return ast.Assign([target], value, lineno=1)
