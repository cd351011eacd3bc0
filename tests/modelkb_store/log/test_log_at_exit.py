"""A process ends while the threads of its logs are at work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modelkb_store import Store
from small_experiment import experiment_record

SCRIPT = """
import sys, time
from modelkb_store.log import experiment_log
from modelkb_store.writer import ExperimentWriter
from modelkb_store import writer as writer_module
from small_experiment import experiment_record, metric_record

store, part = sys.argv[1:]
record = experiment_record(1)
run = record.experiment_id
if part == "folding":
    writer_module._IDLE_SECONDS = 0.05
else:
    experiment_log._MIRROR_AFTER_SECONDS = -1.0
writer = ExperimentWriter(store, "digits", record)
points = [metric_record(run, epoch, 0.5) for epoch in range(20000)]
if part == "folding":
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()
for epoch in range(4):
    writer.append_metrics(points[epoch * 5000 : (epoch + 1) * 5000])
time.sleep(0.08 if part == "folding" else 0.0)  # it is at work then
"""


@pytest.mark.slow
@pytest.mark.parametrize("part", ["folding", "mirroring"])
def test_a_process_ends_in_peace(store: Path, part: str) -> None:
    support = Path(__file__).parents[2] / "support"
    script = f"import sys; sys.path.insert(0, {str(support)!r})\n{SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-c", script, str(store), part],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    opened = Store(store)
    run = opened.experiment(experiment_record(1).experiment_id)
    assert run.record.status == ("finished" if part == "folding" else "interrupted")
    assert len(run.metrics()) == 20_000
    assert opened.files.list("log") == []
