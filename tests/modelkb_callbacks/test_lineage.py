"""Which experiment a model came out of."""

from __future__ import annotations

import gc
import textwrap
import weakref
from pathlib import Path
from typing import Any

import keras
import pytest

import modelkb_callbacks
from modelkb_callbacks import ModelKB, active_recordings, lineage
from modelkb_store import Experiment, Store
from trainings import BUILDERS, CLASSES, FEATURES, Data, Fit, compiled, functional, sequential
from warm_python import WarmPython


def parent(experiment: Experiment) -> str | None:
    """The experiment that this one continues."""
    return experiment.record.parent_experiment_id


@pytest.mark.parametrize("name", BUILDERS)
def test_a_model_that_is_trained_again(name: str, data: Data, fit: Fit) -> None:
    model = compiled(BUILDERS[name]())
    first, second, third = (fit(model, data.x, data.classes).experiment for _ in range(3))
    assert parent(first) is None
    assert parent(second) == first.id
    assert parent(third) == second.id


def test_fresh_models_of_one_seed_are_no_relatives(data: Data, fit: Fit) -> None:
    for _ in range(2):
        keras.utils.set_random_seed(1)
        assert parent(fit(compiled(functional()), data.x, data.classes).experiment) is None


def test_a_run_that_changed_nothing_is_no_parent(data: Data, fit: Fit) -> None:
    def still(model: keras.Model) -> keras.Model:
        model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
        return model

    keras.utils.set_random_seed(1)
    model = functional()
    assert parent(fit(still(model), data.x, data.classes).experiment) is None
    second = fit(compiled(model), data.x, data.classes).experiment
    assert parent(second) is None
    third = fit(still(model), data.x, data.classes).experiment
    assert parent(third) == second.id
    assert parent(fit(compiled(model), data.x, data.classes).experiment) == second.id

    keras.utils.set_random_seed(1)
    assert parent(fit(compiled(functional()), data.x, data.classes).experiment) is None


def test_a_run_that_failed_is_a_parent_of_the_model_that_it_changed(
    data: Data, fit: Fit, store: Path
) -> None:
    def fail(epoch: int, logs: Any) -> None:
        raise ValueError("enough")

    model = compiled(sequential())
    recorder = ModelKB(store=store, strict=True)
    with pytest.raises(ValueError, match="enough"):
        model.fit(
            data.x,
            data.classes,
            verbose=0,
            callbacks=[recorder, keras.callbacks.LambdaCallback(on_epoch_end=fail)],
        )
    assert parent(fit(model, data.x, data.classes).experiment) == recorder.experiment_id


@pytest.mark.parametrize("same_process", [True, False])
def test_a_frozen_base_in_a_new_model(same_process: bool, data: Data, fit: Fit) -> None:
    base = keras.Sequential(
        [keras.Input((FEATURES,)), keras.layers.Dense(4), keras.layers.Dense(CLASSES)]
    )
    first = fit(compiled(base), data.x, data.classes).experiment
    # Another process has other objects: so do loaded ones here.
    base = base if same_process else first.load_model()
    base.trainable = False
    inputs = keras.Input((FEATURES,))
    model = keras.Model(inputs, keras.layers.Dense(CLASSES)(base(inputs)))
    assert parent(fit(compiled(model), data.x, data.classes).experiment) == first.id


def deep() -> keras.Model:
    """A model with layers to be taken out."""
    inputs = keras.Input((FEATURES,))
    hidden = keras.layers.Dense(16, activation="relu", name="first")(inputs)
    hidden = keras.layers.Dense(4, activation="relu", name="features")(hidden)
    return keras.Model(inputs, keras.layers.Dense(CLASSES, activation="softmax")(hidden))


def with_new_head(model: keras.Model, layer: str) -> keras.Model:
    """A model of one's layers up to this one, and an untrained one."""
    hidden = model.get_layer(layer).output
    return keras.Model(model.inputs, keras.layers.Dense(CLASSES, activation="softmax")(hidden))


@pytest.mark.parametrize("frozen", [False, True])
def test_a_new_head_on_the_layers_of_a_trained_model(frozen: bool, data: Data, fit: Fit) -> None:
    base = deep()
    first = fit(compiled(base), data.x, data.classes).experiment
    model = with_new_head(base, "features")
    base.trainable = not frozen
    assert parent(fit(compiled(model), data.x, data.classes).experiment) == first.id


def test_the_inner_layers_of_a_trained_model(data: Data, fit: Fit) -> None:
    base = deep()
    first = fit(compiled(base), data.x, data.classes).experiment
    model = keras.Model(base.inputs, base.get_layer("features").output)
    model.compile("sgd", "mse")
    assert parent(fit(model, data.x, data.x[:, :4]).experiment) == first.id


def test_layers_of_two_models_are_of_the_larger_part(data: Data, fit: Fit) -> None:
    large, small = deep(), deep()
    first = fit(compiled(large), data.x, data.classes).experiment
    fit(compiled(small), data.x, data.classes)
    inputs = keras.Input((FEATURES,))
    of_small = small.get_layer("features")(keras.layers.Dense(16)(inputs))
    of_large = large.get_layer("first")(inputs)
    joined = keras.layers.Concatenate()([of_small, of_large])
    outputs = keras.layers.Dense(CLASSES, activation="softmax")(joined)
    model = keras.Model(inputs, outputs)
    assert parent(fit(compiled(model), data.x, data.classes).experiment) == first.id


def test_a_layer_that_was_frozen_is_no_product(data: Data, fit: Fit) -> None:
    base = deep()
    base.get_layer("first").trainable = False
    fit(compiled(base), data.x, data.classes)
    model = with_new_head(base, "first")
    assert parent(fit(compiled(model), data.x, data.classes).experiment) is None


def test_layers_are_not_kept_alive(data: Data, fit: Fit) -> None:
    def train() -> weakref.ref[Any]:
        base = deep()
        fit(compiled(base), data.x, data.classes)
        layer = base.get_layer("features")
        assert active_recordings.last_of_layer(layer) is not None
        return weakref.ref(layer)

    layer = train()
    keras.utils.clear_session()
    gc.collect()
    assert layer() is None


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("keras", "sequential"),
        ("keras", "functional"),
        ("weights", "functional"),
        ("weights", "subclassed"),
        ("load_model", "sequential"),
        ("load_model", "subclassed"),
    ],
)
def test_a_model_that_was_loaded(
    form: str, name: str, data: Data, fit: Fit, tmp_path: Path
) -> None:
    fitted = fit(compiled(BUILDERS[name]()), data.x, data.classes)
    if form == "keras":
        fitted.model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    elif form == "weights":
        fitted.model.save_weights(tmp_path / "model.weights.h5")
        loaded = BUILDERS[name]()
        loaded(data.x)
        loaded.load_weights(tmp_path / "model.weights.h5")
    else:
        loaded = fitted.experiment.load_model()
    again = fit(compiled(loaded), data.x, data.classes).experiment
    assert parent(again) == fitted.experiment.id


def test_ids_of_weights(data: Data) -> None:
    model = sequential()
    assert lineage.weights_id(model) is None
    model.build((None, FEATURES))
    found = lineage.weights_id(model)
    assert lineage.weights_id(model) == found
    model.trainable = False
    assert lineage.weights_id(model) == found
    model.layers[0].bias.assign_add([1.0] * 8)
    assert lineage.weights_id(model) != found
    assert lineage.weights_id(keras.Sequential([keras.Input((2,)), keras.layers.ReLU()])) is None


def test_a_damaged_note_is_no_parent_and_stops_nothing(data: Data, fit: Fit, store: Path) -> None:
    fitted = fit(compiled(functional()), data.x, data.classes)
    (note,) = (store / "trained_weights").rglob("*.parquet")
    note.write_bytes(b"PAR1")
    loaded = fitted.experiment.load_model()
    recorder = ModelKB(store=store)
    with pytest.warns(UserWarning, match="parent"):
        loaded.fit(data.x, data.classes, verbose=0, callbacks=[recorder])
    record = Store(store).experiment(recorder.experiment_id).record
    assert record.parent_experiment_id is None
    assert record.status == "finished"


AGAIN = textwrap.dedent(
    """
    import sys
    import keras, numpy as np
    import modelkb_callbacks
    from modelkb_store import Store

    _, store, experiment_id, path = sys.argv
    kept = Store(store).experiment(experiment_id).load_model()
    for model in (kept, keras.saving.load_model(path)):
        model.compile("sgd", "mse")
        model.xfit(np.zeros((8, 4), "float32"), np.ones((8, 1)), verbose=0)
    """
)


@pytest.mark.slow
def test_in_another_process(
    store: Path,
    tmp_path: Path,
    fit: Fit,
    warm_python: WarmPython,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import numpy as np

    monkeypatch.setenv("MODELKB_STORE", str(store))
    monkeypatch.setenv("MODELKB_PROJECT", "other project")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    first = fit(model, np.ones((8, 4)), np.zeros((8, 1))).experiment
    path = tmp_path / "model.keras"
    model.save(path)
    ended = warm_python.run(AGAIN, store, first.id, path)
    assert ended.returncode == 0, ended.stderr
    ways = Store(store).experiments("other project")["experiment_id"]
    assert [parent(Store(store).experiment(each)) for each in ways] == [first.id] * 2


def test_the_weights_at_the_start_are_named(data: Data, fit: Fit) -> None:
    keras.utils.set_random_seed(1)
    model = compiled(functional())
    initial = lineage.weights_id(model)
    first = fit(model, data.x, data.classes).experiment
    trained = lineage.weights_id(model)
    second = fit(model, data.x, data.classes).experiment
    assert first.record.initial_weights_id == initial
    assert second.record.initial_weights_id == trained != initial


def test_the_weights_at_the_start_of_a_block_and_of_a_model_that_fit_builds(
    data: Data, store: Path
) -> None:
    model = compiled(sequential())
    with modelkb_callbacks.experiment(model, store=store) as run:
        model.fit(data.x, data.classes, verbose=0, epochs=0)
        initial = lineage.weights_id(model)
        model.fit(data.x, data.classes, verbose=0)
    record = Store(store).experiment(run.experiment_id).record
    assert record.initial_weights_id == initial is not None
