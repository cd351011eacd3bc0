from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelkb_store.files.local_files import LocalFiles
from modelkb_viewer.tokens import Scope, Tokens

Run = Callable[..., Any]


def test_a_token_is_made_listed_and_revoked(
    modelkb: Run, recorded_experiment: Any, store: Path
) -> None:
    made = modelkb("token", "create", "laptop", "--scope", "write", "--store", str(store))
    token = Tokens(LocalFiles(store)).verified(made.output.strip())
    assert token is not None
    assert token.scope is Scope.WRITE
    listed = modelkb("token", "list", "--store", str(store))
    assert token.token_id in listed.output
    assert made.output.strip() not in listed.output
    assert modelkb("token", "revoke", token.token_id, "--store", str(store)).exit_code == 0
    assert "no tokens" in modelkb("token", "list", "--store", str(store)).output


def test_the_first_token_makes_the_store(modelkb: Run, tmp_path: Path) -> None:
    """Its server is refused without a token where others reach it, and would be all there is."""
    place = str(tmp_path / "new" / "modelkb")
    assert modelkb("token", "list", "--store", place).exit_code == 1
    made = modelkb("token", "create", "gpu-box", "--scope", "write", "--store", place)
    assert (made.exit_code, made.errors.count("Keep it now")) == (0, 1)
    assert "gpu-box" in modelkb("token", "list", "--store", place).output


def test_programs_read_json(modelkb: Run, recorded_experiment: Any, store: Path) -> None:
    line = ("--project", "digits", "--json", "--store", str(store))
    made = modelkb("token", "create", "ci", *line).json
    assert (made["scope"], made["project"]) == ("read", "digits")
    (listed,) = modelkb("token", "list", "--json", "--store", str(store)).json
    assert listed == {name: value for name, value in made.items() if name != "token"}


def test_an_unknown_one_is_said(modelkb: Run, recorded_experiment: Any, store: Path) -> None:
    ended = modelkb("token", "revoke", "0000000000", "--store", str(store))
    assert ended.exit_code == 1
    assert "modelkb token list" in ended.errors


def test_several_are_revoked_at_once(modelkb: Run, recorded_experiment: Any) -> None:
    ids = [modelkb("token", "create", name, "--json").json["token_id"] for name in "ab"]
    assert modelkb("token", "revoke", *ids, "--json").json == {"revoked": ids}
    assert modelkb("token", "list", "--json").json == []


def test_tokens_are_governed_where_the_store_is(modelkb: Run) -> None:
    ended = modelkb("token", "list", "--store", "http://127.0.0.1:9")
    assert ended.exit_code == 1
    assert "the machine that has the store" in ended.errors
