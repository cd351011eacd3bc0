"""The row of an experiment as it begins."""

from __future__ import annotations

import getpass
import os
import platform
from datetime import datetime, timezone

import keras
import pytest

from modelkb_callbacks.new_experiment import new_experiment
from modelkb_callbacks.settings import Settings
from modelkb_store._version import __version__


def test_what_is_known_of_the_process_and_the_machine() -> None:
    before = datetime.now(timezone.utc)
    record = new_experiment(Settings(owner="ada"), None, 7)
    assert before <= record.started_at <= datetime.now(timezone.utc)
    assert (record.status, record.owner, record.seed) == ("running", "ada", 7)
    assert (record.host, record.process_id) == (platform.node(), os.getpid())
    assert record.modelkb_version == __version__
    assert record.command_line
    assert (record.ended_at, record.epochs_planned, record.problems) == (None, None, ())


def test_each_has_an_id_that_sorts_by_time() -> None:
    ids = [new_experiment(Settings(), None, None).experiment_id for _ in range(50)]
    assert len(set(ids)) == 50
    assert [each[:18] for each in ids] == sorted(each[:18] for each in ids)


def test_the_name_is_the_users_or_the_models_with_an_end_of_its_own() -> None:
    model = keras.Sequential(name="digits")
    assert new_experiment(Settings(name="mine"), model, None).name == "mine"
    record = new_experiment(Settings(), model, None)
    assert record.name == f"digits-{record.experiment_id[-10:]}"
    assert new_experiment(Settings(), None, None).name.startswith("experiment-")
    assert new_experiment(Settings(), object(), None).name.startswith("object-")


def test_tags_and_notes_are_as_given() -> None:
    record = new_experiment(Settings(tags=["a", "b"], notes="try it"), None, None)
    assert (record.tags, record.notes) == (("a", "b"), "try it")
    nothing = new_experiment(Settings(tags=None, notes=None), None, None)
    assert (nothing.tags, nothing.notes) == ((), "")


@pytest.mark.parametrize("error", [OSError, KeyError])
def test_a_user_without_a_name(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise error("uid 1234")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert new_experiment(Settings(), None, None).owner == "unknown"


def test_the_run_that_it_does_again_is_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert new_experiment(Settings(), None, None).reproduces_experiment_id is None
    first = new_experiment(Settings(), None, None).experiment_id
    monkeypatch.setenv("MODELKB_REPRODUCES", first)
    assert new_experiment(Settings(), None, None).reproduces_experiment_id == first


@pytest.mark.parametrize("text", ["", "digits", "20261123-142233512-9f1c2b7a4", "../\udc80"])
def test_what_is_no_id_is_passed_over(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELKB_REPRODUCES", text)
    assert new_experiment(Settings(), None, None).reproduces_experiment_id is None
