"""The digits are recorded alike on every backend of Keras that is installed."""

from __future__ import annotations

import importlib.util
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Store
from warm_python import WarmPython

RANDOM_STATES = Path(__file__).parents[1] / "test_random_states.py"

# All other tests run on TensorFlow.
OTHERS = ("jax", "torch")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=["tensorflow", "jax", "torch"])
def backend(request: pytest.FixtureRequest) -> str:
    """A backend that is installed."""
    name = str(request.param)
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed; pip install 'modelkb[{name}]'")
    return name


@pytest.fixture(scope="module")
def python(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmPython]:
    """Runs scripts on the backend."""
    made = WarmPython(tmp_path_factory.mktemp("scripts"), backend)
    yield made
    made.close()


def printed_by(python: WarmPython, script: str, *arguments: object, **options: Any) -> str:
    """Run a script that must succeed, and return what it printed."""
    ended = python.run(script, *arguments, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.strip()


SCRIPT = textwrap.dedent(
    """
    import sys
    import keras, numpy as np
    from sklearn.datasets import load_digits
    from sklearn.metrics import confusion_matrix
    from modelkb_callbacks import ModelKB
    from modelkb_store import Store

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 8
        def __getitem__(self, index):
            return x[index * 64 : (index + 1) * 64], y[index * 64 : (index + 1) * 64]

    def train(callbacks):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ])
        for arguments in (
            {"x": x, "y": y, "validation_split": 0.2},
            {"x": x, "y": y},
            {"x": Batches(), "validation_data": Batches()},
            {"x": Batches()},
        ):
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            model.fit(epochs=2, verbose=0, shuffle=False, callbacks=callbacks, **arguments)
        return model

    plain, model = train([]), train([ModelKB(store=sys.argv[1], strict=True)])
    for one, other in zip(plain.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    store = Store(sys.argv[1])
    last = store.experiment(store.experiments()["experiment_id"].iloc[-1])
    expected = confusion_matrix(y[:512], model.predict(x[:512], verbose=0).argmax(axis=1))
    assert np.array_equal(last.confusion_matrix(), expected)
    loaded = last.load_model()
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    """
)

DATA_SCRIPT = textwrap.dedent(
    """
    import json, sys
    import keras, numpy as np
    from modelkb_callbacks import ModelKB
    from modelkb_callbacks.datasets.class_counter import label_forms
    from modelkb_callbacks.datasets.dataset_record import record_of_arrays
    from modelkb_store import Store

    random = np.random.default_rng(0)
    x, y = random.normal(size=(96, 8)).astype("float32"), random.integers(0, 3, 96)
    cut = slice(0, 30)

    class Batches(keras.utils.PyDataset):
        def __init__(self, x, y, size):
            super().__init__()
            self.x, self.y, self.size = x, y, size
        def __len__(self):
            return -(-len(self.x) // self.size)
        def __getitem__(self, index):
            rows = slice(index * self.size, (index + 1) * self.size)
            return self.x[rows], self.y[rows]

    def endless(x, y, size):
        while True:
            yield from (Batches(x, y, size)[index] for index in range(-(-len(x) // size)))

    def changed_in_place(x, y, size):
        # What was shown must stay what it was, though its memory is used again.
        kept = []
        for batch in endless(x, y, size):
            batch = [np.array(part) for part in batch]
            yield tuple(batch)
            kept.append(batch)
            if len(kept) > 4:  # Keras itself looks at some before it begins
                if keras.backend.backend() == "jax":
                    # Its steps run later, and read the very memory of what they are given.
                    import jax
                    jax.block_until_ready(jax.live_arrays())
                for part in kept.pop(0):
                    part[:] = 0

    def arguments():
        yield {"x": x, "y": y, "validation_data": (x[cut], y[cut])}, {}
        yield {"x": Batches(x, y, 10), "validation_data": Batches(x[cut], y[cut], 7)}, {}
        yield {
            "x": endless(x, y, 16), "steps_per_epoch": 6,
            "validation_data": endless(x[cut], y[cut], 10), "validation_steps": 3,
        }, {}
        if keras.backend.backend() == "torch":
            import torch
            data = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
            part = torch.utils.data.Subset(data, range(30))
            yield {
                "x": torch.utils.data.DataLoader(data, batch_size=16, shuffle=True),
                "validation_data": torch.utils.data.DataLoader(part, batch_size=4),
            }, {}
        if keras.backend.backend() == "jax":
            several = {"steps_per_execution": 3}
            yield {"x": Batches(x, y, 16), "validation_data": Batches(x[cut], y[cut], 5)}, several
        if keras.backend.backend() != "tensorflow":
            yield {
                "x": changed_in_place(x, y, 16), "steps_per_epoch": 6,
                "validation_data": (x[cut], y[cut]),
            }, {}

    def train(callbacks):
        weights = []
        for data, settings in arguments():
            keras.utils.set_random_seed(0)
            model = keras.Sequential([
                keras.layers.Dense(8, activation="relu"),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(3, activation="softmax"),
            ])
            model.compile("adam", "sparse_categorical_crossentropy", **settings)
            for again in range(2):
                if not again or "steps_per_epoch" not in data:
                    model.fit(epochs=2, verbose=0, callbacks=callbacks, **data)
            weights += model.get_weights()
        return weights

    plain = train([])
    watched = train([ModelKB(store=sys.argv[1], strict=True)])
    for one, other in zip(plain, watched, strict=True):
        assert np.array_equal(one, other)
    store = Store(sys.argv[1])
    expected = [
        record_of_arrays(a, b, range(len(a)), None, label_forms(None))[0]
        for a, b in ((x, y), (x[cut], y[cut]))
    ]
    for run in (store.experiment(id) for id in store.experiments()["experiment_id"]):
        assert "no fingerprint" not in " ".join(run.record.problems), run.record.problems
        for split, record in zip(("train", "validation"), expected):
            found = run.dataset(split)
            assert found["fingerprint"] == record.fingerprint, (split, found)
            assert found["class_counts"] == list(record.class_counts)
            assert json.loads(found["inputs"])[0]["max"] == json.loads(record.inputs)[0]["max"]
            assert json.loads(found["inputs"])[0]["dtype"] == "float32"
    print(expected[0].fingerprint)
    """
)

AUTOLOG_SCRIPT = textwrap.dedent(
    """
    import sys
    import modelkb_callbacks
    import keras, numpy as np

    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("int64")

    def train():
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.layers.Dense(4), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        results = [model.fit(x, y, validation_split=0.25, epochs=2, verbose=0).history]
        results.append(model.evaluate(x, y, verbose=0))
        results.append(model.predict(x, verbose=0).tolist())
        results.append(model.fit(x, y, epochs=2, verbose=0).history)
        return results, [weights.tolist() for weights in model.get_weights()]

    plain = train()
    modelkb_callbacks.autolog(store=sys.argv[1], strict=True)
    assert train() == plain
    modelkb_callbacks.disable()
    assert keras.Model.fit is super(keras.Model, keras.Model).fit
    print(keras.config.backend())
    """
)


def test_data_of_every_kind(python: WarmPython, store: Path) -> None:
    printed = printed_by(python, DATA_SCRIPT, store)
    assert printed == "e25c64f121031ca55b6ebc19b4abc19c", "the same everywhere"


def test_digits(backend: str, python: WarmPython, store: Path) -> None:
    printed_by(python, SCRIPT, store)
    opened = Store(store)
    runs = [opened.experiment(i) for i in opened.experiments()["experiment_id"]]
    assert {run.environment()["backend"] for run in runs} == {backend}
    counts = [run.confusion_matrix().to_numpy().sum() for run in runs]
    assert counts[:2] == [360, 1797]
    for run, count in zip(runs[2:], counts[2:], strict=True):
        # Predicting again ends early where the machine is busy, and says so.
        assert count == 512 or (count >= 32 and run.evaluations()["sampled"].iloc[0])
    assert [run.evaluations()["split"].iloc[0] for run in runs] == [
        "validation",
        "train",
        "validation",
        "train",
    ]
    assert all(run.record.problems == () for run in runs)
    for run in runs:
        rows = run.table("epochs").to_pylist()
        assert [row["epoch"] for row in rows] == [0, 1]
        assert {row["initial_learning_rate"] for row in rows} == {0.001}
        assert {row["final_learning_rate"] for row in rows} == {0.001}


@pytest.mark.parametrize("backend", OTHERS, indirect=True, scope="module")
def test_autolog(backend: str, python: WarmPython, store: Path) -> None:
    assert printed_by(python, AUTOLOG_SCRIPT, store) == backend
    opened = Store(store)
    first, second = (opened.experiment(i) for i in opened.experiments()["experiment_id"])
    assert first.record.problems == second.record.problems == ()
    assert second.record.parent_experiment_id == first.id
    assert set(first.metrics()["split"]) == {"train", "validation", "test"}
    assert first.table("predictions").num_rows == 1


@pytest.mark.parametrize("backend", OTHERS, indirect=True, scope="module")
def test_random_states(backend: str, python: WarmPython) -> None:
    printed_by(
        python, f"import pytest; raise SystemExit(pytest.main(['-q', {str(RANDOM_STATES)!r}]))"
    )
