from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_store import InvalidSettingError
from modelkb_store.errors import CorruptFileError
from modelkb_store.files.local_files import LocalFiles
from modelkb_viewer.tokens import Scope, TokenNotFoundError, Tokens


@pytest.fixture
def tokens(store: Path) -> Tokens:
    return Tokens(LocalFiles(store))


def test_a_token_is_known_by_its_text(tokens: Tokens) -> None:
    token, text = tokens.create("laptop", Scope.WRITE, "digits")
    assert tokens.verified(text) == token
    assert (token.name, token.scope, token.project) == ("laptop", Scope.WRITE, "digits")


def test_its_text_is_nowhere_in_the_store(tokens: Tokens, store: Path) -> None:
    _, text = tokens.create("laptop", Scope.READ)
    secret = text.rpartition("_")[2].encode()
    contents = [path.read_bytes() for path in store.rglob("*") if path.is_file()]
    assert contents
    assert not any(secret in content for content in contents)


@given(st.text())
def test_another_text_is_none(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    assert Tokens(LocalFiles(tmp_path_factory.getbasetemp())).verified(text) is None


def test_a_changed_text_is_none(tokens: Tokens) -> None:
    _, text = tokens.create("laptop", Scope.READ)
    other = "A" if text[-1] != "A" else "B"
    assert tokens.verified(text[:-1] + other) is None
    assert tokens.verified(text + "A") is None
    assert tokens.verified(f"mkb_{'0' * 10}_{text[-43:]}") is None


def test_a_revoked_token_is_worth_nothing(tokens: Tokens) -> None:
    token, text = tokens.create("laptop", Scope.READ)
    tokens.revoke(token.token_id)
    assert tokens.verified(text) is None
    assert not tokens.exist()
    with pytest.raises(TokenNotFoundError, match=token.token_id):
        tokens.revoke(token.token_id)


def test_they_are_listed_oldest_first(tokens: Tokens) -> None:
    made = [tokens.create(name, Scope.ADMIN)[0] for name in "abc"]
    assert tokens.all() == made


def test_a_scope_includes_what_comes_before_it() -> None:
    assert Scope.ADMIN.includes(Scope.READ)
    assert Scope.WRITE.includes(Scope.WRITE)
    assert not Scope.READ.includes(Scope.WRITE)


@pytest.mark.parametrize("name", ["", "x" * 201])
def test_a_name_has_a_length(tokens: Tokens, name: str) -> None:
    with pytest.raises(InvalidSettingError, match="name"):
        tokens.create(name, Scope.READ)


def test_a_damaged_token_is_said_and_lets_nobody_in(tokens: Tokens, store: Path) -> None:
    token, text = tokens.create("laptop", Scope.READ)
    (store / "tokens" / f"{token.token_id}.json").write_text("{}")
    with pytest.raises(CorruptFileError, match=token.token_id):
        tokens.verified(text)
