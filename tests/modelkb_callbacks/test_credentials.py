"""Secrets are recognised, and common settings are not taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_callbacks.credentials import looks_like_credential
from modelkb_callbacks.environment import RECORDED_VARIABLES, recorded_variables


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "DB_PASSWORD",
        "db_passwd",
        "GITHUB_TOKEN",
        "OPENAI_API_KEY",
        "apikey",
        "HF_TOKEN",
        "auth",
        "session_cookie",
        "PRIVATE_KEY_PATH",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert looks_like_credential(name)


@pytest.mark.parametrize(
    "name", ["learning_rate", "OMP_NUM_THREADS", "tokenizer", "monitor", "keyword", "passes"]
)
def test_names_of_settings(name: str) -> None:
    assert not looks_like_credential(name, "0.1")


@pytest.mark.parametrize(
    "value",
    [
        "https://ada:hunter2@example.org/data",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "hf_abcdefghijklmnopqrstuv",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
        "-----BEGIN RSA PRIVATE KEY-----",
        "--flag password=hunter2",
    ],
)
def test_values_of_secrets(value: str) -> None:
    assert looks_like_credential("XLA_FLAGS", value)


@given(st.text(), st.text())
def test_variables_that_are_not_on_the_list_are_never_recorded(name: str, value: str) -> None:
    kept = recorded_variables({name: value, "OMP_NUM_THREADS": "2"})
    assert {item.name for item in kept} <= {*RECORDED_VARIABLES}
    assert [item.value for item in kept if item.name == "OMP_NUM_THREADS"] == ["2"]


def test_a_secret_in_a_recorded_variable_is_left_out() -> None:
    assert recorded_variables({"XLA_FLAGS": "--x=https://ada:pw@example.org"}) == ()


def test_no_name_on_the_list_is_a_secrets() -> None:
    assert not [name for name in RECORDED_VARIABLES if looks_like_credential(name)]
