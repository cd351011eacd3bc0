from __future__ import annotations

import json
import random
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from modelkb_store.ids import canonical_json, content_id, is_experiment_id, new_experiment_id

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(9998, 1, 1), timezones=st.just(timezone.utc))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(TEXTS, values, max_size=4),
    max_leaves=12,
)


def with_keys_reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: with_keys_reversed(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [with_keys_reversed(item) for item in value]
    return value


def test_an_experiment_id_tells_its_time() -> None:
    now = datetime(2026, 11, 23, 14, 22, 33, 512999, tzinfo=timezone.utc)

    assert new_experiment_id(now).startswith("20261123-142233512-")


@given(MOMENTS)
def test_an_experiment_id_is_legal_everywhere(now: datetime) -> None:
    assert re.fullmatch(r"\d{8}-\d{9}-[0-9a-f]{10}", new_experiment_id(now))


@given(MOMENTS, st.timedeltas(timedelta(milliseconds=1), timedelta(days=300)))
def test_later_experiments_sort_later(now: datetime, later: timedelta) -> None:
    assert new_experiment_id(now) < new_experiment_id(now + later)


def test_experiments_of_the_same_instant_differ() -> None:
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)

    assert len({new_experiment_id(now) for _ in range(5000)}) == 5000


def test_an_experiment_id_leaves_random_numbers_alone() -> None:
    before = random.getstate()

    new_experiment_id(datetime.now(timezone.utc))

    assert random.getstate() == before


@given(JSON_VALUES)
def test_the_order_of_keys_does_not_matter(value: Any) -> None:
    other = with_keys_reversed(value)

    assert canonical_json(value) == canonical_json(other)
    assert content_id(value) == content_id(other)


@given(JSON_VALUES)
def test_canonical_json_holds_the_value(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(JSON_VALUES, JSON_VALUES)
def test_different_values_have_different_ids(one: Any, other: Any) -> None:
    assume(one != other)

    assert content_id(one) != content_id(other)


def test_the_order_of_a_list_matters() -> None:
    assert content_id([1, 2]) != content_id([2, 1])


def test_a_content_id_stays_as_it_is() -> None:
    # From `printf '{"a":1,"b":[true,null,"é"]}' | sha256sum`: ids are part of the format.
    assert content_id({"b": [True, None, "é"], "a": 1}) == "9488dd13ca33d3291f5a91a1833dfa16"


@given(MOMENTS)
def test_an_id_of_an_experiment_is_known_by_its_form(moment: datetime) -> None:
    made = new_experiment_id(moment)
    assert is_experiment_id(made)
    assert not any(map(is_experiment_id, ("", made[:-1], made + "0", made.upper() + "\n", "x")))
