"""The errors of ModelKB: one tree, each also the built-in that people would catch.

A class builds its own text from facts, so that call sites pass values, never prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class ModelKBError(Exception):
    """Base of every error that ModelKB raises on purpose."""

    def __str__(self) -> str:
        # KeyError would show its message in quotes.
        return str(self.args[0]) if self.args else ""


class StoreNotFoundError(ModelKBError, FileNotFoundError):
    """There is no store in the given folder."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"No ModelKB store at {path}. Record a run there first "
            "(model.fit(..., callbacks=[ModelKB()])), or name the right folder with "
            "Store(path), `--store PATH` or the environment variable MODELKB_STORE."
        )


class NotAStoreError(ModelKBError, ValueError):
    """The folder holds something else, and ModelKB will not write between it."""

    def __init__(self, path: Path | str, entry: str) -> None:
        super().__init__(
            f"{path} is not a ModelKB store: it holds {entry!r} but no format.json. "
            "Choose another folder with ModelKB(store=...), `--store` or MODELKB_STORE."
        )


class FormatVersionError(ModelKBError, ValueError):
    """The store was written by a newer ModelKB."""

    def __init__(self, path: Path | str, found: int, supported: int) -> None:
        super().__init__(
            f"{path} has store format {found}, and this ModelKB reads up to {supported}. "
            "Update it with `pip install --upgrade modelkb`."
        )


class CorruptFileError(ModelKBError, ValueError):
    """A file of the store cannot be read as what it should be."""

    def __init__(self, path: Path | str, reason: object) -> None:
        super().__init__(
            f"{path} is damaged and cannot be read ({_first_line(reason)}). Restore it from a "
            "backup, or move it out of the store: all other files stay readable without it."
        )
        self.path = Path(path)


class ExperimentNotFoundError(ModelKBError, KeyError):
    """No experiment has this id."""

    def __init__(self, experiment_id: str, known: Iterable[str]) -> None:
        by_end = {_without_time(each): each for each in known}
        ends = get_close_matches(_without_time(experiment_id), by_end, n=3, cutoff=0.7)
        near = [by_end[each] for each in ends]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"No experiment {experiment_id!r} in this store.{hint} See `modelkb ls`.")


def _without_time(experiment_id: str) -> str:
    """Return the last part of an id: the others are alike in all of one day."""
    return re.sub(r"^\d{8}-\d{6,}-", "", experiment_id)


class AmbiguousIdError(ModelKBError, KeyError):
    """A shortened id fits several experiments."""

    def __init__(self, experiment_id: str, matches: list[str]) -> None:
        shown = ", ".join(matches[:5]) + (", .." if len(matches) > 5 else "")
        super().__init__(
            f"{experiment_id!r} fits {len(matches)} experiments: {shown}. Give more of the id."
        )


class InvalidNameError(ModelKBError, ValueError):
    """A project name cannot be used."""

    def __init__(self, name: object, reason: str) -> None:
        super().__init__(f"Invalid project name {name!r}: {reason}.")


class InvalidSettingError(ModelKBError, ValueError):
    """An argument of a public function has a value that makes no sense."""

    def __init__(self, argument: str, received: object, expected: str) -> None:
        super().__init__(
            f"Invalid value for argument `{argument}`. Received: {received!r}. "
            f"Expected: {expected}."
        )


class ArtifactNotFoundError(ModelKBError, FileNotFoundError):
    """The experiment has no such artifact, or its file is gone."""

    def __init__(self, experiment_id: str, kind: str, reason: str) -> None:
        super().__init__(f"Experiment {experiment_id} has no {kind}: {reason}.")


class ModelLoadError(ModelKBError, RuntimeError):
    """Keras could not rebuild a recorded model."""

    def __init__(self, experiment_id: str, reason: object) -> None:
        super().__init__(
            f"The model of experiment {experiment_id} could not be rebuilt: {_first_line(reason)} "
            "For classes of your own pass load_model(custom_objects={'Name': Class}); for a "
            "Lambda layer that you trust, load_model(safe_mode=False); for a loss or metric of "
            "your own, load_model(compile=False)."
        )


class MissingPackageError(ModelKBError, ImportError):
    """An optional package is needed for what was asked."""

    def __init__(self, package: str, purpose: str, install: str) -> None:
        super().__init__(f"{purpose} needs {package}. Install it with `{install}`.")


def _first_line(reason: object) -> str:
    lines = str(reason).strip().splitlines()
    return lines[0] if lines else type(reason).__name__


class SourceNotFoundError(ModelKBError, FileNotFoundError):
    """There is no such script or notebook, or it cannot be read."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"There is no script or notebook at {path} that can be read.")


class PathOutsideStoreError(ModelKBError, ValueError):
    """A path that a store's file gives would lead out of the store."""

    def __init__(self, path: str, store: str) -> None:
        super().__init__(
            f"{path!r} leads out of the store {store}. A file of the store was changed by hand, or "
            "is not from ModelKB: do not trust it."
        )


class StoreBusyError(ModelKBError, RuntimeError):
    """No state of the store could be seen as a whole."""

    def __init__(self, store: str, reason: object) -> None:
        missing = getattr(reason, "filename", None)
        hint = f" {missing} is missing." if missing else " It is changed all the time."
        super().__init__(
            f"No consistent state of the store {store} could be read.{hint} Try again; if it stays "
            "so, run `modelkb check`."
        )


class QueryError(ModelKBError, ValueError):
    """A query cannot be answered; its text shows where.

    Attributes:
        position: The character of the query that it is about, from 0.
    """

    def __init__(self, problem: str, query: str, position: int, hint: str = "") -> None:
        super().__init__(f"{problem}\n{_marked(query, position)}{hint and chr(10) + hint}")
        self.position = position


class QuerySyntaxError(QueryError):
    """A query is not in the language."""

    def __init__(self, query: str, position: int, found: str, expected: Iterable[str]) -> None:
        wanted = sorted(expected)
        super().__init__(
            f"Invalid query: {found}.",
            query,
            position,
            f"Expected {', '.join(wanted)}." if wanted else "",
        )


class UnknownQueryNameError(QueryError):
    """A query names a column, parameter, metric or key that nothing in the store has."""

    def __init__(
        self, kind: str, name: str, query: str, position: int, known: Iterable[str]
    ) -> None:
        candidates = list(dict.fromkeys(known))
        last = name.rpartition(".")[2]
        near = [known for known in candidates if known.rpartition(".")[2] == last]
        near += get_close_matches(name, candidates, n=3, cutoff=0.6)
        shown = " or ".join(list(dict.fromkeys(near))[:3])
        hint = f"Did you mean {shown}?" if shown else ""
        short = name if len(name) <= 80 else f"{name[:80]}.."
        if not hint and query[:position].rstrip().endswith(("=", "<", ">")):
            hint = f"Texts are in quotes: '{short}'."
        super().__init__(f"There is no {kind} {short!r}.", query, position, hint)


class QueryTypeError(QueryError, TypeError):
    """A query compares what cannot be compared, such as a text with a number."""


def _marked(query: str, position: int) -> str:
    """Return the part of a text around a position, with a caret under it."""
    start = max(query.rfind("\n", 0, position) + 1, position - 60)
    end = query.find("\n", position)
    end = min(len(query) if end < 0 else end, position + 40)
    before, after = query[start:position], query[position:end]
    return f"  {before}{after}\n  {' ' * len(before)}^".replace("\t", " ")


class SqlError(ModelKBError, ValueError):
    """An SQL query is not valid, or would do more than read."""

    def __init__(self, query: str, reason: str) -> None:
        super().__init__(f"The query cannot be answered: {reason.strip()}\n  {query.strip()}")


class SqlTimeoutError(ModelKBError, TimeoutError):
    """An SQL query was ended because it took too long."""

    def __init__(self, query: str, seconds: float) -> None:
        super().__init__(
            f"The query was ended after {seconds:g} seconds. Have it read less (a condition, "
            f"fewer tables), or give it more time with `timeout_seconds`.\n  {query.strip()}"
        )


class UnsupportedWeightsError(ModelKBError, ValueError):
    """A weights file holds something that cannot be kept variable by variable."""

    def __init__(self, path: Path | str, name: str, reason: str) -> None:
        super().__init__(
            f"{name!r} in the weights file {path} cannot be kept: {reason}. Variables can be "
            "numbers, booleans, strings and opaque bytes such as bfloat16."
        )


class VariableNotFoundError(ModelKBError, KeyError):
    """A variable that a checkpoint has is in no pack, or not in the one that should have it."""

    def __init__(self, variable_id: str, where: Path | str | None = None) -> None:
        place = "any pack of the store" if where is None else f"the pack {where}"
        super().__init__(
            f"The variable {variable_id} is not in {place}. The checkpoint that has it cannot "
            "be put together; restore the missing file from a backup."
        )


class StoreUnreachableError(ModelKBError, OSError):
    """The server of a remote store does not answer, or refuses."""

    def __init__(self, uri: str, reason: object, advice: str = "") -> None:
        of_bucket = (
            "Check the network, the name of the bucket, the endpoint (AWS_ENDPOINT_URL or "
            "?endpoint_override=HOST:PORT) and the credentials (such as AWS_ACCESS_KEY_ID), then "
            "try again."
        )
        super().__init__(
            f"The store {uri} cannot be reached ({_first_line(reason)}). {advice or of_bucket}"
        )


class TokenError(ModelKBError, PermissionError):
    """A server wants a token, or another one."""

    def __init__(self, uri: str, detail: str) -> None:
        super().__init__(
            f"The server {uri} refuses: {_first_line(detail)} Give the token as the environment "
            "variable MODELKB_TOKEN; whoever runs the server makes one with `modelkb token create`."
        )


class ServerRefusedError(ModelKBError, ValueError):
    """A server cannot make sense of what it was sent."""

    def __init__(self, uri: str, detail: str) -> None:
        super().__init__(
            f"The server {uri} refuses: {_first_line(detail)} It may have another version of "
            "ModelKB than this machine: see `modelkb --version` on both."
        )


class NotOverServerError(ModelKBError, RuntimeError):
    """Something that takes the files of a store was asked of a store on a server."""

    def __init__(self, uri: str, what: str) -> None:
        super().__init__(
            f"{what} is not possible through the server {uri}. Do it on the machine that has the "
            "store, with `--store FOLDER`."
        )


class StoreNotWritableError(ModelKBError, OSError):
    """A store can be read, and not changed."""

    def __init__(self, uri: str, reason: object) -> None:
        super().__init__(
            f"Nothing can be written into the store {uri} ({_first_line(reason)}). Look whether "
            "you may write there and the disk has space, or ask whoever owns the store."
        )


class RunningExperimentError(ModelKBError, RuntimeError):
    """An experiment cannot be deleted while it runs."""

    def __init__(self, experiment_id: str) -> None:
        super().__init__(
            f"Experiment {experiment_id} is running. Stop its process or wait for its end, "
            "then delete it."
        )


class CollectedExperimentError(ModelKBError, RuntimeError):
    """An experiment was deleted, and its rows are partly gone already."""

    def __init__(self, experiment_id: str) -> None:
        super().__init__(
            f"Experiment {experiment_id} cannot be brought back: `modelkb gc` has begun to remove "
            "what was recorded of it. Restore the store from a backup."
        )


class InvalidLogError(ModelKBError, ValueError):
    """A piece of a log that somebody has sent cannot be kept."""

    def __init__(self, log_id: str, line: int, reason: str) -> None:
        super().__init__(
            f"Line {line} of what was sent of the log {log_id} cannot be kept "
            f"({_first_line(reason)}). If the sender has a newer ModelKB, update the server."
        )


class InvalidObjectError(ModelKBError, ValueError):
    """A file that somebody has sent is not what its name says."""

    def __init__(self, path: str, reason: object) -> None:
        super().__init__(
            f"The file {path} cannot be kept ({_first_line(reason)}). Send it as it was recorded."
        )


class StagedFileError(ModelKBError, ValueError):
    """A file that is to be put into a table is not one of it."""

    def __init__(self, place: str, table: str, reason: object) -> None:
        super().__init__(
            f"The file {place} cannot be put into the table {table}: {_first_line(reason)}. Write "
            "it with the schema and metadata of FORMAT.md, as "
            "modelkb_store.commits.staged.write_staged does."
        )


class CodeGenerationError(ModelKBError, ValueError):
    """A model holds what cannot be written as code."""

    def __init__(self, where: str, problem: str, advice: str) -> None:
        super().__init__(f"No code can be written for {where}: {problem}. To go on, {advice}.")
        self.where = where


class DescriptionFileError(ModelKBError, ValueError):
    """A file holds no description of a model, or is damaged."""

    def __init__(self, path: Path | str, reason: object, advice: str) -> None:
        super().__init__(
            f"No model can be read from {path} ({_first_line(reason)}). To go on, {advice}."
        )
        self.path = Path(path)
