"""Doing an experiment again in the background, beside a server that goes on."""

from __future__ import annotations

import logging
import threading
from collections import deque
from datetime import datetime, timezone
from enum import Enum

from modelkb_store import Store
from modelkb_store.errors import ModelKBError
from modelkb_store.reproduction import Comparison
from modelkb_viewer.reproducer import open_reproducer

_log = logging.getLogger(__name__)

_LINES_KEPT = 200
_LONGEST_LINE = 500


class JobState(str, Enum):
    """How far a job is."""

    RUNNING = "running"
    ENDED = "ended"
    STOPPED = "stopped"
    FAILED = "failed"


class ReproductionJob:
    """One experiment that is done again, in a thread and a process of its own.

    Args:
        location: Where the store is.
        experiment_id: The experiment.

    Attributes:
        started_at: When it began, in UTC.
        comparison: What came of it, once it has ended.
        error: Why there is no comparison, where it has failed.
    """

    def __init__(self, location: str, experiment_id: str) -> None:
        self.location = location
        self.experiment_id = experiment_id
        self.started_at = datetime.now(timezone.utc)
        self.comparison: Comparison | None = None
        self.error: str | None = None
        self._state = JobState.RUNNING
        self._step = "Starting"
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="reproduction")

    @property
    def state(self) -> JobState:
        """How far it is."""
        return self._state

    @property
    def is_running(self) -> bool:
        """Whether it goes on; true also between the wish to stop and the end."""
        return self._state is JobState.RUNNING

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop, and has not ended yet."""
        return self.is_running and self._stop.is_set()

    @property
    def step(self) -> str:
        """What it is doing, or did last."""
        return self._step

    def last_lines(self, count: int) -> list[str]:
        """Return the end of what the script has printed."""
        with self._lock:
            return list(self._lines)[-count:]

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end as Ctrl-C would; what it has recorded is kept."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Return when it has ended, or some time has passed."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self.comparison = self._reproduce()
            self._state = JobState.ENDED
        except KeyboardInterrupt:
            self._state = JobState.STOPPED
        except ModelKBError as error:
            self._fail(str(error))
        # Nobody else would be told: it is a thread.
        except Exception as error:  # noqa: BLE001
            _log.exception("%s could not be done again", self.experiment_id)
            self._fail(f"{type(error).__name__}: {error}")

    def _reproduce(self) -> Comparison:
        original = Store(self.location).experiment(self.experiment_id)
        with open_reproducer(
            self.location, told=self._note_step, printed=self._note_line, stop=self._stop
        ) as reproducer:
            return reproducer.reproduce(original)

    def _fail(self, reason: str) -> None:
        self.error = reason
        self._state = JobState.FAILED

    def _note_step(self, text: str) -> None:
        self._step = text

    def _note_line(self, line: str) -> None:
        with self._lock:
            self._lines.append(line[:_LONGEST_LINE])
