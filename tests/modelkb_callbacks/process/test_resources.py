"""What the process uses is sampled, and nothing about it is in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable

import pytest

from modelkb_callbacks.process.resources import ResourceSampler
from modelkb_store.records import ResourceRecord
from modelkb_store.writer import ExperimentWriter


def sampled(seconds: float, interval: float = 0.05) -> list[ResourceRecord]:
    found: list[ResourceRecord] = []
    sampler = ResourceSampler("run", found.extend, interval_seconds=interval)
    sampler.start()
    time.sleep(seconds)
    sampler.stop()
    assert sampler.problem is None
    return found


def test_first_last_and_in_between() -> None:
    began = time.time()
    samples = sampled(0.52)
    times = [sample.wall_time.timestamp() - began for sample in samples]
    assert times == sorted(times)
    assert times[0] < 0.4
    assert 0.5 < times[-1] < 1.5
    assert 4 <= len(samples) <= 14
    assert {sample.experiment_id for sample in samples} == {"run"}


def test_a_short_run_has_two_samples() -> None:
    assert len(sampled(0.0, interval=10.0)) == 2


def test_processor_and_memory() -> None:
    found: list[ResourceRecord] = []
    sampler = ResourceSampler("run", found.extend, interval_seconds=60.0)
    sampler.start()
    began, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.3:
        sum(range(1000))
    share = 100 * 0.3 / (time.monotonic() - began)
    sampler.stop()
    assert found[0].cpu_percent is None
    last = found[-1].cpu_percent
    assert last is not None
    assert share * 0.6 < last < share * 2 + 50
    assert all((sample.memory_bytes or 0) > 10 << 20 for sample in found)


def test_into_a_store(writer_factory: Callable[..., ExperimentWriter]) -> None:
    writer = writer_factory()
    sampler = ResourceSampler(writer.experiment.experiment_id, writer.append_resources)
    sampler.start()
    sampler.stop()
    assert sampler.problem is None
    writer.close()
    assert len(list(writer.files.root.glob("resources/*/*.parquet"))) == 1


def test_stops_at_once() -> None:
    sampler = ResourceSampler("run", lambda _: None)
    sampler.start()
    time.sleep(0.1)
    began = time.monotonic()
    sampler.stop()
    assert time.monotonic() - began < 1.0
    assert "modelkb-resources" not in {thread.name for thread in threading.enumerate()}
    sampler.stop()


def test_a_disk_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelkb_callbacks.process.resources._LONGEST_WAIT_SECONDS", 0.1)
    released = threading.Event()
    sampler = ResourceSampler("run", lambda _: bool(released.wait(30)) and None)
    sampler.start()
    began = time.monotonic()
    sampler.stop()
    assert time.monotonic() - began < 2.0
    released.set()


def test_a_disk_that_is_full_is_a_problem() -> None:
    def full(_: list[ResourceRecord]) -> None:
        raise OSError(28, "No space left on device")

    sampler = ResourceSampler("run", full)
    sampler.start()
    sampler.stop()
    assert sampler.problem is not None
    assert "No space left" in sampler.problem


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.slow
def test_a_fork_and_the_end_of_the_interpreter() -> None:
    script = textwrap.dedent(
        """
        import os, sys, time
        from modelkb_callbacks.process.resources import ResourceSampler
        sampler = ResourceSampler("run", lambda samples: print("written", len(samples)), 0.001)
        sampler.start()
        time.sleep(0.05)
        for _ in range(20):
            child = os.fork()
            if child == 0:
                sampler.stop()
                sys.stdout.flush()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        sys.exit(3)  # and never stopped
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout.count("written") == 1
