"""When epochs ran and with which learning rates, whoever changes them and in which order."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from modelkb_callbacks import ModelKB
from modelkb_callbacks.learning_rate import current_learning_rate
from modelkb_store import Store
from trainings import Data, Fit, same_weights, sequential

STEPS = 6


def epochs_of(store: Any, recorder: ModelKB) -> list[dict[str, Any]]:
    assert recorder.experiment_id is not None
    experiment = Store(store).experiment(recorder.experiment_id)
    return list(experiment.table("epochs").to_pylist())


@pytest.fixture
def rates(store: Any, data: Data) -> Any:
    """Trains and returns the initial and the final learning rates of the epochs."""

    def run(*callbacks: Any, rate: Any = 0.5, first: bool = False, **options: Any) -> Any:
        model = sequential()
        model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
        recorder = ModelKB(store=store, strict=True)
        ordered = [recorder, *callbacks] if first else [*callbacks, recorder]
        given = {"epochs": 3, "batch_size": 16, "verbose": 0, **options}
        model.fit(data.x, data.classes, callbacks=ordered, **given)
        rows = epochs_of(store, recorder)
        return (
            [row["initial_learning_rate"] for row in rows],
            [row["final_learning_rate"] for row in rows],
        )

    return run


def scheduled(epoch: int, rate: float) -> float:
    return (0.5, 0.25, 0.1)[epoch]


def test_plain(rates: Any) -> None:
    assert rates() == ([0.5] * 3, [0.5] * 3)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("validated", [True, False])
def test_scheduler(rates: Any, first: bool, validated: bool) -> None:
    scheduler = keras.callbacks.LearningRateScheduler(scheduled)
    split = {"validation_split": 0.25} if validated else {}
    expected = [0.5, 0.25, 0.1]
    assert rates(scheduler, rate=0.9, first=first, **split) == (expected, expected)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("validated", [True, False])
def test_reduced_on_a_plateau(rates: Any, first: bool, validated: bool) -> None:
    reduce = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100.0)
    split = {"validation_split": 0.25} if validated else {}
    # The first epoch is the best one, and no other is good enough.
    expected = [0.5, 0.5, 0.25]
    assert rates(reduce, first=first, **split) == (expected, expected)


def test_reduced_by_a_callback_of_the_users_own(rates: Any) -> None:
    class Halving(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = self.model.optimizer.learning_rate.numpy() / 2

    expected = [0.5, 0.25, 0.125]
    assert rates(Halving(), validation_split=0.25) == (expected, expected)


def test_changed_with_every_step(rates: Any) -> None:
    class Falling(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = 0.5 - 0.1 * batch / STEPS

    initial, final = rates(Falling(), epochs=2)
    assert initial == [0.5, pytest.approx(0.5 - 0.5 / STEPS)]
    assert final == [pytest.approx(0.5 - 0.5 / STEPS)] * 2


@pytest.mark.parametrize("first", [True, False])
def test_schedule(rates: Any, first: bool) -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, STEPS, 0.5)
    log = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(learning_rate=9.0)
    )
    initial, final = rates(log, rate=schedule, first=first)
    assert initial == pytest.approx([0.5, 0.25, 0.125])
    assert final == pytest.approx([0.25, 0.125, 0.0625])


class Drawing(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule of the user's, which even draws."""

    def __call__(self, step: Any) -> Any:
        return 0.5 + 0.0 * np.random.random() + 0.0 * tf.random.uniform(())

    def get_config(self) -> dict[str, Any]:
        return {}


def test_schedule_of_the_users_own_is_not_moved_on(data: Data, store: Any) -> None:
    found = []
    for callbacks in ([], [ModelKB(store=store, strict=True)]):
        keras.utils.set_random_seed(3)
        model = sequential()
        optimizer = keras.optimizers.SGD(Drawing())
        model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=True)
        model.fit(data.x, data.classes, epochs=2, verbose=0, callbacks=callbacks)
        found.append((model, np.random.random(), float(tf.random.uniform(()))))
    assert same_weights(found[0][0], found[1][0])
    assert found[0][1:] == found[1][1:]
    assert [row["final_learning_rate"] for row in epochs_of(store, callbacks[0])] == [0.5, 0.5]


def test_a_function_that_counts_its_calls_is_not_called() -> None:
    calls = []

    def rate() -> float:
        calls.append(1)
        return 0.5

    model = sequential()
    model.compile(keras.optimizers.SGD(rate), "mse")
    assert current_learning_rate(model) is None
    assert not calls


def test_mixed_precision(data: Data, fit: Fit) -> None:
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = sequential()
        model.compile(keras.optimizers.SGD(0.25), "sparse_categorical_crossentropy")
        rows = fit(model, data.x, data.classes).experiment.table("epochs").to_pylist()
    finally:
        keras.config.set_dtype_policy(policy)
    assert rows[0]["initial_learning_rate"] == 0.25


class WithoutOptimizer(keras.Model):  # type: ignore[misc]
    """A model that learns without an optimizer."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = self.add_weight(shape=(), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        return inputs + self.mean

    def train_step(self, batch: Any) -> dict[str, Any]:
        x, _ = batch
        self.mean.assign(keras.ops.mean(x))
        return {"mean": self.mean.value}


def test_without_an_optimizer(data: Data, fit: Fit) -> None:
    model = WithoutOptimizer()
    model.compile(optimizer=None)
    rows = fit(model, data.x, data.classes, epochs=2).experiment.table("epochs").to_pylist()
    assert [row["initial_learning_rate"] for row in rows] == [None, None]
    assert [row["final_learning_rate"] for row in rows] == [None, None]


def test_times(data: Data, store: Any) -> None:
    slow = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: time.sleep(0.05))
    recorder = ModelKB(store=store, strict=True)
    model = sequential()
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = time.time()
    model.fit(
        data.x, data.classes, initial_epoch=2, epochs=4, verbose=0, callbacks=[recorder, slow]
    )
    after = time.time()
    rows = epochs_of(store, recorder)
    assert [row["epoch"] for row in rows] == [2, 3]
    starts = [row["started_at"].timestamp() for row in rows]
    assert before <= starts[0] < starts[1] <= after
    assert all(0.05 <= row["duration_seconds"] <= after - before for row in rows)


def test_the_hook_for_the_first_batch_is_gone_after_it(data: Data, store: Any) -> None:
    recorder = ModelKB(store=store, strict=True)
    seen = []

    def look(batch: int, logs: Any) -> None:
        seen.append("on_train_batch_begin" in vars(recorder))

    looking = keras.callbacks.LambdaCallback(on_train_batch_end=look)
    model = sequential()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(
        data.x, data.classes, batch_size=16, epochs=2, verbose=0, callbacks=[recorder, looking]
    )
    assert seen == [False] * 2 * STEPS
