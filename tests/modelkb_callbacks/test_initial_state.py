"""A training can be started again where it started."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import modelkb_callbacks
from modelkb_callbacks.lineage import weights_id
from modelkb_store import ArtifactNotFoundError, Experiment, Store
from trainings import FEATURES, Data, Fit, Subclassed, compiled, functional, sequential

BACKEND = keras.backend.backend()
EPOCHS = 3


def kinds(experiment: Experiment) -> list[str]:
    """Return the kinds of checkpoints, oldest first."""
    found: list[str] = experiment.checkpoints()["kind"].tolist()
    return found


def states_of(experiment: Experiment) -> dict[str, Any]:
    """Return the recorded random states."""
    rows = experiment.table("random_states").to_pylist()
    return {row["generator"]: json.loads(row["state"]) for row in rows}


def restore(states: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the process' generators into the recorded states, as a script does before ``fit``."""
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    state = states["numpy"]
    state["state"]["key"] = np.array(state["state"]["key"], "uint32")
    np.random.set_state(state)
    if "tensorflow.shuffle" in states:
        import tensorflow as tf

        with tf.device("CPU:0"):
            generator = tf.random.Generator.from_seed(states["tensorflow.shuffle"], alg="philox")

        def shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
            seeds = generator.make_seeds()[:, 0]
            return tf.random.experimental.stateless_shuffle(value, seeds)

        monkeypatch.setattr(tf.random, "shuffle", tf.autograph.experimental.do_not_convert(shuffle))


@pytest.fixture
def _unseeded(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Take away the seeds that other tests have set."""
    from keras.src.backend.common import global_state

    global_state.set_global_attribute("global_random_seed", None)
    if BACKEND == "tensorflow":
        from tensorflow.python.eager import context

        monkeypatch.setattr(context.context(), "_seed", None)


def restore_layers(model: keras.Model, states: dict[str, Any]) -> None:
    """Put the generators of the layers into the recorded states; weights files have none."""
    for name, state in states.items():
        if name.startswith("keras:layer:"):
            layer = model.get_layer(index=model_index(model, name.removeprefix("keras:layer:")))
            layer.seed_generator.state.assign(state)


def model_index(model: keras.Model, name: str) -> int:
    """Return the place of a layer of which another model has the name, but for its number."""
    base = name.rstrip("0123456789").rstrip("_")
    return next(i for i, layer in enumerate(model.layers) if layer.name.startswith(base))


def run_again(
    experiment: Experiment,
    build: Callable[[], keras.Model],
    monkeypatch: pytest.MonkeyPatch,
    *args: Any,
) -> tuple[keras.Model, dict[str, Any]]:
    """Train from the recorded start, by hand."""
    model = build()
    if not model.built:
        model(np.zeros((1, FEATURES), "float32"))
    model.load_weights(experiment.save_weights("start.weights.h5", checkpoint="initial"))
    compiled(model)
    restore_layers(model, states_of(experiment))
    restore(states_of(experiment), monkeypatch)
    history = model.fit(*args, epochs=EPOCHS, batch_size=16, verbose=0)
    return model, history.history


@pytest.mark.usefixtures("_unseeded")
@pytest.mark.parametrize("build", [sequential, functional, Subclassed])
def test_an_unseeded_run_is_done_again_to_the_bit(
    build: Callable[[], keras.Model], data: Data, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fit(compiled(build()), data.x, data.classes, epochs=EPOCHS, batch_size=16)
    assert kinds(first.experiment) == ["initial", "end"]
    assert ("tensorflow.shuffle" in states_of(first.experiment)) == (BACKEND == "tensorflow")
    again, history = run_again(first.experiment, build, monkeypatch, data.x, data.classes)
    assert history == first.history
    for mine, its in zip(again.get_weights(), first.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("build", [sequential, functional, Subclassed])
def test_a_seeded_run_needs_no_weights(
    build: Callable[[], keras.Model], data: Data, fit: Fit
) -> None:
    keras.utils.set_random_seed(4)
    experiment = fit(compiled(build()), data.x, data.classes).experiment
    assert kinds(experiment) == ["end"]
    assert "tensorflow.shuffle" not in states_of(experiment)


def test_a_model_that_was_trained_before_keeps_its_start(data: Data, fit: Fit) -> None:
    keras.utils.set_random_seed(4)
    model = compiled(functional())
    fit(model, data.x, data.classes)
    weights = model.get_weights()
    second = fit(model, data.x, data.classes).experiment
    assert kinds(second) == ["initial", "end"]
    initial = second.load_model("initial")
    for mine, its in zip(initial.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(mine, its)
    assert weights_id(second.load_model()) == weights_id(model)


def test_nothing_is_kept_where_no_weights_are_wanted(data: Data, fit: Fit) -> None:
    model = compiled(functional())
    fit(model, data.x, data.classes)
    experiment = fit(model, data.x, data.classes, settings={"save_weights": False}).experiment
    assert kinds(experiment) == []


class Stop(keras.callbacks.Callback):  # type: ignore[misc]
    """Fails in the first epoch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        raise RuntimeError("stop")


def test_the_start_is_never_taken_for_a_result(data: Data, store: Path) -> None:
    model = compiled(functional())
    model.fit(data.x, data.classes, verbose=0)
    recorder = modelkb_callbacks.ModelKB(store=store, strict=True)
    with pytest.raises(RuntimeError, match="stop"):
        model.fit(data.x, data.classes, verbose=0, callbacks=[recorder, Stop()])
    experiment = Store(store).experiment(recorder.experiment_id)
    assert kinds(experiment) == ["initial"]
    for wanted in (None, "end", "best", 0):
        with pytest.raises(ArtifactNotFoundError):
            experiment.load_model(wanted)
    assert experiment.load_model("initial").count_params() == model.count_params()


def test_a_resumed_run_keeps_the_start_that_it_has(data: Data, store: Path) -> None:
    model = compiled(functional())
    recorder = modelkb_callbacks.ModelKB(store=store, strict=True)
    with pytest.raises(RuntimeError, match="stop"):
        model.fit(data.x, data.classes, verbose=0, callbacks=[recorder, Stop()])
    before = Store(store).experiment(recorder.experiment_id)
    again = modelkb_callbacks.ModelKB(store=store, strict=True, resume=before.id)
    model.fit(data.x, data.classes, verbose=0, callbacks=[again])
    after = Store(store).experiment(before.id)
    assert kinds(after) == ["initial", "end"]
    assert states_of(after) == states_of(before)
    assert after.record.initial_weights_id == before.record.initial_weights_id


def test_a_block_starts_with_its_first_fit(data: Data, store: Path) -> None:
    model = compiled(functional())
    with modelkb_callbacks.experiment(model, store=store, project="p") as run:
        for layer in model.layers:
            layer.set_weights([each + 1 for each in layer.get_weights()])
        weights = model.get_weights()
        random.random()
        state = json.loads(json.dumps(random.getstate()))
        model.fit(data.x, data.classes, verbose=0)
        model.fit(data.x, data.classes, verbose=0)
    experiment = Store(store).experiment(run.experiment_id)
    assert kinds(experiment) == ["initial", "initial", "end"]
    for mine, its in zip(experiment.load_model("initial").get_weights(), weights, strict=True):
        np.testing.assert_array_equal(mine, its)
    assert states_of(experiment)["python"] == state


def test_a_block_without_fit_starts_where_it_begins(store: Path) -> None:
    model = compiled(functional())
    initial = weights_id(model)
    with modelkb_callbacks.experiment(model, store=store, project="p") as run:
        run.log(loss=1.0)
    experiment = Store(store).experiment(run.experiment_id)
    assert kinds(experiment) == ["initial", "end"]
    assert experiment.record.initial_weights_id == initial


def test_generators_of_layers_are_recorded_as_they_are(data: Data, fit: Fit) -> None:
    model = compiled(sequential())
    model.build((None, FEATURES))
    model(data.x, training=True)
    dropout = model.layers[1]
    state = keras.ops.convert_to_numpy(dropout.seed_generator.state).tolist()
    experiment = fit(model, data.x, data.classes).experiment
    assert kinds(experiment) == ["initial", "end"]
    assert states_of(experiment)[f"keras:layer:{dropout.name}"] == state
    assert state[1] > 0
