"""The training is the same with the callback and without it, to the bit."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from modelkb_callbacks import ModelKB
from modelkb_store import Store
from trainings import BUILDERS, Data, compiled, functional, same_weights, sequential

History = dict[str, list[float]]


def train_twice(
    train: Callable[[list[keras.callbacks.Callback]], tuple[keras.Model, Any]], store: Path
) -> None:
    """Run a training with and without the callback and compare everything that comes of it."""
    keras.utils.set_random_seed(3)
    plain_model, plain_result = train([])
    after_plain = (random.random(), np.random.random(), float(tf.random.uniform(())))
    keras.utils.set_random_seed(3)
    model, result = train([ModelKB(store=store, strict=True)])
    after = (random.random(), np.random.random(), float(tf.random.uniform(())))

    assert result == plain_result
    assert same_weights(model, plain_model)
    assert after == after_plain, "a random number was drawn, or given back"


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("validated", [True, False], ids=["validated", "not validated"])
def test_models(name: str, validated: bool, data: Data, store: Path) -> None:
    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, History]:
        model = compiled(BUILDERS[name]())
        split = {"validation_split": 0.25} if validated else {}
        fit = model.fit(
            data.x, data.classes, epochs=3, batch_size=16, verbose=0, callbacks=callbacks, **split
        )
        return model, fit.history

    train_twice(train, store)


def test_two_fits_in_a_row_on_one_shuffled_dataset(data: Data, store: Path) -> None:
    """A pass of ours over the dataset would move its shuffling on."""

    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, list[History]]:
        dataset = tf.data.Dataset.from_tensor_slices((data.x, data.classes)).shuffle(96).batch(16)
        model = compiled(sequential())
        histories = []
        for validation in (None, dataset, None):
            fit = model.fit(
                dataset, validation_data=validation, epochs=2, verbose=0, callbacks=callbacks
            )
            histories.append(fit.history)
        histories.append(model.evaluate(dataset, verbose=0, return_dict=True))
        return model, histories

    train_twice(train, store)


def test_generator_is_left_open_for_the_user(data: Data, store: Path) -> None:
    def batches() -> Iterator[tuple[Any, Any]]:
        while True:
            for start in range(0, 96, 16):
                yield data.x[start : start + 16], data.classes[start : start + 16]

    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, Any]:
        training, validation = batches(), batches()
        model = compiled(sequential())
        fit = model.fit(
            training,
            steps_per_epoch=4,
            validation_data=validation,
            validation_steps=2,
            epochs=2,
            verbose=0,
            callbacks=callbacks,
        )
        # How far ahead Keras itself has read is a matter of time; more can be read.
        rest = [next(generator)[0].shape for generator in (training, validation)]
        return model, (fit.history, rest)

    train_twice(train, store)


def test_model_that_draws_numbers_when_it_predicts(data: Data, store: Path) -> None:
    class Noisy(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.noise = keras.random.SeedGenerator(5)
            self.scores = keras.layers.Dense(3, activation="softmax")

        def call(self, inputs: Any) -> Any:
            noise = keras.random.normal(keras.ops.shape(inputs), seed=self.noise)
            return self.scores(inputs + noise)

    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, list[History]]:
        model = compiled(Noisy())
        fits = [
            model.fit(data.x, data.classes, epochs=1, verbose=0, callbacks=callbacks).history
            for _ in range(2)
        ]
        return model, fits

    train_twice(train, store)


def test_early_stopping_and_learning_rate_schedules_see_the_same_logs(
    data: Data, store: Path
) -> None:
    seen: list[set[str]] = []

    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, Any]:
        model = compiled(functional())
        own = [
            keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True),
            keras.callbacks.ReduceLROnPlateau("val_loss", patience=0, factor=0.1),
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: seen.append(set(logs)),
                on_test_end=lambda logs: seen.append(set(logs)),
            ),
        ]
        fit = model.fit(
            data.x,
            data.classes,
            validation_split=0.5,
            epochs=6,
            verbose=0,
            callbacks=[*callbacks, *own],
        )
        return model, fit.history

    train_twice(train, store)
    names = {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert all(keys <= names for keys in seen), "a key of ours in the user's logs"


def test_own_train_and_test_steps(data: Data, store: Path) -> None:
    class OwnSteps(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.scores = keras.layers.Dense(3, activation="softmax")
            self.error = keras.metrics.Mean(name="error")

        def call(self, inputs: Any) -> Any:
            return self.scores(inputs)

        def train_step(self, batch: Any) -> dict[str, Any]:
            x, y = batch
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            weights = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            self.error.update_state(loss)
            return {"error": self.error.result()}

        def test_step(self, batch: Any) -> dict[str, Any]:
            x, y = batch
            self.error.update_state(self.compute_loss(x, y, self(x, training=False)))
            return {"error": self.error.result()}

    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, History]:
        model = OwnSteps()
        model.compile("adam", "sparse_categorical_crossentropy")
        fit = model.fit(
            data.x, data.classes, validation_split=0.25, epochs=2, verbose=0, callbacks=callbacks
        )
        return model, fit.history

    train_twice(train, store)
    last = Store(store).experiments()["experiment_id"].iloc[-1]
    assert Store(store).experiment(last).confusion_matrix().to_numpy().sum() == 24


@pytest.mark.parametrize(
    "options", [{"run_eagerly": True}, {"steps_per_execution": 3}, {"jit_compile": True}]
)
def test_ways_of_execution(options: dict[str, Any], data: Data, store: Path) -> None:
    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, History]:
        model = compiled(sequential(), **options)
        fit = model.fit(
            data.x, data.classes, validation_split=0.25, epochs=2, verbose=0, callbacks=callbacks
        )
        return model, fit.history

    train_twice(train, store)
    store_experiments = Store(store).experiments()
    experiment = Store(store).experiment(store_experiments["experiment_id"].iloc[-1])
    assert experiment.confusion_matrix().to_numpy().sum() == 24


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x) // 16

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        rows = slice(index * 16, (index + 1) * 16)
        return self.x[rows], self.y[rows]


def _endless(x: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    while True:
        for start in range(0, len(x), 16):
            yield x[start : start + 16], y[start : start + 16]


WATCHED: dict[str, Callable[[Any, Any], Any]] = {
    "tf.data": lambda x, y: tf.data.Dataset.from_tensor_slices((x, y)).shuffle(96).batch(16),
    "generator": _endless,
    "PyDataset": _Batches,
}


@pytest.mark.parametrize(
    ("options", "validated"),
    [({}, True), ({}, False), ({"jit_compile": True}, True), ({"run_eagerly": True}, True)],
    ids=str,
)
@pytest.mark.parametrize("kind", WATCHED)
def test_watched_batches(
    kind: str, options: dict[str, Any], validated: bool, data: Data, store: Path
) -> None:
    """The steps show their inputs, and a thread of ours works beside the training."""

    def arguments() -> dict[str, Any]:
        make = WATCHED[kind]
        given: dict[str, Any] = {"x": make(data.x[:64], data.classes[:64])}
        if validated:
            given["validation_data"] = make(data.x[64:], data.classes[64:])
        if kind == "generator":
            given.update(steps_per_epoch=4, validation_steps=2 if validated else None)
        return given

    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, Any]:
        model = compiled(sequential() if "jit_compile" in options else functional(), **options)
        first = model.fit(**arguments(), epochs=2, verbose=0, callbacks=callbacks)
        # The functions that were tapped are used on. With new data: how far ahead Keras has
        # read a generator is a matter of time.
        second = model.fit(**arguments(), epochs=1, verbose=0)
        scores = model.evaluate(data.x, data.classes, verbose=0)
        return model, (first.history, second.history, scores)

    train_twice(train, store)
    recorded = Store(store)
    for split in ("train", "validation") if validated else ("train",):
        described = recorded.experiment(recorded.experiments()["experiment_id"].iloc[-1])
        assert described.dataset(split)["fingerprint_scope"] == "epoch"


def test_mixed_precision(data: Data, store: Path) -> None:
    def train(callbacks: list[keras.callbacks.Callback]) -> tuple[keras.Model, History]:
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            model = compiled(sequential())
        finally:
            keras.config.set_dtype_policy("float32")
        fit = model.fit(
            data.x, data.classes, validation_split=0.25, epochs=2, verbose=0, callbacks=callbacks
        )
        return model, fit.history

    train_twice(train, store)


def test_endless_dataset_starts_at_once(data: Data, store: Path) -> None:
    """Nothing of ours iterates the user's data: only what training asks for is ever read."""
    read = []

    def batches() -> Iterator[tuple[Any, Any]]:
        while True:
            read.append(1)
            yield data.x[:16], data.classes[:16]

    signature = (
        tf.TensorSpec((16, 8), tf.float32),
        tf.TensorSpec((16,), tf.int64),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    model = compiled(sequential())
    model.fit(
        dataset,
        steps_per_epoch=3,
        epochs=2,
        verbose=0,
        callbacks=[ModelKB(store=store, strict=True)],
    )
    # Six steps, and the few batches that Keras itself looks at to build the model.
    assert len(read) < 12


def test_no_thread_or_process_is_left(data: Data, store: Path) -> None:
    model = compiled(sequential())
    model.fit(data.x, data.classes, verbose=0)
    threads = threading.active_count()
    model.fit(data.x, data.classes, verbose=0, callbacks=[ModelKB(store=store, strict=True)])
    for thread in threading.enumerate():
        if thread.name == "modelkb-compaction":  # it looks at the store when a run has ended
            thread.join(timeout=30)
    assert threading.active_count() == threads


@pytest.mark.slow
def test_mirrored_strategy_of_two_replicas(store: Path) -> None:
    """In a process of its own, as the number of devices is fixed once TensorFlow runs."""
    script = textwrap.dedent(
        """
        import sys
        import keras, numpy as np, tensorflow as tf
        from modelkb_callbacks import ModelKB
        from modelkb_store import Store

        cpu = tf.config.list_physical_devices("CPU")[0]
        halves = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, halves)
        x = np.random.default_rng(0).normal(size=(96, 8)).astype("float32")
        y = np.random.default_rng(1).integers(0, 3, 96)

        def train(callbacks):
            keras.utils.set_random_seed(0)
            strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
            assert strategy.num_replicas_in_sync == 2
            with strategy.scope():
                model = keras.Sequential([keras.layers.Dense(8), keras.layers.Dense(3)])
                loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
                model.compile("sgd", loss, metrics=["accuracy"])
            fits = [
                model.fit(x, y, validation_split=0.25, epochs=2, verbose=0, callbacks=callbacks),
                model.fit(x, y, epochs=1, verbose=0, callbacks=callbacks),
                model.fit(
                    tf.data.Dataset.from_tensor_slices((x, y)).batch(32),
                    epochs=1, verbose=0, shuffle=False, callbacks=callbacks,
                ),
            ]
            return model, [fit.history for fit in fits]

        plain, plain_history = train([])
        model, history = train([ModelKB(store=sys.argv[1], strict=True)])
        assert history == plain_history
        for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
            assert np.array_equal(one, other)
        store = Store(sys.argv[1])
        first, second, third = (store.experiment(i) for i in store.experiments()["experiment_id"])
        assert first.confusion_matrix().to_numpy().sum() == 24
        expected = np.bincount(y, minlength=3)
        assert (second.confusion_matrix().to_numpy().sum(axis=1) == expected).all()
        assert third.record.status == "finished" and "several replicas" in third.record.problems[0]
        """
    )
    subprocess.run([sys.executable, "-c", script, str(store)], check=True, timeout=280)
