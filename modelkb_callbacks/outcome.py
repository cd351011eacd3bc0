"""How a run ended."""

from __future__ import annotations

from modelkb_callbacks.credentials import without_credentials
from modelkb_store.log.folding import UNSAID_END
from modelkb_store.records import Status

_STOPPED_BY = "stopped by "


def status_of(outcome: BaseException | None) -> Status:
    """Return how a run ended that was left by this exception, or by none."""
    if outcome is None:
        return Status.FINISHED
    # KeyboardInterrupt and SystemExit: somebody's decision, not a failure.
    return Status.FAILED if isinstance(outcome, Exception) else Status.INTERRUPTED


def reason_of(outcome: BaseException) -> str:
    """Return what stopped a run, in words."""
    return without_credentials(f"{_STOPPED_BY}{type(outcome).__name__}: {outcome}").rstrip(": ")


def is_reason(problem: str) -> bool:
    """Return whether a problem in the record only says how the run came to its end."""
    return problem.startswith((_STOPPED_BY, UNSAID_END))
