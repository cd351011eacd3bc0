"""What sampling the use of resources costs, as a share of one core.

Measures the processor time of one sample and of one write into a store, with hours of
samples in the table already, and sets them against an interval of ten seconds and a write a
minute. With GPUs and nvidia-ml-py the samples include the GPUs.

    python benchmarks/resource_sampling.py
"""

from __future__ import annotations

import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

from modelkb_callbacks.process.resources import ResourceMeter
from modelkb_store._version import __version__
from modelkb_store.ids import new_experiment_id
from modelkb_store.records import ExperimentRecord, Status
from modelkb_store.writer import ExperimentWriter

SAMPLES = 2000
INTERVAL_SECONDS = 10
SAMPLES_A_WRITE = 6
HOURS = 10


def new_writer(root: Path) -> ExperimentWriter:
    """Begin an experiment."""
    now = datetime.now(timezone.utc)
    experiment = ExperimentRecord(
        experiment_id=new_experiment_id(now),
        name="benchmark",
        owner="benchmark",
        status=Status.RUNNING.value,
        started_at=now,
        host="benchmark",
        process_id=0,
        modelkb_version=__version__,
    )
    return ExperimentWriter(root, "benchmark", experiment)


def main() -> None:
    """Print the costs."""
    meter = ResourceMeter("benchmark")
    begin = time.process_time()
    records = [meter.sample() for _ in range(SAMPLES)]
    sample = (time.process_time() - begin) / SAMPLES
    writes = []
    with tempfile.TemporaryDirectory() as folder:
        writer = new_writer(Path(folder))
        for _ in range(HOURS * 60):
            begin = time.process_time()
            writer.append_resources(records[:SAMPLES_A_WRITE])
            writes.append(time.process_time() - begin)
    write = sum(writes) / len(writes)
    share = sample / INTERVAL_SECONDS + write / (INTERVAL_SECONDS * SAMPLES_A_WRITE)
    gpus = records[-1].gpu_percent
    print(f"a sample        {sample * 1e6:8.0f} us, {len(gpus or ())} GPUs")
    print(f"a write         {write * 1e3:8.2f} ms, mean over {HOURS} hours of samples")
    print(f"the last write  {writes[-1] * 1e3:8.2f} ms")
    print(f"share           {share:8.4%} of one core")


if __name__ == "__main__":
    main()
