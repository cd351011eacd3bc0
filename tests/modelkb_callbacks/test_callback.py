"""The callback as a user meets it: twice, copied, interrupted, stopped early."""

from __future__ import annotations

import copy
import pickle
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

import modelkb_callbacks
from modelkb_callbacks import ModelKB, ModelKBCallback, automatic, keras_patch
from modelkb_store import InvalidNameError, InvalidSettingError, Store
from trainings import Data, Fit, compiled, sequential


def test_exported_names() -> None:
    assert ModelKB is ModelKBCallback
    for name in modelkb_callbacks.__all__:
        assert getattr(modelkb_callbacks, name).__doc__, name
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = modelkb_callbacks.nothing_such


def test_one_callback_records_every_fit_as_an_experiment(data: Data, store: Path) -> None:
    recorder = ModelKB(store=store, strict=True)
    model = compiled(sequential())
    ids = []
    for epochs in (1, 2):
        model.fit(data.x, data.classes, epochs=epochs, verbose=0, callbacks=[recorder])
        ids.append(recorder.experiment_id)

    experiments = Store(store).experiments().set_index("experiment_id")
    assert list(experiments.index) == ids
    assert list(experiments["epochs_completed"]) == [1, 2]
    assert experiments["architecture_id"].nunique() == 1


def test_steps_and_epochs_go_on_in_a_resumed_fit(data: Data, fit: Fit) -> None:
    model = compiled(sequential())
    model.fit(data.x, data.classes, batch_size=32, epochs=2, verbose=0)
    fitted = fit(model, data.x, data.classes, batch_size=32, initial_epoch=2, epochs=4)

    losses = fitted.experiment.metrics().query("metric == 'loss'")
    assert list(losses["epoch"]) == [2, 3]
    assert list(losses["step"]) == [9, 12]
    assert fitted.experiment.record.epochs_completed == 2


def test_batch_metrics_are_a_table_of_their_own(data: Data, fit: Fit) -> None:
    seen: list[tuple[int, float]] = []
    watcher = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append((batch, logs["loss"]))
    )
    recorder_settings = {"batch_metrics": True}
    model = compiled(sequential())
    recorder = ModelKB(store="modelkb", strict=True, **recorder_settings)
    model.fit(
        data.x, data.classes, batch_size=32, epochs=2, verbose=0, callbacks=[recorder, watcher]
    )

    rows = pd.read_parquet("modelkb/batch_metrics").query("metric == 'loss'")
    assert list(rows["step"]) == [1, 2, 3, 4, 5, 6]
    assert list(rows["epoch"]) == [0, 0, 0, 1, 1, 1]
    assert list(rows["value"]) == [loss for _, loss in seen]
    assert len(pd.read_parquet("modelkb/metrics").query("metric == 'loss'")) == 2


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, copy.copy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_have_the_settings_and_record_by_themselves(
    clone: Any, data: Data, store: Path
) -> None:
    original = ModelKB(store=store, project="tuning", tags=["a"], batch_metrics=True, strict=True)
    model = compiled(sequential())
    model.fit(data.x, data.classes, verbose=0, callbacks=[original])
    twin = clone(original)
    assert twin.experiment_id is None
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=[twin])

    experiments = Store(store).experiments("tuning")
    assert list(experiments["experiment_id"]) == [original.experiment_id, twin.experiment_id]
    assert [list(tags) for tags in experiments["tags"]] == [["a"], ["a"]]
    assert len(Store(store).experiment(twin.experiment_id).batch_metrics()) > 0


def test_a_copy_made_while_it_records_is_not_recording(data: Data, store: Path) -> None:
    recorder = ModelKB(store=store, strict=True)
    copies: list[ModelKB] = []
    watcher = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: copies.append(copy.deepcopy(recorder))
    )
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=[recorder, watcher])
    assert copies[0].experiment_id is None
    assert len(Store(store).experiments()) == 1


def test_the_users_list_of_callbacks_is_left_alone(data: Data, store: Path) -> None:
    callbacks = [ModelKB(store=store, strict=True)]
    before = list(callbacks)
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=callbacks)
    assert callbacks == before


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: (c,), lambda c: [[c], []]])
def test_callbacks_in_any_container(wrap: Any, data: Data, store: Path) -> None:
    recorder = ModelKB(store=store, strict=True)
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=wrap(recorder))
    assert Store(store).experiment(recorder.experiment_id).hyperparameters()["batch_size"] == 32


@pytest.mark.parametrize("is_patched", [True, False], ids=["with the patch", "without it"])
def test_the_same_callback_twice_is_one_experiment(
    is_patched: bool, data: Data, store: Path
) -> None:
    recorder = ModelKB(store=store, strict=True, batch_metrics=True)
    if not is_patched:
        modelkb_callbacks.disable()
    try:
        for between in ([], [keras.callbacks.Callback()]):
            compiled(sequential()).fit(
                data.x,
                data.classes,
                batch_size=32,
                validation_split=1 / 3,
                epochs=2,
                verbose=0,
                callbacks=[recorder, *between, recorder],
            )
    finally:
        if not is_patched:
            automatic._enabled = True
            keras_patch.install(keras)
    experiments = Store(store).experiments()
    assert list(experiments["status"]) == ["finished", "finished"]
    assert list(experiments["epochs_completed"]) == [2, 2]
    for experiment_id in experiments["experiment_id"]:
        experiment = Store(store).experiment(experiment_id)
        assert len(experiment.metrics()) == 2 * 2 * 2
        assert sorted(experiment.batch_metrics()["step"].unique()) == [1, 2, 3, 4]
        assert len(experiment.batch_metrics()) == 4 * 2
        assert len(experiment.epochs()) == 2
        if is_patched:
            assert experiment.record.problems == ()
            assert experiment.confusion_matrix().to_numpy().sum() == 32


def test_fit_without_callbacks_is_not_recorded(data: Data, store: Path) -> None:
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=None)
    assert not store.exists()
    assert not Path("modelkb").exists()


def test_confusion_matrix_is_of_the_weights_that_early_stopping_restored(
    data: Data, store: Path
) -> None:
    """Whichever of the two callbacks comes first."""
    for order in (1, -1):
        recorder = ModelKB(store=store, strict=True)
        stopper = keras.callbacks.EarlyStopping(
            "val_accuracy", mode="min", patience=2, restore_best_weights=True
        )
        model = compiled(sequential(), metrics=["accuracy"])
        fit = model.fit(
            data.x,
            data.classes,
            validation_split=0.5,
            epochs=20,
            verbose=0,
            callbacks=[recorder, stopper][::order],
        )
        experiment = Store(store).experiment(recorder.experiment_id)
        predicted = model.predict(data.x[48:], verbose=0).argmax(axis=1)
        expected = confusion_matrix(data.classes[48:], predicted, labels=range(3))
        assert np.array_equal(experiment.confusion_matrix(), expected)
        worst = int(np.argmin(fit.history["val_accuracy"]))
        assert experiment.evaluations()["epoch"].iloc[0] == worst
        loaded = experiment.load_model()
        assert np.array_equal(loaded.get_weights()[0], model.get_weights()[0])


class Stop(Exception):  # noqa: N818
    """Ends a training."""


@pytest.mark.parametrize(
    ("error", "status"),
    [(Stop, "failed"), (KeyboardInterrupt, "interrupted"), (SystemExit, "interrupted")],
)
def test_a_training_that_ends_early_is_recorded_up_to_there(
    error: type[BaseException], status: str, data: Data, store: Path
) -> None:
    def stop(epoch: int, logs: Any) -> None:
        if epoch == 1:
            raise error("enough")

    recorder = ModelKB(store=store, strict=True)
    watcher = keras.callbacks.LambdaCallback(on_epoch_end=stop)
    with pytest.raises(error, match="enough"):
        compiled(sequential()).fit(
            data.x,
            data.classes,
            validation_split=0.25,
            epochs=9,
            verbose=0,
            callbacks=[recorder, watcher],
        )

    experiment = Store(store).experiment(recorder.experiment_id)
    assert experiment.record.status == status
    assert experiment.record.ended_at is not None
    assert experiment.record.epochs_completed == 2
    assert experiment.record.problems == (f"stopped by {error.__name__}: enough",)
    assert experiment.metrics()["epoch"].max() == 1
    assert experiment.confusion_matrix().to_numpy().sum() == 24


def test_a_running_experiment_can_be_read(data: Data, store: Path) -> None:
    recorder = ModelKB(store=store, strict=True)
    seen = []

    def look(epoch: int, logs: Any) -> None:
        experiment = Store(store).experiment(recorder.experiment_id)
        rows = experiment.metrics()
        seen.append((rows["epoch"].max(), len(experiment.epochs()), experiment.record.status))

    compiled(sequential()).fit(
        data.x,
        data.classes,
        epochs=3,
        verbose=0,
        callbacks=[recorder, keras.callbacks.LambdaCallback(on_epoch_end=look)],
    )
    assert seen == [(epoch, epoch + 1, "running") for epoch in range(3)]


@pytest.mark.slow
def test_a_running_experiment_is_in_parquet_files_within_30_seconds(
    data: Data, store: Path
) -> None:
    recorder = ModelKB(store=store, strict=True)
    began = time.monotonic()
    seen = []

    def look(epoch: int, logs: Any) -> None:
        while not (store / "experiments").exists():
            assert time.monotonic() - began < 45, "30, on a machine that is busy"
            time.sleep(0.2)
        rows = pd.read_parquet(store / "metrics")
        seen.append((list(rows["epoch"].unique()), list(rows["experiment_id"].unique())))
        seen.append(pd.read_parquet(store / "experiments")["status"].tolist())

    model = compiled(sequential())
    looking = keras.callbacks.LambdaCallback(on_epoch_end=look)
    model.fit(data.x, data.classes, verbose=0, callbacks=[recorder, looking])
    assert seen == [([0], [recorder.experiment_id]), ["running"]]


def test_settings_that_make_no_sense_are_refused_at_once() -> None:
    with pytest.raises(InvalidNameError, match="too long"):
        ModelKB(project="x" * 500)
    with pytest.raises(InvalidSettingError, match="`tags`"):
        ModelKB(tags="digits")
    for name, value in {
        "evaluation_samples": 0,
        "params": [1],
        "class_names": "digits",
        "name": 5,
        "owner": 5,
        "notes": 5,
    }.items():
        with pytest.raises(InvalidSettingError, match=f"`{name}`"):
            ModelKB(**{name: value})


def test_what_the_user_says_is_kept(data: Data, store: Path) -> None:
    recorder = ModelKB(
        store=store,
        project="clouds & points",
        name="first try",
        owner="ada",
        tags=["small", "fast"],
        notes="Just to see.",
        params={"augment": False, "layers": [8, 3], "api_key": "sk-abcdefghijklmnop1234"},
        save_weights=False,
        strict=True,
    )
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=[recorder])

    row = Store(store).experiments("clouds & points").iloc[0]
    assert (row["name"], row["owner"], row["notes"]) == ("first try", "ada", "Just to see.")
    assert list(row["tags"]) == ["small", "fast"]
    assert not row["params.augment"]
    experiment = Store(store).experiment(recorder.experiment_id)
    assert experiment.hyperparameters()["layers"] == [8, 3]
    assert experiment.artifacts().empty
    everything = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert b"sk-abcdef" not in everything


def test_environment_variables_choose_store_and_project(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("MODELKB_PROJECT", "from the environment")
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=[ModelKB(strict=True)])
    assert list(Store().projects()["project"]) == ["from the environment"]
    assert (tmp_path / "elsewhere" / "metrics").is_dir()


def test_seed_is_recorded(data: Data, fit: Fit) -> None:
    keras.utils.set_random_seed(41)
    assert fit(compiled(sequential()), data.x, data.classes).experiment.record.seed == 41
