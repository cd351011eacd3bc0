"""A state of a store without its damaged files, so that the others can be judged."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from modelkb_store.errors import ModelKBError
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.snapshot import Snapshot


class SoundSnapshot(Snapshot):
    """A snapshot that passes over damaged files.

    Args:
        files: The store.
        damaged: Paths of the files to pass over.
    """

    def __init__(self, files: Files, damaged: Collection[str] = ()) -> None:
        super().__init__(files)
        self.damaged = set(damaged)

    def table_files(self, table: str) -> list[FileInfo]:
        """Return the Parquet files of a table that count and can be read."""
        return [info for info in super().table_files(table) if info.path not in self.damaged]


@dataclass(slots=True)
class Verdicts:
    """What is known of files' contents, so that a second look reads only what has changed.

    Attributes:
        tick: Told each time that a file was read or need not be.
    """

    tick: Callable[[], None] = lambda: None
    _known: dict[tuple[object, ...], str | None] = field(default_factory=dict)

    def of(self, info: FileInfo, look: Callable[[], None], *facts: object) -> str | None:
        """Return what is wrong with a file; None if nothing is.

        Args:
            info: The file.
            look: Reads it, and raises a ModelKBError or ValueError if something is wrong.
            facts: What else the answer depends on.

        Raises:
            FileNotFoundError: It is gone.
        """
        key = (info, *facts)
        if key not in self._known:
            self._known[key] = _problem(look)
        self.tick()
        return self._known[key]


def _problem(look: Callable[[], None]) -> str | None:
    try:
        look()
    except FileNotFoundError:
        raise
    except (ModelKBError, ValueError, OSError, MemoryError, OverflowError) as error:
        cause = error.__cause__ if isinstance(error, ModelKBError) else error
        lines = str(cause or error).strip().splitlines()
        return lines[0] if lines else type(error).__name__
    return None
