"""How soon a running training is seen in the viewer, and what being looked at costs it.

    python benchmarks/viewer_live.py [PAIRS]

A small network is trained while its page in headless Chromium is opened and left by turns. The
time from the end of an epoch (Keras has called its callbacks) to its number on the page is measured
in the browser. What looking costs is the difference of the epochs' times between turns that
follow each other, since a machine is not as fast at all times; and, beside it, the processor
time of the server and of the browser, which draws without a GPU here.
"""

from __future__ import annotations

import itertools
import math
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from modelkb_store import Store
from viewer_server import DESKTOP, browser, viewer_server

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAIRS = 10  # of turns
# The page is opened or left in the first epochs of a turn, which is no looking.
EPOCHS_PASSED_OVER = 3
EPOCHS_COUNTED = 10
TARGET_SECONDS = 3.0
TARGET_COST = 0.01


@dataclass(frozen=True)
class Turn:
    """A stretch of the training, looked at or not.

    Attributes:
        epoch_seconds: How long each of its epochs took.
        delays: Seconds from the end of an epoch until it was seen, for those that were.
        server: What the server took meanwhile, as a share of the machine.
        browser: The browser, likewise.
    """

    epoch_seconds: list[float]
    delays: list[float] = field(default_factory=list)
    server: float = 0.0
    browser: float = 0.0


def train(store: str) -> None:
    """Train until the end of the process is wanted, and print when each epoch ended."""
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
        print(epoch + 1, time.time(), flush=True)

    callbacks = [ModelKB(store=store), keras.callbacks.LambdaCallback(on_epoch_end=tell)]
    model.fit(x, y, epochs=100_000, validation_split=0.1, callbacks=callbacks, verbose=0)


def start_training(store: Path) -> subprocess.Popen[str]:
    """Start a training in a process of its own."""
    line = [sys.executable, str(Path(__file__).resolve()), "--train", str(store)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def note_ends(training: subprocess.Popen[str], ends: list[float]) -> None:
    """Gather when epochs end, as the training tells it."""
    assert training.stdout is not None
    ends.extend(float(line.split()[1]) for line in training.stdout)


def processor_seconds(process: psutil.Process) -> float:
    """Return what a process and its children have used."""
    every = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in every)


def only_experiment(store: Path) -> str:
    """Return the id of the run once it has begun."""
    while True:
        runs = Store(store).experiments() if store.exists() else []
        if len(runs):
            return str(runs["experiment_id"].iloc[0])
        time.sleep(0.1)


def take_turns(store: Path, pairs: int) -> list[Turn]:
    """Train, and return turn by turn what was seen; every second one is looked at."""
    ends: list[float] = []
    with viewer_server(store) as address, browser() as chromium:
        server, own = process_with(address.rpartition(":")[2], "view"), process_with("--headless")
        page = chromium.new_page(viewport=DESKTOP)
        page.add_init_script(NOTE_EPOCHS)
        page.goto(address)
        page.wait_for_selector("[data-testid=stApp]")
        training = start_training(store)
        threading.Thread(target=note_ends, args=(training, ends), daemon=True).start()
        try:
            place = f"{address}/experiment?id={only_experiment(store)}"
            found = []
            for _ in range(pairs):
                found.append(take_turn(page, "about:blank", ends, server, own))
                found.append(take_turn(page, place, ends, server, own))
        finally:
            training.kill()
            training.wait()
    return found


def take_turn(
    page: Page, place: str, ends: list[float], server: psutil.Process, own: psutil.Process
) -> Turn:
    """Open an address for some epochs."""
    page.goto(place)
    first = len(ends) + EPOCHS_PASSED_OVER
    wait_for(page, ends, first)
    before, began = (processor_seconds(server), processor_seconds(own)), time.perf_counter()
    wait_for(page, ends, first + EPOCHS_COUNTED)
    capacity = (time.perf_counter() - began) * (psutil.cpu_count() or 1)
    counted = ends[first - 1 : first + EPOCHS_COUNTED]
    after = (processor_seconds(server), processor_seconds(own))
    page.wait_for_timeout(TARGET_SECONDS * 2000)  # the last ones may be seen late
    seen = {int(epoch): when for epoch, when in page.evaluate("window.seen").items()}
    last = first + EPOCHS_COUNTED
    return Turn(
        [later - earlier for earlier, later in itertools.pairwise(counted)],
        [when - ends[epoch - 1] for epoch, when in seen.items() if first < epoch <= last],
        (after[0] - before[0]) / capacity,
        (after[1] - before[1]) / capacity,
    )


def wait_for(page: Page, ends: list[float], count: int) -> None:
    """Wait until so many epochs have ended."""
    while len(ends) < count:
        page.wait_for_timeout(200)


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


def process_with(*words: str) -> psutil.Process:
    """Return the process, started by this one, in whose command some words are."""
    return next(
        child
        for child in psutil.Process().children(recursive=True)
        if set(words) <= set(_command_line(child))
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
    pairs = max(2, int(sys.argv[1])) if sys.argv[1:] else PAIRS
    with tempfile.TemporaryDirectory() as folder:
        found = take_turns(Path(folder) / "modelkb", pairs)
    alone, watched = found[::2], found[1::2]
    delays = [delay for turn in watched for delay in turn.delays]
    print(f"{len(delays)} of {pairs * EPOCHS_COUNTED} epochs seen one by one:", end=" ")
    print(f"median {statistics.median(delays):.2f} s, most {max(delays):.2f}", end=" ")
    print(f"(target {TARGET_SECONDS:.0f})")
    print_cost(alone, watched)
    for who in ("server", "browser"):
        share = statistics.median(getattr(turn, who) for turn in watched)
        print(f"  the {who}'s share of the machine: {share:.2%}")


def print_cost(alone: list[Turn], watched: list[Turn]) -> None:
    """Print by how much epochs are longer that are looked at, and how sure that is."""
    means = [[statistics.mean(turn.epoch_seconds) for turn in turns] for turns in (alone, watched)]
    longer = [after / before - 1 for before, after in zip(*means, strict=True)]
    error = statistics.stdev(longer) / math.sqrt(len(longer))
    print(f"  an epoch alone: {statistics.median(means[0]):.3f} s;", end=" ")
    print(f"looked at: {statistics.median(means[1]):.3f} s;", end=" ")
    print(f"longer by {statistics.mean(longer):+.2%} (+-{error:.2%}; target {TARGET_COST:.0%})")


if __name__ == "__main__":
    main()
