"""Models as a service: real models, in the process that predicts, asked over the API."""

from __future__ import annotations

import asyncio
import io
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import httpx2
import keras
from keras import layers
from PIL import Image
from sklearn.datasets import load_digits
from starlette.testclient import TestClient

from modelkb_callbacks import ModelKB
from modelkb_store import Store
from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.api.application import make_api
from modelkb_viewer.opened_predictor import opened_predictor, write_waiting_predictions
from modelkb_viewer.tokens import Scope, Tokens
from trained_models import record_digits, record_text, record_two_inputs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::modelkb_callbacks.ModelKBWarning"),
]
NPY = "application/x-npy"
IMAGES = load_digits().images[..., None].astype("float32")


def record(store: Path, model: Any, x: Any, y: Any) -> str:
    recorder = ModelKB(project="tried", store=str(store))
    model.fit(x, y, epochs=1, verbose=0, callbacks=[recorder])
    assert recorder.experiment_id is not None
    return recorder.experiment_id


def record_half_precision(store: Path) -> str:
    """Train a model that computes with float16."""
    policy = keras.DTypePolicy("mixed_float16")
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, dtype=policy), layers.Dense(2, dtype=policy)]
    )
    model.compile("sgd", "mse")
    x = np.linspace(0, 1, 24, dtype="float16").reshape(8, 3)
    return record(store, model, x, np.ones((8, 2), "float32"))


def record_bytes(store: Path) -> str:
    """Train a model of pictures as cameras give them: uint8."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3), dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3), dtype="uint8")
    return record(store, model, x, np.arange(8) % 2)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The runs of a store that is served, by what they are."""
    root = tmp_path_factory.mktemp("served") / "modelkb"
    yield {
        "store": str(root),
        "digits": record_digits(root, epochs=1),
        "two": record_two_inputs(root),
        "text": record_text(root),
        "half": record_half_precision(root),
        "bytes": record_bytes(root),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STORE_VARIABLE, str(root))
        opened_predictor().close()


@pytest.fixture(autouse=True)
def _served(runs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve the store, and have each test record all that it was answered."""
    monkeypatch.setenv(STORE_VARIABLE, runs["store"])
    yield
    write_waiting_predictions()


@pytest.fixture(scope="module")
def client(runs: dict[str, str]) -> TestClient:
    return TestClient(make_api(), raise_server_exceptions=False)


def path_of(run: str) -> str:
    return f"/experiments/{run}/predictions"


def npy(array: np.ndarray) -> bytes:
    sink = io.BytesIO()
    np.save(sink, array)
    return sink.getvalue()


def model_of(runs: dict[str, str], name: str) -> Any:
    return Store(runs["store"]).experiment(runs[name]).load_model(compile=False)


def values(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.array(answer.json()["outputs"][0]["values"])


def test_answers_are_those_of_the_model(client: TestClient, runs: dict[str, str]) -> None:
    x = IMAGES[:40]
    expected = model_of(runs, "digits").predict(x, verbose=0)
    by_json = client.post(path_of(runs["digits"]), json={"inputs": x.tolist()})
    assert np.abs(values(by_json) - expected).max() <= 1e-6
    assert by_json.json()["outputs"][0]["labels"][:2] == ["zero", "one"]
    assert by_json.json()["seconds"] > 0

    headers = {"Content-Type": NPY, "Accept": NPY}
    by_npy = client.post(path_of(runs["digits"]), content=npy(x), headers=headers)
    assert by_npy.headers["content-type"] == NPY
    assert np.abs(np.load(io.BytesIO(by_npy.content)) - expected).max() <= 1e-6


def test_a_picture_is_predicted(client: TestClient, runs: dict[str, str]) -> None:
    pixels = (IMAGES[3, ..., 0] * 15.9375).astype("uint8")
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    answer = client.post(
        path_of(runs["digits"]), content=sink.getvalue(), headers={"Content-Type": "image/png"}
    )
    x = pixels[None, ..., None].astype("float32") / 255 * 16
    expected = model_of(runs, "digits").predict(x, verbose=0)
    assert np.abs(values(answer) - expected).max() <= 1e-4
    assert answer.json()["steps"]


def test_inputs_by_name(client: TestClient, runs: dict[str, str]) -> None:
    x = {"age": np.arange(3.0, dtype="float32"), "marks": np.ones((3, 3), "float32")}
    given = {"inputs": {name: each.tolist() for name, each in x.items()}}
    answer = client.post(path_of(runs["two"]), json=given)
    expected = model_of(runs, "two").predict(x, verbose=0)
    assert np.abs(values(answer) - expected["price"]).max() <= 1e-6
    assert [each["name"] for each in answer.json()["outputs"]] == ["price", "size"]
    assert client.post(path_of(runs["two"]), json={"inputs": [1.0]}).status_code == 400


def test_texts(client: TestClient, runs: dict[str, str]) -> None:
    answer = client.post(path_of(runs["text"]), json={"inputs": ["very good", "bad film"]})
    best = values(answer).argmax(axis=1).tolist()
    assert [answer.json()["outputs"][0]["labels"][place] for place in best] == ["good", "bad"]


@pytest.mark.parametrize("name", ["half", "bytes"])
def test_other_types_of_numbers(client: TestClient, runs: dict[str, str], name: str) -> None:
    draw = np.random.default_rng(1)
    x = (
        draw.random((5, 3)).astype("float16")
        if name == "half"
        else draw.integers(0, 256, (5, 8, 8, 3), dtype="uint8")
    )
    expected = model_of(runs, name).predict(x, verbose=0)
    headers = {"Content-Type": NPY, "Accept": NPY}
    answer = client.post(path_of(runs[name]), content=npy(x), headers=headers)
    assert answer.status_code == 200, answer.text
    got = np.load(io.BytesIO(answer.content))
    assert np.abs(got.astype("float64") - expected.astype("float64")).max() <= 1e-6


def test_each_of_many_gets_its_own_answer(runs: dict[str, str]) -> None:
    expected = model_of(runs, "digits").predict(IMAGES[:120], verbose=0)
    order = list(range(120))
    random.Random(4).shuffle(order)

    async def ask_all() -> list[np.ndarray]:
        transport = httpx2.ASGITransport(app=make_api())
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:

            async def ask(place: int) -> np.ndarray:
                count = 1 + place % 3
                body = {"inputs": IMAGES[place : place + count].tolist()}
                answer = await client.post(path_of(runs["digits"]), json=body, timeout=60)
                return values(answer)

            return await asyncio.gather(*(ask(place) for place in order))

    for place, got in zip(order, asyncio.run(ask_all()), strict=True):
        wanted = expected[place : place + 1 + place % 3]
        assert np.abs(got[: len(wanted)] - wanted).max() <= 1e-6


def test_what_was_answered_is_recorded_soon(client: TestClient, runs: dict[str, str]) -> None:
    experiment = Store(runs["store"]).experiment(runs["digits"])
    write_waiting_predictions()
    before = len(experiment.predictions())
    seconds = [
        client.post(path_of(runs["digits"]), json={"inputs": IMAGES[:n].tolist()}).json()["seconds"]
        for n in (1, 2, 3)
    ]
    until = time.monotonic() + 20
    while len(rows := experiment.predictions()) < before + 3 and time.monotonic() < until:
        time.sleep(0.05)
    new = rows.iloc[before:]
    assert new["sample_count"].tolist() == [1, 2, 3]
    assert set(new["source"]) == {"api"}
    assert new["duration_seconds"].tolist() == seconds
    assert json.loads(new["output_summary"].iloc[0])[0]["shape"] == [1, 10]


def test_a_token_for_another_project_finds_no_model(
    client: TestClient, runs: dict[str, str]
) -> None:
    tokens = Tokens(Store(runs["store"]).files)
    made = [tokens.create("one", Scope.READ, project) for project in ("other", "tried")]
    body = {"inputs": IMAGES[:1].tolist()}
    try:
        statuses = [
            client.post(
                path_of(runs["digits"]), json=body, headers={"Authorization": f"Bearer {text}"}
            ).status_code
            for _, text in made
        ]
        assert statuses == [404, 200]
        tokens.revoke(made[1][0].token_id)
        headers = {"Authorization": f"Bearer {made[1][1]}"}
        assert client.post(path_of(runs["digits"]), json=body, headers=headers).status_code == 401
    finally:
        tokens.revoke(made[0][0].token_id)
