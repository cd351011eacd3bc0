"""What the training's process uses of the machine, sampled over time."""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import psutil

from modelkb_callbacks.process.gpu_use import GpuUse
from modelkb_store.records import ResourceRecord

Write = Callable[[list[ResourceRecord]], None]

# So that a short run has a curve, too.
_FIRST_SECONDS = (1.0, 2.0, 5.0)
_WRITE_AFTER_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 2.0

_log = logging.getLogger(__name__)


class ResourceSampler:
    """Samples processor, memory and GPUs in a thread of its own, until it is stopped.

    It samples when it starts, after 1, 2 and 5 seconds, then at every interval, and when it
    stops. It never raises; a fork is none of its business, and the interpreter's end stops
    it. One sampler is for one training.

    Args:
        experiment_id: The run.
        write: Takes the samples of the last minute, and the rest at the end; called from the
            sampler's thread. Samples that it fails for are not handed to it again.
        interval_seconds: Time between samples.

    Attributes:
        problem: The first thing that went wrong, or None.

    Example:
        >>> sampler = ResourceSampler(writer.experiment.experiment_id, writer.append_resources)
        >>> sampler.start()
        >>> sampler.stop()
    """

    def __init__(self, experiment_id: str, write: Write, interval_seconds: float = 10.0) -> None:
        self._experiment_id = experiment_id
        self._write = write
        self._interval = interval_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="modelkb-resources", daemon=True)
        self._process_id = os.getpid()
        self._samples: list[ResourceRecord] = []
        self.problem: str | None = None

    def start(self) -> None:
        """Begin to sample."""
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads, or the interpreter ends
            self._note(error)
            return
        # A daemon thread that is inside a library when the interpreter ends can take the
        # process down with it.
        atexit.register(self.stop)

    def stop(self) -> None:
        """Take the last sample and have all written, which takes milliseconds.

        A disk that hangs is waited for two seconds at most. In a child that was forked off
        there is no thread to stop, and nothing happens.
        """
        if os.getpid() != self._process_id:
            return
        self._stopping.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_LONGEST_WAIT_SECONDS)
        atexit.unregister(self.stop)

    def _run(self) -> None:
        try:
            self._sample_until_stopped()
        except Exception as error:  # noqa: BLE001 - a thread of ours beside a training
            self._note(error)

    def _sample_until_stopped(self) -> None:
        meter = ResourceMeter(self._experiment_id)
        started = written = time.monotonic()
        self._samples.append(meter.sample())
        for moment in _moments(self._interval):
            remaining = started + moment - time.monotonic()
            if remaining < 0 and not self._stopping.is_set():
                continue  # the machine slept, or a write took long
            stopped = self._stopping.wait(max(remaining, 0.0))
            self._samples.append(meter.sample())
            if stopped or time.monotonic() - written >= _WRITE_AFTER_SECONDS:
                self._hand_over()
                written = time.monotonic()
            if stopped:
                return

    def _hand_over(self) -> None:
        samples, self._samples = self._samples, []
        try:
            self._write(samples)
        except Exception as error:  # noqa: BLE001 - the next samples may be written
            self._note(error)

    def _note(self, error: Exception) -> None:
        self.problem = self.problem or f"{type(error).__name__}: {error}"
        _log.debug("resources could not be sampled", exc_info=error)


def _moments(interval: float) -> Iterator[float]:
    """Walk the seconds after the start at which to sample."""
    yield from (moment for moment in _FIRST_SECONDS if moment < interval)
    for number in itertools.count(1):
        yield number * interval


class ResourceMeter:
    """Reads what the process uses."""

    def __init__(self, experiment_id: str) -> None:
        self._experiment_id = experiment_id
        self._process = psutil.Process()
        self._before: tuple[float, float] | None = None
        try:
            self._gpus: GpuUse | None = GpuUse()
        except Exception as error:  # noqa: BLE001 - not installed, no driver, no GPU
            _log.debug("GPUs are not sampled", exc_info=error)
            self._gpus = None

    def sample(self) -> ResourceRecord:
        """Return what is used now."""
        return ResourceRecord(
            experiment_id=self._experiment_id,
            wall_time=datetime.now(timezone.utc),
            cpu_percent=self._cpu_percent(),
            memory_bytes=self._resident_bytes(),
            gpu_percent=None if self._gpus is None else self._gpus.percent(),
            gpu_memory_bytes=None if self._gpus is None else self._gpus.memory_bytes(),
        )

    def _resident_bytes(self) -> int | None:
        try:
            return int(self._process.memory_info().rss)
        except (psutil.Error, OSError):  # a container without /proc
            return None

    def _cpu_percent(self) -> float | None:
        # The same as psutil's, which reads a file for it, at a hundredth of the cost.
        now = time.monotonic(), time.process_time()
        before, self._before = self._before, now
        if before is None or now[0] <= before[0]:
            return None
        return 100.0 * (now[1] - before[1]) / (now[0] - before[0])
