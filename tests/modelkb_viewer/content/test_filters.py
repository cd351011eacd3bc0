from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_store import Store
from modelkb_store.queries.parser import parse_condition
from modelkb_store.queries.syntax import Comparison, Conjunction, ListLiteral, Literal, Name
from modelkb_viewer.content.filters import (
    Value,
    both,
    can_be_named,
    can_be_written,
    equal_to,
    has_any_tag,
    has_text,
    in_days,
    in_range,
    one_of,
    written_name,
)
from sweep import record_sweep

SCALARS = st.one_of(
    st.text(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
)
PARTS = st.text(min_size=1).filter(lambda text: not set(text) & set("`.\n"))


@given(name=PARTS, value=st.one_of(SCALARS, st.lists(SCALARS)))
def test_any_name_and_value_can_be_written(name: str, value: Value) -> None:
    column = f"params.{name}"
    assert can_be_named(column)
    assert can_be_written(value)

    parsed = parse_condition(equal_to(column, value))

    assert isinstance(parsed, Comparison)
    assert isinstance(parsed.left, Name)
    assert parsed.left.parts == ("params", name)
    if isinstance(value, list):
        assert isinstance(parsed.right, ListLiteral)
        assert [item.value for item in parsed.right.items] == value
    else:
        assert isinstance(parsed.right, Literal)
        assert parsed.right.value == value


def test_what_cannot_be_written() -> None:
    assert not can_be_named("params.a`b")
    assert not can_be_named("params.a..b")
    assert not can_be_written(float("nan"))
    assert not can_be_written({"a": 1})
    assert not can_be_written([[1]])


def test_words_of_the_language_are_names_in_backticks() -> None:
    assert written_name("params.in") == "params.`in`"
    parse_condition(f"{written_name('params.not')} = 1")


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        (one_of("params.optimizer", ["adam", "sgd"]), [0, 1, 3, 4]),
        (one_of("params.optimizer", ["adam"]), [0, 3]),
        (in_range("params.learning_rate", 0.002, 0.004), [1, 2, 3]),
        (in_range("params.learning_rate", None, 0.002), [0, 1]),
        (in_range("params.learning_rate", 0.005, None), [4, 5]),
        (has_text("params.optimizer", "RMS"), [2, 5]),
        (has_any_tag(["baseline", "it's"]), [0]),
        (in_days("started_at", date(2026, 1, 2), date(2026, 1, 2)), [0, 1, 2, 3, 4, 5]),
        (in_days("started_at", date(2026, 1, 3), date(2026, 1, 4)), []),
        (equal_to("params.batch_size", None), []),
    ],
)
def test_conditions_find_what_they_say(sweep: Store, condition: str, numbers: list[int]) -> None:
    ids = sweep.experiment_ids("sweep")

    assert sweep.experiment_ids("sweep", where=condition) == [ids[number] for number in numbers]


def test_lists_are_compared_one_by_one() -> None:
    assert one_of("params.x", [1, [2, "a"]]) == "(params.x = 1 or params.x = [2, 'a'])"


def test_one_more_condition(sweep: Store) -> None:
    loose = "params.optimizer = 'sgd' or params.optimizer = 'adam'"
    query = both(both("", loose), "params.batch_size = 16")

    assert query == f"({loose}) and params.batch_size = 16"
    assert isinstance(parse_condition(both(query, "seed = 0")), Conjunction)
    assert len(sweep.experiment_ids(where=query)) == 2
    assert both("what is", "seed = 0") == "what is and seed = 0"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("sweep") / "store"
    record_sweep(root, count=6)
    return Store(root)
