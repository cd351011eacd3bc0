"""Nothing of ours stops or changes a training: what fails is noted, with one warning."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

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

    def run(self, what: str, action: Callable[[], T]) -> T | None:
        """Return what the action returns, or None if it failed.

        Args:
            what: What was tried, to end the sentence "ModelKB could not ..".
            action: Our code. Only errors are caught: an interruption is the user's.
        """
        self._depth += 1
        try:
            # What libraries warn of while we use them is not the user's doing.
            with warnings.catch_warnings():
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
        if problem not in self.problems:
            self.problems.append(problem)
        self._pending = self._pending or problem
        self._warn_once()

    def _warn_once(self) -> None:
        """Warn of the first problem, outside of all our actions, which hide warnings."""
        if self._pending is None or self._warned or self._depth:
            return
        self._warned = True
        _warn(f"ModelKB {self._pending}. The training goes on; further problems are only recorded.")


def _warn(message: str) -> None:
    try:
        warnings.warn(message, ModelKBWarning, stacklevel=2)
    except ModelKBWarning:
        # The user's filters turn warnings into errors, which must not reach the training.
        _log.warning(message)
