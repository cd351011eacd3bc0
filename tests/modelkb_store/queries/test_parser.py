from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_store.errors import ModelKBError, QuerySyntaxError
from modelkb_store.queries import parse_condition, parse_ordering
from modelkb_store.queries.syntax import (
    Arrow,
    Call,
    Comparison,
    Conjunction,
    Disjunction,
    LayerChain,
    Literal,
    Membership,
    Name,
    Negation,
    Now,
)


def test_and_binds_tighter_than_or_and_not_tightest() -> None:
    parsed = parse_condition("a = 1 or not b = 2 and c = 3")

    assert isinstance(parsed, Disjunction)
    _, both = parsed.conditions
    assert isinstance(both, Conjunction)
    assert isinstance(both.conditions[0], Negation)


def test_parentheses_come_first() -> None:
    parsed = parse_condition("not (a = 1 or b = 2) AND c = 3")

    assert isinstance(parsed, Conjunction)
    assert isinstance(parsed.conditions[0], Negation)
    assert isinstance(parsed.conditions[0].condition, Disjunction)


@pytest.mark.parametrize(
    ("written", "operator"),
    [("=", "="), ("==", "="), ("!=", "!="), ("<>", "!="), ("<", "<"), ("<=", "<="), (">=", ">=")],
)
def test_operators(written: str, operator: str) -> None:
    parsed = parse_condition(f"a{written}-1e-3")

    assert parsed == Comparison(
        Name(("a",), None, 0), operator, Literal(-0.001, 1 + len(written)), 0
    )


def test_comparisons_in_a_row() -> None:
    parsed = parse_condition("0 < a <= 1")

    assert isinstance(parsed, Conjunction)
    assert [str(part.operator) for part in parsed.conditions] == ["<", "<="]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("1.", 1.0),
        (".5", 0.5),
        ("1E+2", 100.0),
        ("'it''s'", "it's"),
        ('"say ""so"""', 'say "so"'),
        (r"'C:\new'", r"C:\new"),
        ("TRUE", True),
        ("False", False),
        (str(1 << 64), 1 << 64),
        ("9" * 60, float("9" * 60)),
        ("1e999", float("inf")),
    ],
)
def test_values(written: str, value: object) -> None:
    parsed = parse_condition(f"a = {written}")

    assert isinstance(parsed, Comparison)
    assert isinstance(parsed.right, Literal)
    assert parsed.right.value == value
    assert type(parsed.right.value) is type(value)


@pytest.mark.parametrize(
    ("written", "parts", "epoch"),
    [
        ("params.optimizer.momentum", ("params", "optimizer", "momentum"), None),
        ("params.`my name`", ("params", "my name"), None),
        ("params.`a.b`.c", ("params", "a.b", "c"), None),
        ("metrics.val_loss.best", ("metrics", "val_loss", "best"), None),
        ("metrics.loss@3", ("metrics", "loss"), 3),
        ("metrics.`my loss` @ 12", ("metrics", "my loss"), 12),
        ("params.in", ("params", "in"), None),
        ("android", ("android",), None),
        ("params.größe", ("params", "größe"), None),
        ("now", ("now",), None),
        ("count", ("count",), None),
    ],
)
def test_names(written: str, parts: tuple[str, ...], epoch: int | None) -> None:
    parsed = parse_condition(f"{written} > 1")

    assert isinstance(parsed, Comparison)
    assert parsed.left == Name(parts, epoch, 0)


@pytest.mark.parametrize("written", ["a in (1, 2)", "a in [1, 2]", "a in (1, 2,)"])
def test_lists_in_either_bracket(written: str) -> None:
    parsed = parse_condition(written)

    assert isinstance(parsed, Membership)
    assert [item.value for item in parsed.values.items] == [1, 2]


def test_times_from_now() -> None:
    parsed = parse_condition("started_at > now() - 1.5 days and ended_at < now()")

    assert isinstance(parsed, Conjunction)
    offsets = [part.right.offset for part in parsed.conditions if isinstance(part.right, Now)]
    assert offsets == [timedelta(days=-1.5), timedelta()]


def test_chains_of_layers() -> None:
    parsed = parse_condition("has((Conv2D | Dense(units=3)) -> * ->> any(name='x') ... Dense)")

    assert isinstance(parsed, LayerChain)
    assert parsed.arrows == (Arrow.DIRECTLY, Arrow.LATER, Arrow.LATER)
    names = [[layer.class_name for layer in p.alternatives] for p in parsed.patterns]
    assert names == [["Conv2D", "Dense"], [None], [None], ["Dense"]]


def test_calls() -> None:
    parsed = parse_condition("differs('ID', only=('optimizer', 'epochs'))")

    assert isinstance(parsed, Call)
    assert [item.value for item in parsed.arguments] == ["ID"]
    assert [(k, [v.value for v in items]) for k, items in parsed.keywords] == [
        ("only", ["optimizer", "epochs"])
    ]


@pytest.mark.parametrize(
    ("text", "descending"),
    [("a", [False]), ("-a", [True]), ("a desc, b ASC", [True, False]), ("-a desc", [False])],
)
def test_orderings(text: str, descending: list[bool]) -> None:
    assert [key.descending for key in parse_ordering(text)] == descending


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 0, "it ends too early"),
        ("a =", 3, "a number"),
        ("a = 1 b = 2", 6, "`and`"),
        ("a = 'x", 4, "has no end"),
        ("a ? 1", 2, "'?' has no meaning here"),
        ("(a = 1", 6, "`)`"),
        ("a in ()", 6, "a number"),
        ("a = null", 4, "is null"),
        ("a between 1", 11, "`and`"),
        ("has()", 4, "`*`"),
        ("has(Dense ->)", 12, "a name"),
        ("x in tags", 0, "only a value"),
        ("a > now() - 1e300 days", 12, "out of reach"),
    ],
)
def test_what_is_wrong_and_where(text: str, position: int, said: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse_condition(text)

    assert caught.value.position == position
    assert said in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_caret_is_under_the_place_in_its_line() -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse_condition("a = 1\n  and b ! 2\nand c = 3")

    _, line, caret, *_ = str(caught.value).splitlines()
    assert line == "    and b ! 2"
    assert caret.index("^") == line.index("!")


@pytest.mark.parametrize(
    "text",
    [
        "not " * 5000 + "a",
        "(not " * 5000 + "a" + ")" * 5000,
        "has(Dense(not (" + "not (" * 5000 + "a" + ")" * 5002,
        "".join(f"a={n} and (b={n} or (" for n in range(3000)) + "c" + "))" * 3000,
    ],
)
def test_deep_nesting_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(QuerySyntaxError, match="levels deep"):
        parse_condition(text)


def test_brackets_alone_nest_as_deep_as_one_likes() -> None:
    assert parse_condition("(" * 5000 + "a = 1" + ")" * 5000) == Comparison(
        Name(("a",), None, 5000), "=", Literal(1, 5004), 5000
    )


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "'" + "a" * 100_000,
        "`" + "a" * 100_000,
        "1" * 100_000,
        "a = " + "1" * 100_000,
        "a.b" * 33_000,
        "." * 100_000,
        "((((" * 25_000,
        "not " * 25_000,
        " " * 100_000 + "!",
        "a = 1 and " * 10_000 + "a = 1",
        "a in (" + "1," * 50_000 + ")",
        "a = '" + "''" * 50_000,
        "has(" + "* -> " * 20_000 + "*)",
        "\n" * 100_000 + "a = 1",
    ],
)
def test_long_texts_end_quickly(text: str) -> None:
    started = time.monotonic()
    try:
        parse_condition(text)
    except QuerySyntaxError as error:
        assert len(str(error)) < 1000  # noqa: PT017
    assert time.monotonic() - started < 10


@given(st.text(st.sampled_from("ab.`'\"()[]<>=!@-,|*1 \nnotandrihs"), max_size=40) | st.text())
def test_any_text_is_a_condition_or_an_error_of_ours(text: str) -> None:
    for parse in (parse_condition, parse_ordering):
        try:
            parse(text)
        except ModelKBError as error:
            assert isinstance(error, QuerySyntaxError)  # noqa: PT017
