from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store.errors import CorruptFileError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import STORE_VARIABLE, create_store
from modelkb_viewer import visitors
from modelkb_viewer.tokens import TOKEN_REQUIRED_VARIABLE, Scope, Tokens
from modelkb_viewer.visitors import InvalidTokenError, ProjectTokenError, Visitor, Visitors


@pytest.fixture
def tokens(store: Path, monkeypatch: pytest.MonkeyPatch) -> Tokens:
    """The tokens of the store that is shown; there are none yet."""
    files = LocalFiles(store)
    create_store(files)
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    return Tokens(files)


@pytest.mark.parametrize(
    ("scope", "may_edit"), [(Scope.READ, False), (Scope.WRITE, True), (Scope.ADMIN, True)]
)
def test_a_token_signs_in(tokens: Tokens, scope: Scope, may_edit: bool) -> None:
    token, text = tokens.create("ada", scope)
    kept = Visitors()

    session = kept.sign_in(text)

    visitor = kept.find(session)
    assert visitor == Visitor(scope, session, token)
    assert (visitor.token_id, visitor.token_name) == (token.token_id, "ada")
    assert visitor.may_edit is may_edit
    assert not kept.has_ended(session)
    assert text not in session
    assert kept.sign_in(text) != session
    # Another server knows nothing of it.
    assert Visitors().find(session) is None


def test_a_session_ends_with_its_token(tokens: Tokens) -> None:
    token, text = tokens.create("ada", Scope.ADMIN)
    tokens.create("bob", Scope.ADMIN)
    kept = Visitors()
    session = kept.sign_in(text)

    tokens.revoke(token.token_id)

    assert kept.find(session) is None
    assert kept.has_ended(session)
    with pytest.raises(InvalidTokenError, match=r"^This token is not valid"):
        kept.sign_in(text)


def test_a_session_ends_when_it_is_ended(tokens: Tokens) -> None:
    token, text = tokens.create("ada", Scope.ADMIN)
    kept = Visitors()
    session, other = kept.sign_in(text), kept.sign_in(text)

    kept.sign_out(session)
    kept.sign_out(session)

    assert kept.find(session) is None
    assert kept.has_ended(session)
    assert kept.find(other) == Visitor(Scope.ADMIN, other, token)


def test_a_session_ends_after_a_week(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = tokens.create("ada", Scope.ADMIN)
    kept = Visitors()
    monkeypatch.setattr(visitors, "SECONDS_SIGNED_IN", -1)

    session = kept.sign_in(text)

    assert kept.find(session) is None


def test_sessions_are_bounded(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = tokens.create("ada", Scope.ADMIN)
    monkeypatch.setattr(visitors, "_MOST_SESSIONS", 2)
    kept = Visitors()

    oldest, *newer = [kept.sign_in(text) for _ in range(3)]

    assert kept.find(oldest) is None
    assert None not in [kept.find(each) for each in newer]


def test_a_token_for_one_project_is_refused(tokens: Tokens) -> None:
    _, text = tokens.create("ada", Scope.ADMIN, "digits")

    with pytest.raises(ProjectTokenError, match="the project 'digits' alone"):
        Visitors().sign_in(text)


def test_without_tokens_anybody_is_let_in(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Visitors()
    for session in (None, "", "x"):
        assert kept.find(session) == Visitor(Scope.ADMIN)

    monkeypatch.setenv(TOKEN_REQUIRED_VARIABLE, "1")

    assert kept.find(None) is None
    monkeypatch.delenv(TOKEN_REQUIRED_VARIABLE)
    tokens.create("ada", Scope.READ)
    assert Visitors().find(None) is None


def test_a_first_token_is_noticed(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "_SECONDS_WITHOUT_TOKENS", 0.0)
    kept = Visitors()
    assert kept.find(None) is not None

    tokens.create("ada", Scope.READ)

    assert kept.find(None) is None


@pytest.mark.parametrize("place", ["none", "https://lab.example"])
def test_a_place_without_tokens_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, place if "://" in place else str(tmp_path / place))

    assert Visitors().find("x") == Visitor(Scope.ADMIN)
    with pytest.raises(InvalidTokenError):
        Visitors().sign_in(f"mkb_0123456789_{'a' * 43}")
    monkeypatch.setenv(TOKEN_REQUIRED_VARIABLE, "1")
    assert Visitors().find("x") is None


def test_a_session_is_for_one_store(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = tokens.create("ada", Scope.ADMIN)
    kept = Visitors()
    session = kept.sign_in(text)
    other = LocalFiles(tmp_path / "other")
    create_store(other)
    Tokens(other).create("bob", Scope.READ)

    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "other"))

    assert kept.find(session) is None


def test_a_damaged_token_lets_nobody_in(tokens: Tokens, store: Path) -> None:
    token, text = tokens.create("ada", Scope.ADMIN)
    kept = Visitors()
    session = kept.sign_in(text)

    (store / "tokens" / f"{token.token_id}.json").write_text("{")

    with pytest.raises(CorruptFileError):
        kept.find(session)
    assert kept.find(None) is None
