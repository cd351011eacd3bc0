from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from modelkb_store.codegen import ModelDescription, generate_code, target, target_names
from modelkb_store.errors import InvalidSettingError

DESCRIPTION = ModelDescription({"class_name": "Sequential", "config": {"name": "a"}}, "a test")


def shout(description: ModelDescription, *, loud: bool = False) -> str:
    """A target as another package would bring it."""
    return f"{description.model_config['class_name']}{'!' if loud else ''}"


def test_targets_that_come_with_modelkb() -> None:
    assert {"keras", "torch"} <= set(target_names())


def test_a_target_of_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    class Found(EntryPoint):
        def load(self) -> Any:
            return shout

    found = Found("shout", "another_package:shout", target.GROUP)
    monkeypatch.setattr(target, "entry_points", lambda group: [found])
    assert target_names() == ["shout"]
    assert generate_code(DESCRIPTION, "shout") == "Sequential"
    assert generate_code(DESCRIPTION, "shout", {"loud": True}) == "Sequential!"


def test_an_unknown_target_is_named_with_those_there_are() -> None:
    with pytest.raises(InvalidSettingError, match="keras, torch"):
        generate_code(DESCRIPTION, "cobol")
