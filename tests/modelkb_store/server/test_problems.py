from __future__ import annotations

import pytest

from modelkb_store.errors import (
    CorruptFileError,
    ExperimentNotFoundError,
    ModelKBError,
    QuerySyntaxError,
    ServerRefusedError,
    StoreNotFoundError,
    StoreUnreachableError,
    TokenError,
)
from modelkb_store.server.problems import error_of, facts_of, problem_type

ERRORS = [
    ExperimentNotFoundError("abc", ["abd"]),
    StoreNotFoundError("/srv/kb"),
    QuerySyntaxError("a = = b", 4, "found '='", ["a number"]),
    CorruptFileError("a/b.parquet", "why"),
    StoreUnreachableError("s3://a", "away"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_arrives_as_it_was(error: ModelKBError) -> None:
    problem = {
        "type": problem_type(type(error)),
        "detail": str(error),
        "facts": facts_of(error),
    }
    found = error_of("https://lab", 400, problem)
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert vars(found) == vars(error)


def test_names_of_problems() -> None:
    assert problem_type(ExperimentNotFoundError) == "/problems/experiment-not-found"
    assert problem_type(StoreNotFoundError) == "/problems/store-not-found"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, TokenError),
        (403, TokenError),
        (422, ServerRefusedError),
        (429, StoreUnreachableError),
        (500, StoreUnreachableError),
    ],
)
def test_what_has_no_name_goes_by_its_status(status: int, kind: type[ModelKBError]) -> None:
    problem = {"type": "about:blank", "detail": "Because of this."}
    error = error_of("https://lab", status, problem)
    assert type(error) is kind
    assert "https://lab" in str(error)
    assert "Because of this." in str(error)
    assert type(error_of("https://lab", status, {})) is kind
