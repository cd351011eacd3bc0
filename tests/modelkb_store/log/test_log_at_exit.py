"""A process ends while the threads of its logs are at work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modelkb_store import Store
from small_experiment import experiment_record

SCRIPT = """
import io, sys, threading
import pyarrow as pa, pyarrow.parquet as pq
from modelkb_store import writer as writer_module
from modelkb_store.log import experiment_log
from modelkb_store.log.log_home import StoreHome
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record

store, part = sys.argv[1:]
is_at_work, work = threading.Event(), getattr(StoreHome, part)

def slowly(home, name):
    if threading.current_thread().name == "modelkb-log":
        is_at_work.set()
        for _ in range(300):
            pq.ParquetFile(io.BytesIO(content)).read()
    work(home, name)

content = io.BytesIO()
pq.write_table(pa.table({"a": range(100_000)}), content)
content = content.getvalue()
record = experiment_record(1)
writer = ExperimentWriter(store, "digits", record)
if part == "fold":
    writer_module._IDLE_SECONDS = 0.05
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()
else:
    experiment_log._MIRROR_AFTER_SECONDS = -1.0
setattr(StoreHome, part, slowly)
writer.append_metrics([metric_record(record.experiment_id, 0, 0.5)])
is_at_work.wait(20)
"""


@pytest.mark.slow
@pytest.mark.parametrize("part", ["fold", "mirror"])
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
    assert run.record.status == ("finished" if part == "fold" else "interrupted")
    assert len(run.metrics()) == 1
    assert opened.files.list("log") == []
