"""What an experiment is, in a few words: the head of its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from modelkb_store import Experiment
from modelkb_store.records import Status
from modelkb_viewer.content.local_times import local_time
from modelkb_viewer.printing import duration


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an experiment's page.

    Attributes:
        facts: Short texts by what they say.
        share_done: How much of the training is done, from 0 to 1; None if that is not known, or
            it does not run.
        problems: What could not be recorded, and what stopped the run.
    """

    facts: dict[str, str]
    share_done: float | None
    problems: tuple[str, ...]


def experiment_head(experiment: Experiment, zone: str | None, now: datetime | None = None) -> Head:
    """Return the head of an experiment.

    Args:
        experiment: The experiment.
        zone: The reader's time zone; None for UTC.
        now: Up to when what runs has lasted; the present by default.
    """
    record = experiment.record
    runs = record.status == Status.RUNNING.value
    done = record.epochs_completed
    if runs:  # how many have ended need not be in its row before it ends
        done = max(done, experiment.table("epochs").num_rows)
    seconds = record.duration_seconds
    if runs:
        seconds = ((now or datetime.now(timezone.utc)) - record.started_at).total_seconds()
    facts = {
        "Started": local_time(record.started_at, zone),
        "Running for" if runs else "Duration": duration(seconds),
        "Epochs": _epochs(done, record.epochs_planned, runs),
        "Owner": f"{record.owner} on {record.host}" if record.host else record.owner,
    }
    planned = record.epochs_planned
    share = min(1.0, done / planned) if runs and planned else None
    return Head({name: text for name, text in facts.items() if text}, share, record.problems)


def _epochs(done: int, planned: int | None, runs: bool) -> str:
    if planned is None or (done == planned and not runs):
        return str(done)
    return f"{done} of {planned}"
