"""What a server answers while many read and many record: `modelkb serve` under load.

    python benchmarks/api_load.py [--seconds 60] [--readers 200] [--writers 20]

The server is a process of its own, on a store with 200 finished runs, and has tokens. Each reader
has a connection, and now and then asks for something, as people and their dashboards do: which,
how often and what of is in ``_MIX`` and ``--think``. Each writer is a process that records a run by
the client that trainings use, an epoch a second. Readers, writers and server share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from generated_store import PROJECT, make_store
from http_client import Client, Latencies, share
from modelkb_store import Store
from modelkb_store.records import EpochRecord, MetricRecord
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.tokens import Scope, Tokens
from small_experiment import experiment_record, record_complete_experiment
from store_server import StoreServer

API = "/api/v1"
TARGET_SECONDS = 0.5
FINISHED_RUNS = 200
COMPLETE_RUNS = 10  # of these also the confusion matrix and the architecture is asked for
METRICS = ("loss", "accuracy", "auc", "precision", "recall")
_ROW_SECONDS = 10
_SETTLING_SECONDS = 5
# What readers ask for, and how often: half of what is about any run is about one that is running.
_MIX = {
    "health": 10,
    "projects": 5,
    "list": 15,
    "experiment": 25,
    "metrics": 25,
    "confusion matrix": 10,
    "architecture": 10,
}


def write_run(address: str, number: int, seconds: float) -> None:
    """Record a run as a training would, an epoch a second, and wait until the server has it."""
    record = experiment_record(number, started_at=datetime.now(timezone.utc))
    writer = ExperimentWriter(address, "live", record)
    run, epochs = record.experiment_id, 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        now = datetime.now(timezone.utc)
        writer.append_metrics(
            [
                MetricRecord(run, epochs, epochs * 100, split, name, random.random(), now)
                for split in ("train", "validation")
                for name in METRICS
            ]
        )
        writer.append_epoch(EpochRecord(run, epochs, now, 1.0, 0.001, 0.001))
        epochs += 1
        time.sleep(1.0)
    writer.set(status="finished", ended_at=datetime.now(timezone.utc), epochs_completed=epochs)
    writer.save_experiment()
    writer.close()
    is_sent = writer.home.wait(60)  # type: ignore[attr-defined]
    print(json.dumps({"epochs": epochs, "is_sent": is_sent}), flush=True)


def start_writers(
    address: str, tokens: list[str], spools: Path, options: argparse.Namespace
) -> list[subprocess.Popen[str]]:
    """Start the processes that record, each with a spool of its own as on machines of their own."""
    writers = []
    for number, token in enumerate(tokens):
        environment = {
            **os.environ,
            "MODELKB_TOKEN": token,
            "MODELKB_SPOOL": str(spools / str(number)),
        }
        line = [sys.executable, __file__, "--write", address, str(1000 + number)]
        # They begin before the readers and end after them.
        line += ["--seconds", str(options.seconds + 4 * _SETTLING_SECONDS)]
        writers.append(subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True))
    return writers


class Readers:
    """Those who read.

    Args:
        address: The server.
        tokens: What they read with.
        runs: The runs, by what can be asked of them.
        think: How long each waits between two requests, on average.
    """

    def __init__(
        self, address: str, tokens: list[str], runs: dict[str, list[str]], think: float
    ) -> None:
        self.latencies = Latencies()
        self._address = address
        self._tokens = tokens
        self._runs = runs
        self._think = think

    async def read(self, number: int, until: float) -> None:
        """Be one of them."""
        draw = random.Random(number)
        client = Client(self._address, self._tokens[number])
        while True:
            await asyncio.sleep(draw.expovariate(1 / self._think))
            if time.monotonic() > until:
                break
            (what,) = draw.choices(list(_MIX), list(_MIX.values()))
            began = time.perf_counter()
            try:
                answer = await client.ask("GET", API + self._path(what, draw))
            except (OSError, EOFError) as error:
                self.latencies.errors[what].append(repr(error))
                continue
            self.latencies.seconds[what].append(time.perf_counter() - began)
            if answer.status != 200 or not answer.body:
                self.latencies.errors[what].append(f"{answer.status} {answer.body[:200]!r}")
        await client.close()

    def _path(self, what: str, draw: random.Random) -> str:
        if what in ("health", "projects"):
            return f"/{what}"
        if what == "list":
            project = draw.choice((PROJECT, "live"))
            return f"/experiments?project={project}&order_by=-started_at&limit=25"
        if what in ("confusion matrix", "architecture"):
            run = draw.choice(self._runs["complete"])
            return f"/experiments/{run}/{what.replace(' ', '-')}"
        run = draw.choice(self._runs[draw.choice(("finished", "running"))])
        return f"/experiments/{run}" + ("/metrics" if what == "metrics" else "")


class Watched:
    """What the server's process uses.

    Args:
        process: It.
    """

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.megabytes: list[float] = []
        self._before = process.cpu_times()
        self._began = time.monotonic()

    async def watch(self, until: float) -> None:
        """Note its memory every ten seconds."""
        while time.monotonic() < until:
            self.note()
            await asyncio.sleep(min(_ROW_SECONDS, max(0.1, until - time.monotonic())))

    def note(self) -> None:
        """Note its memory."""
        self.megabytes.append(self._process.memory_info().rss / 1e6)

    def processors(self) -> float:
        """Return how many processors it had, on average."""
        now = self._process.cpu_times()
        used = now.user + now.system - self._before.user - self._before.system
        return used / (time.monotonic() - self._began)


async def measure(
    options: argparse.Namespace, readers: Readers, process: psutil.Process
) -> Watched:
    """Have all read for the time that was asked for."""
    until = time.monotonic() + options.seconds
    watched = Watched(process)
    every = [readers.read(number, until) for number in range(options.readers)]
    await asyncio.gather(watched.watch(until), *every)
    watched.note()
    return watched


def make_runs(store: Path) -> dict[str, list[str]]:
    """Make a store with finished runs, and return their ids."""
    make_store(store, FINISHED_RUNS)
    for number in range(COMPLETE_RUNS):
        record_complete_experiment(store, "digits", number)
    opened = Store(store)
    return {
        "finished": opened.experiment_ids(PROJECT),
        "complete": opened.experiment_ids("digits"),
        "running": [],
    }


def wait_for_runs(store: Path, count: int) -> list[str]:
    """Return the ids of runs that are being recorded, when all have begun to come."""
    opened = Store(store)
    while len(ids := opened.experiment_ids("live")) < count:
        time.sleep(0.5)
    return ids


def missing_rows(store: Path, told: list[dict[str, int]]) -> str:
    """Return what the server lacks of what was recorded, in words."""
    opened = Store(store)
    rows = opened.table("metrics", "live").num_rows
    expected = sum(each["epochs"] for each in told) * len(METRICS) * 2
    finished = sum(s == "finished" for s in opened.experiments("live")["status"])
    unsent = sum(not each["is_sent"] for each in told)
    return (
        f"{finished} of {len(told)} runs finished, {rows:,} of {expected:,} rows of metrics there, "
        f"{unsent} runs not sent in time"
    )


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--think", type=float, default=4.0, help="seconds between two requests")
    parser.add_argument("--write", nargs=2, metavar=("ADDRESS", "NUMBER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_run(options.write[0], int(options.write[1]), options.seconds)
        return
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "modelkb"
        runs = make_runs(store)
        tokens = Tokens(Store(store).files)
        reads = [tokens.create("reader", Scope.READ)[1] for _ in range(options.readers)]
        writes = [tokens.create("writer", Scope.WRITE)[1] for _ in range(options.writers)]
        server = StoreServer(store)
        server.start()
        try:
            process = psutil.Process(server.process_id)
            print(f"server before: {process.memory_info().rss / 1e6:.0f} MB", flush=True)
            writers = start_writers(server.address, writes, Path(folder) / "spools", options)
            runs["running"] = wait_for_runs(store, options.writers) or runs["finished"]
            # Twenty processes that start and import have the processors to themselves.
            time.sleep(_SETTLING_SECONDS)
            readers = Readers(server.address, reads, runs, options.think)
            own = time.process_time()
            watched = asyncio.run(measure(options, readers, process))
            own = (time.process_time() - own) / options.seconds
            told = [json.loads(writer.communicate()[0]) for writer in writers]
            report(options, readers.latencies, watched, own)
            print(f"  recorded: {missing_rows(store, told)}")
            print(f"server at the end: {process.memory_info().rss / 1e6:.0f} MB")
        finally:
            server.stop()


def report(options: argparse.Namespace, latencies: Latencies, watched: Watched, own: float) -> None:
    """Print what came out."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(
        f"{options.readers} readers (a request every {options.think:g} s each), {options.writers} "
        f"writers, {options.seconds:g} s; {os.cpu_count()} processors, load {load}"
    )
    latencies.print()
    rate = len(latencies.every()) / options.seconds
    p99 = share(latencies.every(), 0.99)
    print(f"  {rate:.0f} requests/s; p99 {p99 * 1e3:.0f} ms (target {TARGET_SECONDS * 1e3:.0f})")
    memory = ", ".join(f"{each:.0f}" for each in watched.megabytes)
    used = watched.processors() / max(rate, 1e-9)
    print(
        f"  server: {memory} MB every {_ROW_SECONDS} s; {watched.processors():.2f} processors, "
        f"{used * 1e3:.1f} ms of one for each request, with what writers cost it"
    )
    print(f"  readers: {own:.2f} processors")


if __name__ == "__main__":
    main()
