"""The reproductions of one server, for all who look."""

from __future__ import annotations

import threading

from modelkb_viewer.permissions import check_recorded_code
from modelkb_viewer.reproduction_job import ReproductionJob

_MOST_KEPT = 100


class ReproductionJobs:
    """Reproductions that go on or have ended, the last of each experiment."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], ReproductionJob] = {}
        self._lock = threading.Lock()

    def find(self, location: str, experiment_id: str) -> ReproductionJob | None:
        """Return the last one of an experiment since the server was started."""
        return self._jobs.get((location, experiment_id))

    def start(self, location: str, experiment_id: str) -> ReproductionJob:
        """Do an experiment again, or return the job that does so already.

        Raises:
            RecordedCodeNotAllowedError: The viewer's owner has not allowed it.
        """
        check_recorded_code("Doing an experiment again")
        key = location, experiment_id
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and job.is_running:
                return job
            # Taken out and put in again: the newest stand last.
            self._jobs.pop(key, None)
            self._forget_oldest()
            self._jobs[key] = ReproductionJob(location, experiment_id)
            self._jobs[key].start()
            return self._jobs[key]

    def stop_all(self) -> None:
        """End all that go on, and return when they have ended."""
        running = [job for job in list(self._jobs.values()) if job.is_running]
        for job in running:
            job.stop()
        for job in running:
            job.wait()

    def _forget_oldest(self) -> None:
        ended = [key for key, job in self._jobs.items() if not job.is_running]
        for key in ended[: max(0, len(ended) - _MOST_KEPT + 1)]:
            del self._jobs[key]


REPRODUCTIONS = ReproductionJobs()
