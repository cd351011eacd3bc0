"""The code behind a run: what made its data, its classes, and the state of its repository."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from modelkb_callbacks.credentials import looks_like_credential
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.process.git_state import git_state
from modelkb_callbacks.slicing import (
    DataSlice,
    Definitions,
    environment_reads,
    slice_block,
    slice_data,
    source_of,
)
from modelkb_callbacks.user_objects import user_objects
from modelkb_callbacks.user_source import UserSource
from modelkb_store.ids import content_id
from modelkb_store.records import ImplementationRecord


def describe_implementation(
    model: Any, call: FitCall | None, source: UserSource, guard: Guard
) -> ImplementationRecord:
    """Describe the code behind a run; each part that fails leaves the others.

    Args:
        model: The Keras model.
        call: The arguments of ``fit``, as far as they are known; None where a block begins
            without one.
        source: The user's source that runs.
        guard: Runs each step.
    """
    find = slice_block if call is None else slice_data
    data_slice = guard.run("find what makes the data", lambda: find(source.frames))
    definitions = guard.run(
        "find the source of the model's classes",
        lambda: source_of(user_objects(model, call or FitCall())),
    )
    script = _main_script()
    git = guard.run("read the state of the repository", lambda: git_state(script or Path.cwd()))
    record = ImplementationRecord(
        implementation_id="",
        created_at=datetime.now(timezone.utc),
        script=None if script is None else script.name,
        model_class=f"{type(model).__module__}.{type(model).__qualname__}",
        data_slice=data_slice.text if data_slice else None,
        definitions=(definitions.text or None) if definitions else None,
        source_problems=tuple(_source_problems(call, source, data_slice, definitions)),
        source_warnings=guard.run("scan the source", source.warning_texts) or (),
        git_commit=git.commit if git else None,
        git_branch=git.branch if git else None,
        git_difference=git.difference if git else None,
    )
    return dataclasses.replace(record, implementation_id=_content_id(record))


def environment_of(data_slice: str | None) -> dict[str, str]:
    """Return the environment variables that a data slice reads, with the values they have now.

    Args:
        data_slice: The text in the record of an implementation.

    Returns:
        Those that are set and do not look like credentials.
    """
    names = environment_reads(data_slice).names if data_slice else ()
    return {
        name: os.environ[name]
        for name in names
        if name in os.environ and not looks_like_credential(name, os.environ[name])
    }


def _source_problems(
    call: FitCall | None,
    source: UserSource,
    data_slice: DataSlice | None,
    definitions: Definitions | None,
) -> Iterator[str]:
    """Say what is missing of the source, or would be needed to run it again."""
    if not source.frames:
        yield "the source that runs was not found, or was edited since it was loaded"
    elif data_slice is None:
        what = "the call of fit" if call is not None else "a block that can stand by itself"
        yield f"data slice: {what} was not found in the source"
    if data_slice is not None:
        yield from (f"data slice: {each}" for each in data_slice.problems)
        for name in data_slice.environment_names:
            if looks_like_credential(name, os.environ.get(name, "")):
                yield (
                    f"data slice: it reads the environment variable `{name}`, which may be a "
                    "secret, and is not recorded"
                )
        if data_slice.reads_other_variables:
            yield (
                "data slice: it reads environment variables by names that are not known, whose "
                "values are not recorded"
            )
        if data_slice.reads_command_line:
            yield "data slice: it reads the command line, which the experiment's row has"
    if definitions is not None:
        yield from (f"definitions: {each}" for each in definitions.problems)


def _content_id(record: ImplementationRecord) -> str:
    facts = dataclasses.asdict(record)
    del facts["implementation_id"], facts["created_at"]
    return content_id(facts)


def _main_script() -> Path | None:
    """Return the main script's path; None in a notebook or an interpreter."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(path).absolute() if path else None
