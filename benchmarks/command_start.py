"""How long commands take that need no Keras: from the start of the process to its end.

    python benchmarks/command_start.py

The goal is 0.3 seconds. A warm start is timed ten times; beside the median are the fastest, which
says most on a machine that does other things as well, and the processor time.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from generated_store import make_store

TIMES = 10
RUNS = 20
COMMANDS = {
    "--version": ["--version"],
    "--help": ["--help"],
    "ls": ["ls"],
    "ls --json": ["ls", "--json"],
    "show": ["show", "ID"],
    "find": ["find", "status = 'finished'"],
    "sql": ["sql", "select count(*) from experiments"],
    "check": ["check"],
    "token list": ["token", "list"],
}
MODELKB = "from modelkb_viewer.main import main; main()"
# What is below everything that reads tables.
FLOOR = "import click, pyarrow.compute, pyarrow.parquet"


def main() -> None:
    """Make a small store, and print the table."""
    environment = dict(os.environ)
    # As where it is installed: what was compiled once is not compiled again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "modelkb"
        make_store(store, RUNS)
        environment["MODELKB_STORE"] = str(store)
        row = pq.read_table(store / "experiments", columns=["experiment_id"]).slice(0, 1)
        wanted = row["experiment_id"][0].as_py()
        print(
            f"{'command':<24}{'median':>9}{'fastest':>9}{'processor':>11}   of {TIMES}, in seconds"
        )
        for name, arguments in COMMANDS.items():
            given = [wanted if argument == "ID" else argument for argument in arguments]
            print_row(name, [sys.executable, "-c", MODELKB, *given], environment)
        print_row("Python alone", [sys.executable, "-c", "pass"], environment)
        print_row("click and PyArrow alone", [sys.executable, "-c", FLOOR], environment)


def print_row(name: str, line: list[str], environment: dict[str, str]) -> None:
    """Time a command and print what came of it."""
    timed(line, environment)  # warms it up
    took, spent = zip(*(timed(line, environment) for _ in range(TIMES)), strict=True)
    print(f"{name:<24}{statistics.median(took):9.3f}{min(took):9.3f}{min(spent):11.3f}", flush=True)


def timed(line: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return how long a process took, and what it took of the processors, in seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(line, env=environment, check=False, stdout=subprocess.DEVNULL)
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, spent


if __name__ == "__main__":
    main()
