"""How soon a running training is seen in the viewer, and what being looked at costs it.

    python benchmarks/viewer_live.py [ROUNDS]

Trains a small network, in turn alone and with its page open in headless Chromium. The time from
the end of an epoch (Keras has called its callbacks) to its number on the page is measured in the
browser. What looking costs is measured twice: by the time of the trainings, which scatter, and by
the processor time that the server takes meanwhile; the browser's own is told apart, since it is
usually elsewhere.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from modelkb_store import Store
from viewer_server import DESKTOP, browser, viewer_server

EPOCHS = 24
TARGET_SECONDS = 3.0
TARGET_COST = 0.01


def train(store: str) -> None:
    """Train, and print when each epoch ended and how long all took."""
    import keras
    import numpy as np

    from modelkb_callbacks import ModelKB

    keras.utils.set_random_seed(0)
    draw = np.random.default_rng(0)
    x, y = draw.random((6000, 16, 16, 1), "float32"), draw.integers(0, 10, 6000)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def tell(epoch: int, _: Any) -> None:
        print(json.dumps({"epoch": epoch + 1, "ended": time.time()}), flush=True)

    callbacks = [ModelKB(store=store), keras.callbacks.LambdaCallback(on_epoch_end=tell)]
    began = time.perf_counter()
    model.fit(x, y, epochs=EPOCHS, validation_split=0.1, callbacks=callbacks, verbose=0)
    print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)


def start_training(store: Path) -> subprocess.Popen[str]:
    """Start a training in a process of its own."""
    line = [sys.executable, str(Path(__file__).resolve()), "--train", str(store)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def what_it_told(training: subprocess.Popen[str], told: list[dict[str, float]]) -> None:
    """Gather what a training prints, until it ends."""
    assert training.stdout is not None
    told.extend(json.loads(line) for line in training.stdout)


def train_alone(store: Path) -> float:
    """Return how long a training takes that nobody looks at."""
    told: list[dict[str, float]] = []
    what_it_told(start_training(store), told)
    return told[-1]["seconds"]


def processor_seconds(process: psutil.Process) -> float:
    """Return what a process and its children have used."""
    every = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in every)


def newest_experiment(store: Path, known: int) -> str:
    """Return the id of the run that has just begun."""
    while True:
        runs = Store(store).experiments()
        if len(runs) > known:
            return str(runs["experiment_id"].iloc[-1])
        time.sleep(0.1)


def train_watched(store: Path) -> tuple[float, list[float], float]:
    """Train with the run's page open.

    Returns:
        How long it took; by epoch how long until it was seen; the share of the machine's processor
        time that the server took, once the page was there.
    """
    known = len(Store(store).experiments())
    told: list[dict[str, float]] = []
    with viewer_server(store) as address, browser() as chromium:
        server = server_process(address)
        page = chromium.new_page(viewport=DESKTOP)
        page.add_init_script(NOTE_EPOCHS)
        page.goto(address)
        page.wait_for_selector("[data-testid=stApp]")
        training = start_training(store)
        reader = threading.Thread(target=what_it_told, args=(training, told))
        reader.start()
        page.goto(f"{address}/experiment?id={newest_experiment(store, known)}")
        page.wait_for_function("Object.keys(window.seen).length > 1")
        before, began = processor_seconds(server), time.perf_counter()
        reader.join()
        seconds = time.perf_counter() - began
        share = (processor_seconds(server) - before) / (seconds * (psutil.cpu_count() or 1))
        page.wait_for_timeout(4000)
        seen = {int(epoch): when for epoch, when in page.evaluate("window.seen").items()}
    ends = {int(each["epoch"]): each["ended"] for each in told if "epoch" in each}
    delays = [seen[epoch] - ended for epoch, ended in ends.items() if epoch in seen]
    return told[-1]["seconds"], delays, share


# Notes when the number in the head of the page, "Epochs: 3 of 12", is there first. The texts are
# read as they change: asking again and again would cost more than what is measured.
NOTE_EPOCHS = """
window.seen = {};
addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => {
        for (const each of document.querySelectorAll("[data-testid=stMarkdownContainer]")) {
            const found = each.textContent.match(/Epochs:? (\\d+) of \\d+/);
            if (found) {
                window.seen[found[1]] ??= Date.now() / 1000;
            }
        }
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
});
"""


def server_process(address: str) -> psutil.Process:
    """Return the process that answers at an address."""
    port = address.rpartition(":")[2]
    return next(
        child
        for child in psutil.Process().children(recursive=True)
        if {port, "view"} <= set(_command_line(child))
    )


def _command_line(process: psutil.Process) -> list[str]:
    """Return how a process was started; nothing of one that has just ended."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def main() -> None:
    """Measure, and print what came out."""
    if sys.argv[1:2] == ["--train"]:
        train(sys.argv[2])
        return
    rounds = int(sys.argv[1]) if sys.argv[1:] else 3
    alone, watched, delays, used = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "modelkb"
        train_alone(store)  # the first reads files that the others find in memory
        for _ in range(rounds):
            alone.append(train_alone(store))
            seconds, delay, share = train_watched(store)
            watched.append(seconds)
            delays += delay
            used.append(share)
    print(f"{len(delays)} epochs of {rounds * EPOCHS} seen while the training ran")
    print(f"  seconds until an epoch is seen: median {statistics.median(delays):.2f},", end=" ")
    print(f"most {max(delays):.2f} (target {TARGET_SECONDS:.0f})")
    print(
        f"  a training alone: {statistics.median(alone):.2f} s ({min(alone):.2f}..{max(alone):.2f})"
    )
    print(
        f"  looked at: {statistics.median(watched):.2f} s ({min(watched):.2f}..{max(watched):.2f})"
    )
    print(f"  the server's share of the machine: {statistics.median(used):.2%}", end=" ")
    print(f"(target {TARGET_COST:.0%})")


if __name__ == "__main__":
    main()
