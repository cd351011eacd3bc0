"""From the text of a query to its tree."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from modelkb_store.errors import QuerySyntaxError
from modelkb_store.queries.grammar import GRAMMAR, SYMBOLS
from modelkb_store.queries.query_size import first_too_many
from modelkb_store.queries.syntax import Condition, OrderKey
from modelkb_store.queries.tree_builder import TreeBuilder, TreeError

if TYPE_CHECKING:
    import lark


def parse_condition(text: str) -> Condition:
    """Parse a condition, as after ``where``.

    Raises:
        QuerySyntaxError: It is none, is nested too deeply, or asks for too much.

    Example:
        >>> parse_condition("params.lr < 0.01").operator
        '<'
    """
    condition: Condition = _parsed(text, "query")
    return condition


def parse_ordering(text: str) -> tuple[OrderKey, ...]:
    """Parse what to sort by, such as ``-metrics.val_accuracy, name``.

    Raises:
        QuerySyntaxError: It is none.
    """
    keys: tuple[OrderKey, ...] = _parsed(text, "ordering")
    return keys


def _parsed(text: str, start: str) -> Any:
    import lark

    try:
        tree = _parser().parse(text, start=start)
    except TreeError as error:
        raise QuerySyntaxError(text, error.position, error.problem, ()) from None
    except lark.exceptions.UnexpectedCharacters as error:
        position = error.pos_in_stream or 0
        found = f"{text[position]!r} has no meaning here"
        if text[position] in "'\"`":
            found = f"the text that begins with {text[position]} has no end"
        raise QuerySyntaxError(text, position, found, _spoken(error.allowed)) from None
    except lark.exceptions.UnexpectedToken as error:
        at_end = error.token.type == "$END"
        position = len(text) if at_end else int(error.token.start_pos or 0)
        found = (
            "it ends too early" if at_end else f"{_short(str(error.token))!r} has no meaning here"
        )
        expected = _spoken(error.accepts or error.expected)
        raise QuerySyntaxError(text, position, found, expected) from None
    too_many = first_too_many(tree)
    if too_many is not None:
        raise QuerySyntaxError(text, too_many[1], f"it has more than {too_many[0]}", ())
    return tree


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}.."


def _spoken(symbols: Collection[str] | None) -> set[str]:
    return {SYMBOLS.get(symbol, symbol) for symbol in symbols or ()}


@functools.lru_cache(maxsize=1)
def _parser() -> lark.Lark:
    import lark  # inside: no training needs it

    return lark.Lark(
        GRAMMAR,
        parser="lalr",
        start=["query", "ordering"],
        maybe_placeholders=True,
        # The tree is built while it parses: no walk over it, and so no recursion.
        transformer=TreeBuilder(),  # any object with its methods will do
    )
