"""Builds the tree of a query while it is parsed: one method for each rule of the grammar."""

# ruff: noqa: D102 - a method does what the rule of its name says

from __future__ import annotations

from datetime import timedelta
from typing import Any

from modelkb_store.queries.syntax import (
    Absence,
    Arrow,
    Call,
    Comparison,
    Condition,
    Conjunction,
    Containment,
    Disjunction,
    LayerChain,
    LayerClass,
    LayerCount,
    LayerPattern,
    Likeness,
    ListLiteral,
    Literal,
    Membership,
    Name,
    Negation,
    Now,
    OrderKey,
    Truth,
    height_of,
)

_DEEPEST = 60  # levels; what evaluates them calls itself a few times for each
_Children = list[Any]


class TreeError(Exception):
    """What the grammar takes and the language does not."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position


class TreeBuilder:
    """The methods have the names of the grammar's rules, and get what these consist of."""

    def query(self, children: _Children) -> Condition:
        condition: Condition = children[0]
        return condition

    def ordering(self, children: _Children) -> tuple[OrderKey, ...]:
        return tuple(_given(children))

    def order_key(self, children: _Children) -> OrderKey:
        sign, operand, direction = children
        back = str(direction or "asc").lower() == "desc"
        return OrderKey(operand, back != (sign == "-"))

    def disjunction(self, children: _Children) -> Condition:
        if len(children) == 1:
            return self.query(children)
        return Disjunction(tuple(children), _height(children, children[0]))

    def conjunction(self, children: _Children) -> Condition:
        if len(children) == 1:
            return self.query(children)
        return Conjunction(tuple(children), _height(children, children[0]))

    def negated(self, children: _Children) -> Condition:
        return Negation(children[1], _height(children[1:], children[0]))

    def truth(self, children: _Children) -> Condition:
        return Truth(children[0], children[0].position)

    def comparison(self, children: _Children) -> Condition:
        operands, operators = children[::2], children[1::2]
        comparisons = [
            Comparison(left, _OPERATORS.get(operator, str(operator)), right, left.position)
            for left, operator, right in zip(operands[:-1], operators, operands[1:], strict=True)
        ]
        return comparisons[0] if len(comparisons) == 1 else Conjunction(tuple(comparisons), 1)

    def membership(self, children: _Children) -> Condition:
        operand, negation, _, values = children
        return _maybe_not(negation, Membership(operand, values, operand.position))

    def containment(self, children: _Children) -> Condition:
        item, negation, _, operand = children
        if isinstance(operand, ListLiteral):
            return self.membership([item, negation, _, operand])
        if not isinstance(item, Literal):
            raise TreeError("only a value can be looked for in a list", item.position)
        return _maybe_not(negation, Containment(item, operand, item.position))

    def likeness(self, children: _Children) -> Condition:
        operand, negation, like, pattern = children
        ignore_case = like.lower() == "ilike"
        likeness = Likeness(operand, _unquoted(pattern), ignore_case, operand.position)
        return _maybe_not(negation, likeness)

    def between(self, children: _Children) -> Condition:
        operand, negation, _, low, high = children
        both = Conjunction(
            (
                Comparison(operand, ">=", low, operand.position),
                Comparison(operand, "<=", high, operand.position),
            ),
            1,
        )
        return _maybe_not(negation, both)

    def absence(self, children: _Children) -> Condition:
        operand, _, negation, what = children
        return _maybe_not(negation, Absence(operand, what.type == "NAN", operand.position))

    def chain(self, children: _Children) -> Condition:
        patterns, arrows = tuple(children[1::2]), children[2::2]
        kinds = tuple(Arrow.DIRECTLY if arrow == "->" else Arrow.LATER for arrow in arrows)
        return LayerChain(patterns, kinds, children[0].start_pos, _height(patterns, children[0]))

    def call(self, children: _Children) -> Condition:
        function, *arguments = _given(children)
        return Call(
            str(function),
            tuple(item for item in arguments if isinstance(item, Literal)),
            tuple(item for item in arguments if isinstance(item, tuple)),
            function.start_pos,
        )

    def argument(self, children: _Children) -> Any:
        return children[0]

    def keyword(self, children: _Children) -> tuple[str, tuple[Literal, ...]]:
        name, _, value = children
        return str(name), value.items if isinstance(value, ListLiteral) else (value,)

    def now(self, children: _Children) -> Now:
        word, sign, number, unit = children
        if number is None:
            return Now(timedelta(), word.start_pos)
        try:
            offset = timedelta(**{f"{unit.lower().rstrip('s')}s": float(sign + number)})
        except OverflowError:
            raise TreeError("this time is out of reach", number.start_pos) from None
        return Now(offset, word.start_pos)

    def layer_count(self, children: _Children) -> LayerCount:
        word, pattern = children
        return LayerCount(pattern, word.start_pos, height_of(pattern))

    def name(self, children: _Children) -> Name:
        path, epoch = children
        return Name(_parts(path), None if epoch is None else int(epoch), path.start_pos)

    def values(self, children: _Children) -> ListLiteral:
        items = tuple(_given(children))
        return ListLiteral(items, items[0].position)

    def array(self, children: _Children) -> ListLiteral:
        bracket, *items = children
        return ListLiteral(tuple(_given(items)), bracket.start_pos)

    def text(self, children: _Children) -> Literal:
        return Literal(_unquoted(children[0]), children[0].start_pos)

    def number(self, children: _Children) -> Literal:
        sign, digits = children
        first = digits if sign is None else sign
        text = f"{sign or ''}{digits}"
        # Python takes no whole number of thousands of digits, and nothing here has one.
        whole = digits.type == "INTEGER" and len(digits) < 40
        return Literal(int(text) if whole else float(text), first.start_pos)

    def true(self, children: _Children) -> Literal:
        return Literal(True, children[0].start_pos)

    def false(self, children: _Children) -> Literal:
        return Literal(False, children[0].start_pos)

    def null(self, children: _Children) -> Literal:
        raise TreeError("nothing compares with null; ask `is null`", children[0].start_pos)

    def layer(self, children: _Children) -> LayerPattern:
        return LayerPattern((children[0],), None, _height([children[0].condition], children[0]))

    def alternatives(self, children: _Children) -> LayerPattern:
        *classes, condition = children
        inner = [condition, *(layer.condition for layer in classes)]
        return LayerPattern(tuple(classes), condition, _height(inner, classes[0]))

    def layer_class(self, children: _Children) -> LayerClass:
        name, condition = children
        known = None if name == "*" or name.lower() == "any" else str(name).replace("`", "")
        return LayerClass(known, condition, name.start_pos)

    def layer_condition(self, children: _Children) -> Condition | None:
        conditions = _given(children)
        return self.conjunction(conditions) if conditions else None


_OPERATORS = {"==": "=", "<>": "!="}


def _given(children: _Children) -> _Children:
    """Leave out what was optional and not there."""
    return [child for child in children if child is not None]


def _maybe_not(negation: Any, condition: Condition) -> Condition:
    return condition if negation is None else Negation(condition, 1 + height_of(condition))


def _height(conditions: Any, where: Any) -> int:
    height = 1 + max(map(height_of, conditions), default=0)
    if height > _DEEPEST:
        position = getattr(where, "start_pos", getattr(where, "position", 0))
        raise TreeError(f"this is nested more than {_DEEPEST} levels deep", position)
    return height


def _unquoted(token: str) -> str:
    quote = token[0]
    return token[1:-1].replace(quote * 2, quote)


def _parts(path: str) -> tuple[str, ...]:
    """Split a dotted name; dots in backticks are part of a name."""
    pieces = path.split("`")
    parts: list[str] = []
    for number, piece in enumerate(pieces):
        parts.extend([piece] if number % 2 else [part for part in piece.split(".") if part])
    return tuple(parts)
