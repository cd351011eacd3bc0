"""The errors of ModelKB: one tree, each also the built-in that people would catch.

A class builds its own text from facts, so that call sites pass values, never prose.
"""

from __future__ import annotations

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

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"No ModelKB store at {path}. Record a run there first "
            "(model.fit(..., callbacks=[ModelKB()])), or name the right folder with "
            "Store(path), `--store PATH` or the environment variable MODELKB_STORE."
        )


class NotAStoreError(ModelKBError, ValueError):
    """The folder holds something else, and ModelKB will not write between it."""

    def __init__(self, path: Path, entry: str) -> None:
        super().__init__(
            f"{path} is not a ModelKB store: it holds {entry!r} but no format.json. "
            "Choose another folder with ModelKB(store=...), `--store` or MODELKB_STORE."
        )


class FormatVersionError(ModelKBError, ValueError):
    """The store was written by a newer ModelKB."""

    def __init__(self, path: Path, found: int, supported: int) -> None:
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
        self.path = path


class ExperimentNotFoundError(ModelKBError, KeyError):
    """No experiment has this id."""

    def __init__(self, experiment_id: str, known: Iterable[str]) -> None:
        near = get_close_matches(experiment_id, list(known), n=3, cutoff=0.6)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"No experiment {experiment_id!r} in this store.{hint} See `modelkb ls`.")


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
