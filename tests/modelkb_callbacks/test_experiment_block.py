"""Blocks that the user begins and ends."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import modelkb_callbacks
from modelkb_callbacks import ModelKB, ModelKBWarning
from modelkb_store import InvalidNameError, InvalidSettingError, Store
from trainings import Data, compiled, functional, same_weights, sequential


def block(store: Path, model: Any = None, **settings: Any) -> Any:
    """A block that is recorded, strictly."""
    return modelkb_callbacks.experiment(model, **{"store": store, "strict": True, **settings})


def train_by_hand(model: keras.Model, data: Data, run: Any) -> list[float]:
    """A loop with a GradientTape."""
    optimizer = keras.optimizers.SGD(0.1)
    loss_of = keras.losses.SparseCategoricalCrossentropy()
    losses = []
    for epoch in range(3):
        with tf.GradientTape() as tape:
            loss = loss_of(data.classes, model(data.x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        losses.append(float(loss))
        if run is not None:
            run.log(epoch=epoch, loss=loss)
            run.log(step=epoch + 1, loss=loss)
    return losses


@pytest.mark.parametrize("build", [functional, sequential], ids=["built", "not built"])
def test_a_loop_of_the_users_own(build: Any, data: Data, store: Path) -> None:
    keras.utils.set_random_seed(2)
    plain = build()
    expected = train_by_hand(plain, data, None)
    keras.utils.set_random_seed(2)
    model = build()
    with block(store, model, project="loops", params={"rate": 0.1}) as run:
        losses = train_by_hand(model, data, run)
        run.log_confusion_matrix(y_true=data.classes, y_pred=np.asarray(model(data.x)))
    assert losses == expected
    assert same_weights(model, plain)

    experiment = Store(store).experiment(run.experiment_id)
    assert experiment.project == "loops"
    assert experiment.record.status == "finished"
    assert experiment.record.epochs_completed == 3
    assert experiment.record.seed == 2
    assert experiment.record.problems == ()
    assert experiment.record.duration_seconds > 0
    assert list(experiment.metrics()["value"]) == losses
    assert experiment.environment()["backend"] == "tensorflow"
    assert len(experiment.layers()) >= 3
    assert experiment.confusion_matrix().to_numpy().sum() == len(data.x)
    assert same_weights(experiment.load_model(compile=False), model)


class Stop(Exception):  # noqa: N818
    """Leaves a block."""


@pytest.mark.parametrize(
    ("error", "status"),
    [(Stop, "failed"), (KeyboardInterrupt, "interrupted"), (SystemExit, "interrupted")],
)
@pytest.mark.parametrize("in_fit", [False, True])
def test_what_leaves_a_block(
    error: type[BaseException], status: str, in_fit: bool, data: Data, store: Path
) -> None:
    model = compiled(sequential())

    def stop(epoch: int = 1, logs: Any = None) -> None:
        if epoch == 1:
            raise error("enough")

    with pytest.raises(error, match="enough"), block(store, model) as run:
        run.log(epoch=0, mine=1)
        if in_fit:
            stopping = keras.callbacks.LambdaCallback(on_epoch_end=stop)
            model.fit(data.x, data.classes, epochs=5, verbose=0, callbacks=[stopping])
        stop()
    record = Store(store).experiment(run.experiment_id).record
    assert record.status == status
    assert record.problems[0] == f"stopped by {error.__name__}: enough"
    # The callback that stops it comes before what joins `fit` for the block.
    assert record.epochs_completed == 1
    assert len(Store(store).experiments()) == 1
    assert modelkb_callbacks.current_run().experiment_id is None


def test_several_fits_are_one_experiment(data: Data, store: Path) -> None:
    model = compiled(sequential())
    with block(store, model) as run:
        model.fit(data.x, data.classes, epochs=2, verbose=0, validation_split=0.25)
        model.fit(data.x, data.classes, epochs=3, verbose=0, callbacks=[ModelKB(store=store)])
        model.xfit(data.x, data.classes, verbose=0, initial_epoch=3, epochs=4)
        model.evaluate(data.x, data.classes, verbose=0)
    opened = Store(store)
    assert list(opened.experiments()["experiment_id"]) == [run.experiment_id]
    experiment = opened.experiment(run.experiment_id)
    assert experiment.record.epochs_completed == 6
    assert experiment.record.parent_experiment_id is None
    assert experiment.record.problems == ()
    losses = experiment.metrics().query("metric == 'loss' and split == 'train'")
    assert list(losses["epoch"]) == [0, 0, 1, 1, 2, 3], "in the order of their epochs"
    losses = losses.sort_values("wall_time")
    assert list(losses["epoch"]) == [0, 1, 0, 1, 2, 3]
    assert list(losses["step"]) == [3, 6, 9, 12, 15, 18]
    assert sorted(experiment.evaluations()["split"]) == ["test", "train", "train", "validation"]


def test_a_fit_that_fails_inside_and_is_caught(data: Data, store: Path) -> None:
    model = compiled(functional())
    with block(store, model) as run:
        with pytest.raises(ValueError, match=r"shape|incompatible"):
            model.fit(data.x[:, :2], data.classes, verbose=0)
        compiled(model).fit(data.x, data.classes, verbose=0)
    record = Store(store).experiment(run.experiment_id).record
    assert (record.status, record.epochs_completed) == ("finished", 1)


def test_without_a_model_the_first_that_is_trained_is_taken(data: Data, store: Path) -> None:
    first, second = compiled(sequential()), compiled(functional())
    with block(store) as run:
        assert run.experiment_id is not None
        first.fit(data.x, data.classes, verbose=0)
        second.fit(data.x, data.classes, verbose=0)
    experiment = Store(store).experiment(run.experiment_id)
    assert experiment.record.epochs_completed == 1
    assert experiment.model()["name"] == first.name
    assert same_weights(experiment.load_model(), first)


def test_nothing_but_a_note(store: Path) -> None:
    with block(store, name="idea") as run:
        run.note("only words")
    record = Store(store).experiment(run.experiment_id).record
    assert (record.name, record.status, record.notes) == ("idea", "finished", "only words")
    assert record.model_id is None


def test_nested_blocks(data: Data, store: Path) -> None:
    outer_model, inner_model = compiled(sequential()), compiled(sequential())
    with block(store, outer_model) as outer:
        with block(store, inner_model) as inner:
            assert modelkb_callbacks.current_run().experiment_id == inner.experiment_id
            outer_model.fit(data.x, data.classes, epochs=2, verbose=0)
            inner_model.fit(data.x, data.classes, epochs=3, verbose=0)
        assert modelkb_callbacks.current_run().experiment_id == outer.experiment_id
    opened = Store(store)
    assert opened.experiment(outer.experiment_id).record.epochs_completed == 2
    assert opened.experiment(inner.experiment_id).record.epochs_completed == 3
    assert len(opened.experiments()) == 2


def test_blocks_of_threads_are_kept_apart(data: Data, store: Path) -> None:
    """A block without a model takes nothing in of what other threads train."""
    found: dict[str, Any] = {}
    begun, done = threading.Event(), threading.Event()

    def other() -> None:
        begun.wait(60)
        try:
            recorder = ModelKB(store=store, project="other", strict=True)
            adding = keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: modelkb_callbacks.current_run().log(mine=1)
            )
            model = compiled(sequential())
            model.fit(data.x, data.classes, verbose=0, callbacks=[recorder, adding])
            found["recorder"] = recorder
        finally:
            done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with block(store, project="block") as run:
        begun.set()
        assert done.wait(120)
        run.log(epoch=0, mine=2)
    thread.join()
    opened = Store(store)
    theirs = opened.experiment(found["recorder"].experiment_id)
    assert theirs.project == "other"
    assert list(theirs.metrics().query("metric == 'mine'")["value"]) == [1.0]
    ours = opened.experiment(run.experiment_id)
    assert list(ours.metrics()["value"]) == [2.0]


def test_a_thread_of_the_run_finds_it(store: Path) -> None:
    found = []
    with block(store) as run:
        thread = threading.Thread(
            target=lambda: found.append(modelkb_callbacks.current_run().experiment_id)
        )
        thread.start()
        thread.join()
    assert found == [run.experiment_id]


def test_settings_that_make_no_sense(store: Path) -> None:
    with pytest.raises(InvalidNameError), modelkb_callbacks.experiment(project="x" * 500):
        pass
    with pytest.raises(InvalidSettingError), modelkb_callbacks.experiment(tags="a"):
        pass
    with pytest.raises(TypeError), modelkb_callbacks.experiment(projet="digits"):
        pass
    assert not store.exists()


def test_something_that_is_no_model_is_told_and_stops_nothing(store: Path) -> None:
    with (
        pytest.warns(ModelKBWarning),
        modelkb_callbacks.experiment(object(), store=store) as run,
    ):
        run.log(loss=1)
    record = Store(store).experiment(run.experiment_id).record
    assert record.status == "finished"
    assert record.problems
