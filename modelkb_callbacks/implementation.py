"""The code behind a run: what made its data, its classes, and the state of its repository."""

from __future__ import annotations

import dataclasses
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.git_state import GitState, git_state
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.slicing import slice_data, source_of
from modelkb_callbacks.user_objects import user_objects
from modelkb_callbacks.user_source import UserSource
from modelkb_store.ids import content_id
from modelkb_store.records import ImplementationRecord


def describe_implementation(
    model: Any, call: FitCall, source: UserSource, guard: Guard
) -> ImplementationRecord:
    """Describe the code behind a run; each part that fails leaves the others.

    Args:
        model: The Keras model.
        call: The arguments of ``fit``, as far as they are known.
        source: The user's source that runs.
        guard: Runs each step.
    """
    data_slice = guard.run("find what makes the data", lambda: slice_data(source.frames))
    definitions = guard.run(
        "find the source of the model's classes", lambda: source_of(user_objects(model, call))
    )
    git = guard.run("read the state of the repository", lambda: git_state(_script_path()))
    for problem in (*(data_slice.problems if data_slice else ()),):
        guard.add_problem(f"data slice: {problem}")
    for problem in definitions.problems if definitions else ():
        guard.add_problem(f"definitions: {problem}")
    return _with_id(
        ImplementationRecord(
            implementation_id="",
            created_at=datetime.now(timezone.utc),
            script=_script_name(),
            model_class=_qualified_name(type(model)),
            data_slice=data_slice.text if data_slice else None,
            definitions=(definitions.text or None) if definitions else None,
            source_warnings=guard.run("scan the source", source.warning_texts) or (),
            **_git_columns(git),
        )
    )
