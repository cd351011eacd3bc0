"""What real trainings record of their data, in whatever container it comes."""

from __future__ import annotations

import json
import math
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from described import described
from modelkb_callbacks import ModelKB
from modelkb_callbacks.datasets import array_profile
from modelkb_callbacks.datasets.dataset_watch import DatasetWatch
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import current_framework
from modelkb_store import Experiment, Store
from trainings import CLASSES, SAMPLES, Data, Fit, compiled, sequential

SOURCE = '[{"loader":"load_digits","name":null,"source":null}]'


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """A PyDataset."""

    def __init__(self, x: Any, y: Any, size: int) -> None:
        super().__init__()
        self.x, self.y, self.size = x, y, size

    def __len__(self) -> int:
        return math.ceil(len(self.x) / self.size)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        rows = slice(index * self.size, (index + 1) * self.size)
        return self.x[rows], self.y[rows]


def tf_data(x: Any, y: Any, size: int = 16) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(size)


def batches(x: Any, y: Any, size: int = 16, times: int = 1) -> Iterator[tuple[Any, Any]]:
    for _ in range(times):
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]


def shuffled(x: Any, y: Any, size: int) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)).batch(size)


CONTAINERS: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "arrays": lambda x, y: {"x": x, "y": y},
    "wide arrays": lambda x, y: {"x": x.astype("float64"), "y": y[:, None].astype("uint8")},
    "frames": lambda x, y: {"x": pd.DataFrame(x), "y": pd.Series(y)},
    "tensors": lambda x, y: {"x": tf.constant(x), "y": tf.constant(y)},
    "tf.data": lambda x, y: {"x": tf_data(x, y)},
    "shuffled tf.data": lambda x, y: {"x": shuffled(x, y, 7)},
    "PyDataset": lambda x, y: {"x": Batches(x, y, 10)},
    "generator": lambda x, y: {"x": batches(x, y, times=2), "steps_per_epoch": 6},
    "ended generator": lambda x, y: {"x": batches(x, y, 32)},
    "endless tf.data": lambda x, y: {"x": tf_data(x, y).repeat(), "steps_per_epoch": 6},
}


def data_problems(experiment: Experiment) -> list[str]:
    """Return what is said of fingerprints that are missing."""
    return [each for each in experiment.record.problems if each.startswith("no fingerprint")]


@pytest.fixture
def expected(data: Data, store: Path) -> Experiment:
    """A run on the arrays, in a store of its own."""
    recorder = ModelKB(store=store.with_name("expected"), strict=True)
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=[recorder])
    return Store(store.with_name("expected")).experiment(recorder.experiment_id)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("container", CONTAINERS)
def test_equal_data_in_any_container(
    container: str, data: Data, fit: Fit, expected: Experiment
) -> None:
    fitted = fit(compiled(sequential()), epochs=1, **CONTAINERS[container](data.x, data.classes))
    found, known = fitted.experiment.dataset(), expected.dataset()
    assert data_problems(fitted.experiment) == []
    assert found["fingerprint"] == known["fingerprint"]
    assert found["fingerprint_sample_count"] == SAMPLES
    assert found["class_counts"] == np.bincount(data.classes).tolist()
    for found_text, values in ((found["inputs"], data.x), (found["targets"], data.classes)):
        (leaf,) = json.loads(found_text)
        assert leaf["min"] == pytest.approx(values.min(), rel=1e-6)
        assert leaf["max"] == pytest.approx(values.max(), rel=1e-6)
        assert leaf["shape"] in (list(values.shape[1:]), [1])
    assert fitted.experiment.same_data(expected) is True

    other = data.x.copy()
    other[17, 3] += 0.5
    changed = fit(compiled(sequential()), epochs=1, **CONTAINERS[container](other, data.classes))
    assert changed.experiment.same_data(expected) is False
    assert changed.experiment.record.dataset_id != fitted.experiment.record.dataset_id


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize(
    ("container", "scope", "samples", "batch_count"),
    [
        ("arrays", "all", SAMPLES, None),
        ("tf.data", "epoch", SAMPLES, 6),
        ("PyDataset", "epoch", SAMPLES, 10),
        ("generator", "epoch", None, None),  # it might have more
        ("ended generator", "epoch", SAMPLES, None),
        ("endless tf.data", "epoch", None, None),
    ],
)
def test_sizes(
    container: str, scope: str, samples: int | None, batch_count: int | None, data: Data, fit: Fit
) -> None:
    fitted = fit(compiled(sequential()), epochs=1, **CONTAINERS[container](data.x, data.classes))
    found = fitted.experiment.dataset()
    assert found["fingerprint_scope"] == scope
    assert (found["sample_count"], found["batch_count"]) == (samples, batch_count)


def test_an_epoch_that_is_cut_is_not_all_there_is(data: Data, fit: Fit) -> None:
    dataset = tf_data(data.x, data.classes)
    found = fit(compiled(sequential()), dataset, steps_per_epoch=2, epochs=2).experiment.dataset()
    assert (found["fingerprint_scope"], found["fingerprint_sample_count"]) == ("epoch", 32)
    assert (found["sample_count"], found["batch_count"]) == (None, 6)


@pytest.mark.parametrize("kind", ["tf.data", "PyDataset", "generator", "arrays", "split"])
def test_validation_data(kind: str, data: Data, fit: Fit) -> None:
    x, y = data.x[64:], data.classes[64:]
    arguments: dict[str, Any] = {
        "tf.data": {"validation_data": tf_data(x, y, 5)},
        "PyDataset": {"validation_data": Batches(x, y, 9)},
        "generator": {"validation_data": batches(x, y, 8, times=3), "validation_steps": 4},
        "arrays": {"validation_data": (x, y)},
        "split": {"x": data.x, "y": data.classes, "validation_split": 1 / 3},
    }[kind]
    training = {} if kind == "split" else {"x": tf_data(data.x[:64], data.classes[:64])}
    fitted = fit(compiled(sequential()), epochs=2, **training, **arguments)
    assert data_problems(fitted.experiment) == []
    found = fitted.experiment.dataset("validation")
    assert found["fingerprint"] == described(x, y).fingerprint
    assert found["class_counts"] == np.bincount(y, minlength=CLASSES).tolist()
    trained = fitted.experiment.dataset()
    assert trained["fingerprint"] == described(data.x[:64], data.classes[:64]).fingerprint
    # The same pass still gives the evaluation.
    evaluation = fitted.experiment.evaluations().iloc[0]
    assert (evaluation["source"], evaluation["sample_count"]) == ("validation_pass", 32)


def test_validation_data_under_xla_and_in_a_second_fit(data: Data, fit: Fit) -> None:
    for settings in ({"jit_compile": True}, {"run_eagerly": True}):
        model = compiled(sequential(), **settings)
        for _ in range(2):
            fitted = fit(
                model,
                tf_data(data.x, data.classes),
                validation_data=tf_data(data.x, data.classes, 10),
                epochs=1,
            )
            assert data_problems(fitted.experiment) == []
            training, validation = (
                fitted.experiment.dataset(split) for split in ("train", "validation")
            )
            assert training["fingerprint"] == validation["fingerprint"] is not None
            assert len(fitted.experiment.evaluations()) == 1


def test_an_evaluation_of_the_users_in_between_is_not_validation_data(
    data: Data, fit: Fit, store: Path
) -> None:
    other = tf_data(data.x[:10], data.classes[:10])
    model = compiled(sequential())
    evaluate = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: model.evaluate(other, verbose=0)
    )
    fit(model, data.x, data.classes, epochs=1)  # traces train alone
    model = compiled(sequential())
    recorder = ModelKB(store=store, strict=True)
    model.fit(
        tf_data(data.x, data.classes),
        validation_data=tf_data(data.x, data.classes),
        verbose=0,
        callbacks=[recorder, evaluate],
    )
    found = Store(store).experiment(recorder.experiment_id).dataset("validation")
    assert found["fingerprint"] == described(data.x, data.classes).fingerprint


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_run_that_stops_in_its_first_epoch_has_seen_a_part(
    error: type[BaseException], data: Data, store: Path
) -> None:
    def stop(batch: int, logs: Any) -> None:
        if batch == 2:
            raise error("stop")

    recorder = ModelKB(store=store, strict=True)
    with pytest.raises(error):
        compiled(sequential()).fit(
            tf_data(data.x, data.classes),
            epochs=2,
            verbose=0,
            callbacks=[recorder, keras.callbacks.LambdaCallback(on_train_batch_end=stop)],
        )
    experiment = Store(store).experiment(recorder.experiment_id)
    found = experiment.dataset()
    assert (found["fingerprint_scope"], found["fingerprint_sample_count"]) == ("part", 48)
    assert found["sample_count"] is None
    part = described(data.x[:48], data.classes[:48])
    assert found["fingerprint"] == part.fingerprint
    assert experiment.model()["dataset_id"] == experiment.record.dataset_id is not None


@pytest.mark.parametrize("container", ["tf.data", "ended generator"])
def test_a_callback_that_stops_within_the_first_epoch_leaves_a_part(
    container: str, data: Data, store: Path
) -> None:
    """As ``TerminateOnNaN`` does."""
    model, recorder = compiled(sequential()), ModelKB(store=store, strict=True)

    def stop(batch: int, logs: Any) -> None:
        model.stop_training = model.stop_training or batch == 1

    callbacks = [recorder, keras.callbacks.LambdaCallback(on_train_batch_end=stop)]
    arguments = CONTAINERS[container](data.x, data.classes)
    model.fit(**arguments, epochs=2, verbose=0, callbacks=callbacks)
    found = Store(store).experiment(recorder.experiment_id).dataset()
    assert (found["fingerprint_scope"], found["sample_count"]) == ("part", None)
    assert found["fingerprint_sample_count"] < SAMPLES


def test_the_last_epoch_may_be_the_first(data: Data, store: Path) -> None:
    model, recorder = compiled(sequential()), ModelKB(store=store, strict=True)

    def stop(epoch: int, logs: Any) -> None:
        model.stop_training = True

    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=stop), recorder]
    model.fit(tf_data(data.x, data.classes), epochs=2, verbose=0, callbacks=callbacks)
    found = Store(store).experiment(recorder.experiment_id).dataset()
    assert (found["fingerprint_scope"], found["sample_count"]) == ("epoch", SAMPLES)


def test_a_dataset_that_fails_leaves_what_was_seen(data: Data, store: Path) -> None:
    class Failing(Batches):
        def __getitem__(self, index: int) -> tuple[Any, Any]:
            if index == 3:
                raise OSError("the disk is gone")
            return super().__getitem__(index)

    recorder = ModelKB(store=store, strict=True)
    with pytest.raises(Exception, match="the disk is gone"):
        compiled(sequential()).fit(
            Failing(data.x, data.classes, 16), shuffle=False, verbose=0, callbacks=[recorder]
        )
    found = Store(store).experiment(recorder.experiment_id).dataset()
    assert found["kind"] == "keras.utils.PyDataset"
    assert found["fingerprint_scope"] in ("part", None)


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"steps_per_execution": 3}, "several steps"), ({}, "trained or evaluated before")],
)
def test_why_there_is_no_fingerprint(
    settings: dict[str, Any], why: str, data: Data, fit: Fit
) -> None:
    model = compiled(sequential(), **settings)
    if not settings:
        model.fit(data.x, data.classes, verbose=0)
    fitted = fit(model, tf_data(data.x, data.classes), epochs=1)
    (problem,) = data_problems(fitted.experiment)
    assert problem.startswith("no fingerprint of the training data: ")
    assert why in problem
    found = fitted.experiment.dataset()
    assert found["fingerprint"] is found["fingerprint_scope"] is found["class_counts"] is None
    assert json.loads(found["inputs"]) == [{"name": None, "shape": [8], "dtype": "float32"}]
    assert fitted.experiment.model()["dataset_id"] == fitted.experiment.record.dataset_id


def test_ragged_batches_have_none_and_sparse_ones_that_of_dense(data: Data, fit: Fit) -> None:
    ragged = tf.ragged.constant([[1, 2], [3], [4, 5, 6], [7]] * 4)
    words = keras.Input((None,), dtype="int32", ragged=True)
    pooled = keras.layers.Lambda(
        lambda t: tf.reduce_mean(tf.cast(t, tf.float32), axis=1, keepdims=True),
        output_shape=(1,),
    )(words)
    model = compiled(keras.Model(words, keras.layers.Dense(2, activation="softmax")(pooled)))
    labels = np.arange(16) % 2
    fitted = fit(model, tf_data(ragged, labels, 4), epochs=1)
    assert "ragged tensors" in " ".join(data_problems(fitted.experiment))
    assert fitted.experiment.dataset()["fingerprint"] is None

    x = np.where(data.x > 0, data.x, 0)
    points = keras.Input((8,), sparse=True)
    model = compiled(keras.Model(points, keras.layers.Dense(3, activation="softmax")(points)))
    dataset = tf_data(x, data.classes).map(lambda x, y: (tf.sparse.from_dense(x), y))
    fitted = fit(model, dataset, epochs=1)
    expected = described(x, data.classes).fingerprint
    assert fitted.experiment.dataset()["fingerprint"] == expected


def test_several_inputs_by_name_and_weighted_samples(data: Data, fit: Fit) -> None:
    inputs = {name: keras.Input((8,), name=name) for name in ("left", "right")}
    joined = keras.layers.Add()(list(inputs.values()))
    model = keras.Model(inputs, {"kind": keras.layers.Dense(3, activation="softmax")(joined)})
    x, y = {"right": data.x, "left": -data.x}, {"kind": data.classes}
    weights = np.ones(SAMPLES, dtype="float32")
    whole = [(x, y)]
    ids = set()
    for arguments in (
        {"x": x, "y": y, "sample_weight": weights},
        {"x": tf.data.Dataset.from_tensor_slices((x, y, weights)).batch(20)},
        {"x": (batch for batch in whole), "steps_per_epoch": 1},
    ):
        fitted = fit(compiled(model), epochs=1, **arguments)
        found = fitted.experiment.dataset()
        assert [leaf["name"] for leaf in json.loads(found["inputs"])] == ["left", "right"]
        assert [leaf["name"] for leaf in json.loads(found["targets"])] == ["kind"]
        assert found["class_counts"] == np.bincount(data.classes).tolist()
        ids.add(found["fingerprint"])
    assert len(ids) == 1


def test_data_without_labels(data: Data, fit: Fit) -> None:
    class Autoencoder(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = keras.layers.Dense(8)

        def call(self, inputs: Any) -> Any:
            return self.layer(inputs)

        def compute_loss(self, x: Any, y: Any, y_pred: Any, *_: Any, **__: Any) -> Any:
            return keras.ops.mean((x - y_pred) ** 2)

    for x in (data.x, tf.data.Dataset.from_tensor_slices(data.x).batch(16)):
        model = Autoencoder()
        model.compile("sgd")
        found = fit(model, x, epochs=1).experiment.dataset()
        assert found["fingerprint"] == described(data.x, None).fingerprint
        assert found["targets"] is found["class_counts"] is None


def test_padded_batches_of_different_widths(fit: Fit) -> None:
    words = [np.arange(1, 2 + n % 4) for n in range(12)]
    dataset = tf.data.Dataset.from_generator(
        lambda: ((w, len(w) % 2) for w in words),
        output_signature=(tf.TensorSpec((None,), tf.int32), tf.TensorSpec((), tf.int32)),
    ).padded_batch(3)
    layers = [keras.layers.Embedding(9, 4), keras.layers.GlobalAveragePooling1D()]
    model = compiled(keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")]))
    with pytest.warns(UserWarning, match="Your input ran out of data"):
        found = fit(model, dataset, epochs=2).experiment.dataset()
    assert json.loads(found["inputs"])[0]["shape"] == [None]
    assert (found["sample_count"], found["fingerprint_scope"]) == (12, "epoch")


def test_nothing_is_counted_of_a_regression(data: Data, fit: Fit) -> None:
    targets = data.classes[:, None]  # whole numbers, but of a regression
    for arguments in ({"x": data.x, "y": targets}, {"x": tf_data(data.x, targets)}):
        model = sequential(1, activation=None)
        model.compile("adam", "mse")
        found = fit(model, epochs=1, **arguments).experiment.dataset()
        assert found["class_counts"] is None
        assert json.loads(found["targets"])[0]["max"] == 2


def test_large_arrays_say_that_rows_were_read(
    data: Data, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_profile, "WORK_BYTES", 30_000)
    experiment = fit(compiled(sequential()), data.x, data.classes).experiment
    found = experiment.dataset()
    assert found["fingerprint_scope"] == "rows"
    assert found["fingerprint_sample_count"] < SAMPLES == found["sample_count"]
    assert found["class_counts"] == np.bincount(data.classes).tolist()
    again = fit(compiled(sequential()), data.x.copy(), data.classes).experiment
    assert experiment.same_data(again) is True
    order = np.random.default_rng(0).permutation(SAMPLES)
    other = fit(compiled(sequential()), data.x[order], data.classes[order]).experiment
    assert experiment.same_data(other) is None


def test_memory_is_constant(data: Data, store: Path) -> None:
    row, count = np.zeros((1, 1 << 17), dtype="float32"), 120  # half a MiB each, 60 MiB in all

    def rows() -> Iterator[tuple[Any, Any]]:
        for number in range(count):
            yield row + number, np.zeros(1)

    model = keras.Sequential([keras.Input((1 << 17,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    recorder = ModelKB(store=store, save_weights=False, evaluation_samples=1, strict=True)
    tracemalloc.start()
    try:
        model.fit(rows(), steps_per_epoch=count, verbose=0, callbacks=[recorder])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    found = Store(store).experiment(recorder.experiment_id).dataset()
    assert found["fingerprint_sample_count"] == count
    assert peak < 25 << 20


def test_the_watch_leaves_no_thread_whichever_way_a_fit_ends(data: Data, store: Path) -> None:
    model = compiled(sequential())
    model.fit(tf_data(data.x, data.classes), verbose=0)
    threads = threading.active_count()
    test_a_run_that_stops_in_its_first_epoch_has_seen_a_part(RuntimeError, data, store)
    assert threading.active_count() == threads


def test_equal_runs_have_one_dataset_and_the_source_is_not_in_its_id(data: Data) -> None:
    model = compiled(sequential())
    call = FitCall({"x": data.x, "y": data.classes, "validation_split": 0.25})
    watches = [
        DatasetWatch(model, call, current_framework(), ["a", "b", "c"], source)
        for source in (None, SOURCE, SOURCE)
    ]
    for watch in watches:
        watch.begin()
        watch.finish()
    assert len({watch.training.dataset_id for watch in watches if watch.training}) == 1
    assert [watch.training.source for watch in watches if watch.training] == [None, SOURCE, SOURCE]
    assert all(watch.problem is None for watch in watches)


def test_a_fit_that_was_not_seen_has_no_data() -> None:
    watch = DatasetWatch(compiled(sequential()), FitCall(), current_framework(), None, None)
    for step in (watch.begin, watch.begin_validation, watch.end_validation, watch.end_epoch):
        step()
    watch.finish()
    assert (watch.training, watch.validation, watch.problem) == (None, None, None)


def test_the_data_of_one_pass_alone(data: Data) -> None:
    """As ``evaluate`` passes it: a test split, watched as validation is."""
    model, dataset = compiled(sequential()), tf_data(data.x, data.classes)
    call = FitCall({"validation_data": (dataset, None)}, frozenset({"test"}))
    watch = DatasetWatch(model, call, current_framework(), None, None)
    watch.begin()
    watch.begin_validation()
    model.evaluate(dataset, verbose=0)
    watch.end_validation()
    assert watch.training is None
    assert watch.validation is not None
    assert watch.validation.fingerprint == described(data.x, data.classes).fingerprint
    assert watch.validation.sample_count == SAMPLES


def test_labels_are_counted_where_the_loss_means_classes(data: Data) -> None:
    record = described(data.x, data.classes, ["a", "b", "c", "d"])
    assert record.fingerprint_scope == "all"
    assert record.class_counts == (*np.bincount(data.classes).tolist(), 0)
    regression = sequential(1)
    regression.compile("sgd", "mse")
    assert described(data.x, data.classes, model=regression).class_counts is None
