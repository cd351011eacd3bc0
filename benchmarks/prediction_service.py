"""What a served model answers: one client after the other, and many at the same time.

    python benchmarks/prediction_service.py [--seconds 10] [--clients 64]

The model of ``modelkb demo`` is asked over HTTP for one sample at a time, in a process of its own
as `modelkb serve` starts it. One client waits for each answer before it asks again; many do so at
the same time, and are predicted together. For comparison many ask the prediction process itself,
without a server, which predicts for one after the other. Clients and server share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from sklearn.datasets import load_digits

from http_client import Client, share
from modelkb_store import Store
from modelkb_viewer.demo import train_digits
from modelkb_viewer.prediction.predictor import Predictor
from store_server import StoreServer

TARGET = 5.0
_NPY = "application/x-npy"
Encode = Callable[[np.ndarray], bytes]


def as_json(image: np.ndarray) -> bytes:
    """Return a sample as the body of a request."""
    return json.dumps({"inputs": [image.tolist()]}).encode()


def as_npy(image: np.ndarray) -> bytes:
    """Return the same as a NumPy file."""
    sink = io.BytesIO()
    np.save(sink, image[None])
    return sink.getvalue()


WAYS: dict[str, tuple[Encode, dict[str, str]]] = {
    "JSON": (as_json, {"Content-Type": "application/json"}),
    "npy": (as_npy, {"Content-Type": _NPY, "Accept": _NPY}),
}


async def ask_for(
    url: str, way: str, images: np.ndarray, *, clients: int, seconds: float
) -> list[float]:
    """Have some clients ask as fast as they are answered, and return how long answers took."""
    encode, headers = WAYS[way]
    address, slash, path = url.rpartition("/api/")
    bodies = [encode(image) for image in images]
    until = time.perf_counter() + seconds
    taken: list[float] = []

    async def one(number: int) -> None:
        client = Client(address)
        place = number
        while time.perf_counter() < until:
            began = time.perf_counter()
            answer = await client.ask("POST", slash + path, bodies[place % len(bodies)], headers)
            assert answer.status == 200, answer.body
            taken.append(time.perf_counter() - began)
            place += clients
        await client.close()

    await asyncio.gather(*(one(number) for number in range(clients)))
    return taken


def alone(store: Path, run: str, images: np.ndarray, clients: int, seconds: float) -> list[float]:
    """Return the same of threads that ask the prediction process for one sample each."""
    predictor, experiment = Predictor(str(store)), Store(store).experiment(run)
    predictor.predict(experiment, None, [images[:1]])
    until = time.perf_counter() + seconds

    def one(number: int) -> list[float]:
        taken = []
        while time.perf_counter() < until:
            began = time.perf_counter()
            predictor.predict(experiment, None, [images[number : number + 1]])
            taken.append(time.perf_counter() - began)
        return taken

    with ThreadPoolExecutor(clients) as pool:
        found = [each for taken in pool.map(one, range(clients)) for each in taken]
    predictor.close()
    return found


def told(name: str, taken: list[float], seconds: float) -> float:
    """Print what came out, and return how many were answered in a second."""
    rate = len(taken) / seconds
    p50, p99 = share(taken, 0.5) * 1e3, share(taken, 0.99) * 1e3
    print(f"  {name:34}{rate:8.0f} /s  p50 {p50:7.1f} ms  p99 {p99:7.1f} ms", flush=True)
    return rate


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    images = load_digits().images[..., None].astype("float32") / 16
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "modelkb"
        run = train_digits(str(store), verbose=0)
        path = f"/api/v1/experiments/{run}/predictions"
        server = StoreServer(store)
        server.start()
        try:
            measure(options, server, path, images)
        finally:
            server.stop()
        rows = Store(store).experiment(run).predictions()
        print(f"  {len(rows):,} predictions recorded")
        name = f"{options.clients} in turn, without the server"
        told(name, alone(store, run, images, options.clients, options.seconds), options.seconds)


def measure(
    options: argparse.Namespace, server: StoreServer, path: str, images: np.ndarray
) -> None:
    """Measure each way with one client and with many."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"one sample a request, {os.cpu_count()} processors, load {load}")

    def ask(way: str, clients: int, seconds: float) -> list[float]:
        return asyncio.run(
            ask_for(server.address + path, way, images, clients=clients, seconds=seconds)
        )

    answered = 0
    for way in WAYS:
        for clients in (1, options.clients):  # loads the model, and compiles for some sizes
            answered += len(ask(way, clients, 3.0))
        rates = []
        for clients, name in ((1, "one by one"), (options.clients, f"{options.clients} at once")):
            taken = ask(way, clients, options.seconds)
            answered += len(taken)
            rates.append(told(f"{way}, {name}", taken, options.seconds))
        print(f"  {way}: {rates[1] / rates[0]:.1f} times (target {TARGET:g})")
    print(f"  {answered:,} answered")


if __name__ == "__main__":
    main()
