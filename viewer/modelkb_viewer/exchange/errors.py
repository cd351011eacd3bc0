"""What can be wrong with what is exchanged."""

from __future__ import annotations

from pathlib import Path

from modelkb_store.errors import ModelKBError


class NothingToImportError(ModelKBError, ValueError):
    """A place holds nothing that the tool in question has written."""

    def __init__(self, tool: str, path: Path, expected: str) -> None:
        super().__init__(
            f"{path} holds no runs of {tool}: expected {expected}. Look whether the path is right, "
            "and whether `--from` names the tool that wrote it."
        )


class DamagedSourceError(ModelKBError, ValueError):
    """A file that a run is to be read from is not whole."""

    def __init__(self, path: Path, reason: object) -> None:
        lines = str(reason).strip().splitlines() or [type(reason).__name__]
        super().__init__(
            f"{path} is damaged, and its run was not imported ({lines[0]}). Copy it again from "
            "where it was written, or take it out of the folder."
        )


class NoRunInFileError(ModelKBError, ValueError):
    """A file beside others that hold runs holds none."""

    def __init__(self, path: Path, expected: str) -> None:
        super().__init__(f"{path} holds no run and was passed over: expected {expected}.")


class ExportTargetError(ModelKBError, FileExistsError):
    """What would be written is there already."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"{path} is there already, and nothing was written. Name another place with -o, or "
            "delete it first."
        )


class ExportError(ModelKBError, RuntimeError):
    """A tool could not write an experiment."""

    def __init__(self, experiment_id: str, tool: str, reason: object) -> None:
        lines = str(reason).strip().splitlines() or [type(reason).__name__]
        super().__init__(f"Experiment {experiment_id} could not go to {tool}: {lines[0]}")
