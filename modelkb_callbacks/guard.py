"""Nothing of ours stops or changes a training: what fails is noted, with one warning."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Callable
from typing import TypeVar

from modelkb_callbacks.credentials import without_credentials

T = TypeVar("T")

_NOT_THEIRS = ("modelkb_callbacks", "modelkb_store", "keras", "contextlib")

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())


class ModelKBWarning(UserWarning):
    """Something of a run could not be recorded; the training itself goes on."""


class Guard:
    """Runs our code inside a user's training.

    Args:
        strict: Raise instead, for those who would rather stop than miss a record.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._depth = 0
        self._warned = False
        self._pending: str | None = None
        self.problems: list[str] = []

    def run(self, what: str, action: Callable[[], T], *, quiet: bool = False) -> T | None:
        """Return what the action returns, or None if it failed.

        Args:
            what: What was tried, to end the sentence "ModelKB could not ..".
            action: Our code. Only errors are caught: an interruption is the user's.
            quiet: Whether to hide what libraries warn of while we use them. Not at every
                epoch: it makes Python forget which warnings the user has seen.
        """
        self._depth += 1
        try:
            with warnings.catch_warnings() if quiet else contextlib.nullcontext():
                if quiet:
                    warnings.simplefilter("ignore")
                return action()
        except Exception as error:
            if self._strict:
                raise
            self.note(f"could not {what}: {type(error).__name__}: {error}")
            _log.debug("could not %s", what, exc_info=error)
            return None
        finally:
            self._depth -= 1
            self._warn_once()

    def note(self, problem: str) -> None:
        """Keep a problem for the record, and warn of it if it is the first one."""
        problem = without_credentials(problem)
        if problem not in self.problems:
            self.problems.append(problem)
        self._pending = self._pending or problem
        self._warn_once()

    def _warn_once(self) -> None:
        """Warn of the first problem, outside of all our actions, which hide warnings."""
        if self._pending is None or self._warned or self._depth:
            return
        self._warned = True
        warn(f"ModelKB {self._pending}. The training goes on; further problems are only recorded.")


def warn(message: str) -> None:
    """Warn the user at their own line; nothing is raised whatever their filters say."""
    try:
        warnings.warn(message, ModelKBWarning, stacklevel=_level_of_the_user())
    except ModelKBWarning:
        # The user's filters turn warnings into errors, which must not reach the training.
        _log.warning(message)


def _level_of_the_user() -> int:
    """Return how many calls up the first line is that is neither ours nor Keras'.

    Nor that of a ``with`` by which we follow a call, or the user a block.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_NOT_THEIRS):
        level, frame = level + 1, frame.f_back
    return level
