"""What of a training could not be recorded, for the head of its script."""

from __future__ import annotations

from collections.abc import Iterator

from modelkb_store.codegen.script.cut_values import is_cut
from modelkb_store.codegen.script.data_program import DataProgram
from modelkb_store.codegen.script.random_states import unknown_generators
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.records import Status

_IN_THE_ROW = "it reads the command line, which the experiment's row has"
_REDACTED = "[redacted]"
# The script makes the model by its constructor, and says itself what is missing there.
_LAYER_TABLE_ONLY = "could only keep a layer table of "


def missing_parts(recorded: Recorded, program: DataProgram | None) -> Iterator[str]:
    """Walk what the script lacks because the store does, as sentences for people.

    Args:
        recorded: The experiment.
        program: The statements that make its data, or None.
    """
    for problem in recorded.record.problems:
        if not problem.startswith(_LAYER_TABLE_ONLY):
            yield problem
    for problem in recorded.implementation.get("source_problems") or ():
        if not (problem.endswith(_IN_THE_ROW) and recorded.record.command_line):
            yield problem
    yield from _of_data(recorded, program)
    yield from _of_start(recorded)
    yield from _of_environment(recorded)
    yield from _of_status(recorded)


def _of_data(recorded: Recorded, program: DataProgram | None) -> Iterator[str]:
    if program is None:
        yield "data slice: the statements that made the data"
    elif "test" in recorded.splits and program.fit is not None and not program.evaluations:
        yield "data slice: the data of the evaluation of the split test"
    if _REDACTED in recorded.text("data_slice") + recorded.text("definitions"):
        yield "source: texts that look like credentials; put them in for [redacted]"
    words = recorded.record.command_line or ()
    if program is not None and program.reads_command_line:
        if not words:
            yield "the command line, which the statements of the data read"
        elif any(_REDACTED in word or word.endswith("...") for word in words):
            yield "the command line: some of its words were cut or taken for credentials"
    for name, value in recorded.of_source("environment").items():
        if is_cut(value):
            yield f"the environment variable {name}, which is too long"


def _of_start(recorded: Recorded) -> Iterator[str]:
    if recorded.has_initial_weights:
        for name in unknown_generators(recorded.random_states):
            yield f"how to restore the random generator {name}"
        if not recorded.random_states:
            yield "the states of the random generators at the start"
        return
    if recorded.record.seed is None:
        yield (
            "the weights at the start: the run set no seed, and they were not kept, so this "
            "script begins with others"
        )


def _of_environment(recorded: Recorded) -> Iterator[str]:
    if not recorded.environment:
        yield "the environment: versions, backend and global settings"
    if recorded.implementation.get("git_difference"):
        commit = str(recorded.implementation.get("git_commit") or "")[:10]
        yield (
            f"git: the working tree differed from commit {commit}; the difference is in the store, "
            "and not in this script"
        )


def _of_status(recorded: Recorded) -> Iterator[str]:
    record = recorded.record
    if record.status != Status.FINISHED.value:
        yield (
            f"the end: the run is {record.status} after {record.epochs_completed} epochs, and "
            "this script goes on to the planned end"
        )
    if record.parent_experiment_id is not None and recorded.has_initial_weights:
        yield (
            f"the optimizer's state at the start, if it went on with that of experiment "
            f"{record.parent_experiment_id}"
        )
