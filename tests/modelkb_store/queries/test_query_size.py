from __future__ import annotations

import pytest

from modelkb_store.errors import QuerySyntaxError
from modelkb_store.queries.parser import parse_condition
from modelkb_store.queries.query_size import MOST_CONDITIONS, MOST_COSTLY


@pytest.mark.parametrize(
    ("part", "joint", "most"),
    [
        ("a = 1", " or ", MOST_CONDITIONS),
        ("a is null", " and ", MOST_CONDITIONS),
        ("a", " or ", MOST_CONDITIONS),
        ("has(Dense)", " or ", MOST_COSTLY),
        ("count(Dense) > 1", " or ", MOST_COSTLY),
        ("same_data('x')", " or ", MOST_COSTLY),
        ("metrics.loss@1 > 1", " or ", MOST_COSTLY),
    ],
)
def test_a_query_asks_for_so_much(part: str, joint: str, most: int) -> None:
    parse_condition(joint.join([part] * most))

    with pytest.raises(QuerySyntaxError, match="more than") as caught:
        parse_condition(joint.join([part] * (most + 1)))

    start = len(f"{part}{joint}") * most
    assert start <= caught.value.position < start + len(part)


def test_a_chain_has_so_many_layers() -> None:
    with pytest.raises(QuerySyntaxError, match="more than 100 layers"):
        parse_condition(f"has({' -> '.join(['*'] * 101)})")


def test_lists_may_be_long() -> None:
    parse_condition(f"a in ({', '.join(map(str, range(10_000)))})")
