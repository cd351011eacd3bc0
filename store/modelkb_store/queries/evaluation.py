"""What of a condition is true in which rows, with SQL's null for what is not known."""

from __future__ import annotations

import functools
from datetime import datetime, timezone
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.queries.query_text import QueryText
from modelkb_store.queries.syntax import (
    Absence,
    Call,
    Comparison,
    Condition,
    Conjunction,
    Containment,
    Disjunction,
    LayerChain,
    LayerCount,
    Likeness,
    Literal,
    Membership,
    Name,
    Negation,
    Now,
    Operand,
    Truth,
)
from modelkb_store.queries.values import (
    TIME,
    Kind,
    MismatchError,
    Values,
    compare,
    contains,
    is_like,
    is_one_of,
    spread,
    spread_result,
    values_of_literal,
)


class RowSource(Protocol):
    """Rows, and what a condition may name of them."""

    def __len__(self) -> int: ...

    def values(self, name: Name, query: QueryText) -> Values:
        """Return the values of a name, one for each row."""

    def count_of(self, count: LayerCount, query: QueryText) -> Values:
        """Return how many layers each row has that are so."""

    def result_of(self, condition: LayerChain | Call, query: QueryText) -> pa.Array:
        """Return in which rows something holds that is not of values alone."""


class Evaluation:
    """Evaluates conditions over rows.

    Args:
        rows: The rows.
        query: What was asked.
        now: What ``now()`` is.
    """

    def __init__(self, rows: RowSource, query: QueryText, now: datetime | None = None) -> None:
        self._rows = rows
        self._query = query
        self._now = now or datetime.now(timezone.utc)

    def chosen(self, condition: Condition) -> npt.NDArray[np.bool_]:
        """Return in which rows a condition is true.

        Raises:
            UnknownQueryNameError: It names what nothing has.
            QueryTypeError: It compares what cannot be compared in any row.
        """
        found = pc.fill_null(self.result(condition), False)
        return found.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    def result(self, condition: Condition) -> pa.Array:
        """Return for each row true, false or null."""
        if isinstance(condition, Conjunction):
            return functools.reduce(pc.and_kleene, map(self.result, condition.conditions))
        if isinstance(condition, Disjunction):
            return functools.reduce(pc.or_kleene, map(self.result, condition.conditions))
        if isinstance(condition, Negation):
            return pc.invert(self.result(condition.condition))
        if isinstance(condition, (LayerChain, Call)):
            return self._rows.result_of(condition, self._query)
        return spread_result(self._simple(condition), len(self._rows))

    def values(self, operand: Operand) -> Values:
        """Return the values of an operand."""
        if isinstance(operand, Name):
            return self._rows.values(operand, self._query)
        if isinstance(operand, LayerCount):
            return self._rows.count_of(operand, self._query)
        if isinstance(operand, Now):
            try:
                moment = self._now + operand.offset
            except OverflowError:
                raise self._query.mismatch("This time is out of reach.", operand.position) from None
            return Values({Kind.TIME: pa.scalar(moment, TIME)}, pa.scalar(True))
        return values_of_literal(operand)

    def _simple(self, condition: Condition) -> Any:
        if isinstance(condition, Comparison):
            return self._comparison(condition)
        if isinstance(condition, Membership):
            return self._membership(condition)
        if isinstance(condition, Containment):
            return self._containment(condition)
        if isinstance(condition, Likeness):
            return self._likeness(condition)
        if isinstance(condition, Absence):
            return self._absence(condition)
        assert isinstance(condition, Truth)
        return self._truth(condition)

    def _comparison(self, comparison: Comparison) -> Any:
        left, right = self.values(comparison.left), self.values(comparison.right)
        try:
            return compare(left, comparison.operator, right)
        except MismatchError:
            problem = f"`{comparison.operator}` cannot compare {left.kinds} with {right.kinds}."
            hint = ""
            if Kind.TIME in left.pieces or Kind.TIME in right.pieces:
                hint = "Write a time as '2026-11-01' or '2026-11-01 10:00' (UTC)."
            elif Kind.LIST in left.pieces or Kind.LIST in right.pieces:
                hint = "Ask whether a list has something with `'something' in tags`."
            raise self._query.mismatch(problem, comparison.position, hint) from None

    def _membership(self, condition: Membership) -> Any:
        values = spread(self.values(condition.operand), len(self._rows))
        try:
            return is_one_of(values, condition.values)
        except MismatchError:
            problem = f"{values.kinds.capitalize()} cannot be among these.".replace("  ", " ")
            raise self._query.mismatch(problem, condition.position) from None

    def _containment(self, condition: Containment) -> Any:
        values = self.values(condition.operand)
        try:
            return contains(values, condition.item)
        except MismatchError:
            problem = f"This is {values.kinds}, and has nothing in it."
            raise self._query.mismatch(problem, condition.operand.position) from None

    def _likeness(self, condition: Likeness) -> Any:
        values = self.values(condition.operand)
        try:
            return is_like(values, condition.pattern, ignore_case=condition.ignore_case)
        except MismatchError:
            problem = f"Only a text can be like something; this is {values.kinds}."
            raise self._query.mismatch(problem, condition.position) from None

    def _absence(self, condition: Absence) -> Any:
        values = self.values(condition.operand)
        if not condition.nan:
            return pc.invert(values.present)
        number = values.pieces.get(Kind.NUMBER)
        if number is None:
            return pa.scalar(None, pa.bool_())
        return pc.is_nan(number)

    def _truth(self, condition: Truth) -> Any:
        operand = condition.operand
        values = self.values(operand)
        if Kind.TRUTH in values.pieces or not values.pieces:
            return values.pieces.get(Kind.TRUTH, pa.scalar(None, pa.bool_()))
        shown = operand.value if isinstance(operand, Literal) else operand
        problem = f"This is {values.kinds}, and neither true nor false."
        hint = f"Compare it, as in `{shown} = 1`." if isinstance(operand, Name) else ""
        raise self._query.mismatch(problem, condition.position, hint)
