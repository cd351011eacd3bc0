"""The user's source behind a run: where it stands, and what the scanner finds in it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from modelkb_callbacks.credentials import without_credentials
from modelkb_callbacks.live_values import live_values
from modelkb_callbacks.scanning import Scan, scan_source
from modelkb_callbacks.slicing import FrameLocation, frames_of_fit, user_frames
from modelkb_callbacks.source_code import SourceCode
from modelkb_store.ids import canonical_json

SILENCED_VARIABLE = "MODELKB_SILENCE"
_MOST_SCANS_KEPT = 16

_scans: dict[str, Scan] = {}
_warned: set[tuple[str, str, int]] = set()


class ModelKBSourceWarning(UserWarning):
    """The source of a training has what is probably a mistake; the training goes on."""


@dataclass(frozen=True, slots=True)
class UserSource:
    """The user's source that runs.

    Attributes:
        frames: The user's frames, the innermost first; empty if no source is at hand.
        values: What the running program has for the names of the scanner's hyperparameters.
    """

    frames: tuple[FrameLocation, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_caller(cls) -> UserSource:
        """Return the source of the user's code that has called us, directly or through Keras."""
        frame = sys._getframe(1)
        found = cls(tuple(frames_of_fit(frame)))
        names = {name for source in found.sources for name in _scan(source).hyperparameters}
        return replace(found, values=live_values(user_frames(frame), names) if names else {})

    @property
    def sources(self) -> list[SourceCode]:
        """The scripts, notebooks and modules of the frames, each once."""
        return list({frame.source.text: frame.source for frame in self.frames}.values())

    @property
    def hyperparameters(self) -> dict[str, tuple[Any, str]]:
        """What the training depends on by the scanner's word: value and its source, by name.

        A value that the running program does not confirm is left out: it may be a default
        that something overrides, or stand in a branch or function that did not run. Where
        the program has another one, that is the value, and its source is ``variable``.
        """
        found: dict[str, tuple[Any, str]] = {}
        for source in self.sources:
            scanned = _scan(source).hyperparameters
            for name, value in scanned.items():
                if name in self.values:
                    live = self.values[name]
                    origin = "scanner" if _is_same(value, live) else "variable"
                    found.setdefault(name, (live, origin))
        return found

    @property
    def datasets(self) -> str | None:
        """Where the sources load data from, as JSON text; None if they do not say."""
        found = [each for source in self.sources for each in _scan(source).to_dict()["datasets"]]
        named = [{key: each[key] for key in ("loader", "name", "source")} for each in found]
        return without_credentials(canonical_json(named)) if named else None

    def warning_texts(self) -> tuple[str, ...]:
        """Return the scanner's warnings, with their places, for the record."""
        return tuple(
            without_credentials(f"{place}: {message} [{code}]")
            for _, _, place, code, message in self._warnings()
        )

    def warn(self, silenced: Iterable[str] = ()) -> None:
        """Warn of probable mistakes, each once in a process.

        Args:
            silenced: Codes not to warn of, beside those in ``$MODELKB_SILENCE`` and those
                that comments in the source silence.
        """
        ignored = {*silenced, *os.environ.get(SILENCED_VARIABLE, "").replace(",", " ").split()}
        for file, line, place, code, message in self._warnings():
            if code in ignored or (file, code, line) in _warned:
                continue
            _warned.add((file, code, line))
            text = f"{place}: {message} [{code}]"
            try:
                warnings.warn_explicit(text, ModelKBSourceWarning, file, line)
            except ModelKBSourceWarning:
                # The user's filters turn warnings into errors, which must not stop a training.
                continue

    def _warnings(self) -> Iterator[tuple[str, int, str, str, str]]:
        for source in self.sources:
            for each in _scan(source).warnings:
                file = str(source.path or source.name)
                yield file, each.line, source.location(each.line), each.code, each.message


def _scan(source: SourceCode) -> Scan:
    """Scan a source, once in a process."""
    if source.text not in _scans:
        if len(_scans) >= _MOST_SCANS_KEPT:
            _scans.clear()
        _scans[source.text] = scan_source(source)
    return _scans[source.text]


def _is_same(scanned: Any, live: Any) -> bool:
    return bool(scanned == live) and isinstance(scanned, bool) == isinstance(live, bool)
