"""``autolog``: every ``fit`` is recorded with no other change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import pytest

import modelkb_callbacks
from modelkb_callbacks import ModelKB, automatic, keras_patch
from modelkb_callbacks.guard import ModelKBWarning
from modelkb_store import InvalidNameError, InvalidSettingError, Store
from trainings import BUILDERS, Data, Subclassed, compiled, same_weights, sequential


@pytest.fixture
def autolog(store: Path) -> Iterator[Callable[..., None]]:
    """Turns recording on, strictly and into the test's store, until the test ends."""
    yield lambda **settings: modelkb_callbacks.autolog(
        **{"store": store, "strict": True, **settings}
    )
    modelkb_callbacks.disable()
    automatic._enabled = True
    keras_patch.install(keras)


class Counter(keras.callbacks.Callback):
    """A callback of the user's."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Count, and add to the logs as LearningRateScheduler does."""
        self.ended += 1
        logs["added"] = float(epoch)


@pytest.mark.parametrize("name", BUILDERS)
def test_every_fit_is_recorded_and_unchanged(
    name: str, autolog: Callable[..., None], data: Data, store: Path
) -> None:
    def train() -> tuple[keras.Model, list[Any]]:
        keras.utils.set_random_seed(5)
        model = compiled(BUILDERS[name]())
        results = [
            model.fit(data.x, data.classes, 16, 2, 0).history,
            model.fit(data.x, data.classes, verbose=0, validation_split=0.25).history,
            model.evaluate(data.x, data.classes, verbose=0),
            model.predict(data.x, verbose=0).tolist(),
            model.fit(data.x, data.classes, verbose=0).history,
        ]
        return model, results

    plain, expected = train()
    assert not store.exists()
    autolog(project="all")
    model, results = train()
    assert results == expected
    assert same_weights(model, plain)
    experiments = Store(store).experiments("all")
    assert list(experiments["epochs_completed"]) == [2, 1, 1]
    assert set(experiments["status"]) == {"finished"}
    assert not any(len(problems) for problems in experiments["problems"])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda callback: [callback],
        lambda callback: (callback,),
        lambda callback: callback,
        lambda callback: {"mine": callback},
        lambda callback: [[callback], []],
        lambda callback: keras.callbacks.CallbackList([callback], add_history=True),
    ],
    ids=["list", "tuple", "single", "dict", "nested", "CallbackList"],
)
@pytest.mark.parametrize("positional", [False, True], ids=["by name", "by position"])
def test_callbacks_in_any_container(
    wrap: Callable[[Any], Any],
    positional: bool,
    autolog: Callable[..., None],
    data: Data,
    store: Path,
) -> None:
    autolog()
    counter = Counter()
    callbacks = wrap(counter)
    before = list(callbacks) if isinstance(callbacks, (list, tuple, dict)) else None
    model = compiled(sequential())
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.set_model(model)
        before_in_list = list(callbacks.callbacks)
    if positional:
        model.fit(data.x, data.classes, 32, 2, 0, callbacks)
    else:
        model.fit(data.x, data.classes, 32, epochs=2, verbose=0, callbacks=callbacks)

    assert counter.ended == 2
    if before is not None:
        assert list(callbacks) == before
    if isinstance(callbacks, keras.callbacks.CallbackList):
        assert callbacks.callbacks == before_in_list
    opened = Store(store)
    (found,) = opened.experiments()["experiment_id"]
    experiment = opened.experiment(found)
    assert list(experiment.metrics().query("metric == 'added'")["value"]) == [0.0, 1.0]
    assert experiment.record.problems == ()
    assert experiment.hyperparameters()["batch_size"] == 32


def test_no_callbacks_at_all(autolog: Callable[..., None], data: Data, store: Path) -> None:
    autolog()
    model = compiled(sequential())
    for callbacks in (None, []):
        model.fit(data.x, data.classes, verbose=0, callbacks=callbacks)
    assert len(Store(store).experiments()) == 2


def test_a_second_call_changes_the_settings(
    autolog: Callable[..., None], data: Data, store: Path
) -> None:
    model = compiled(sequential())
    for settings in ({"project": "one", "tags": ["a"]}, {"project": "two"}):
        autolog(**settings)
        model.fit(data.x, data.classes, verbose=0)
    opened = Store(store)
    assert list(opened.experiments("one")["tags"].iloc[0]) == ["a"]
    assert list(opened.experiments("two")["tags"].iloc[0]) == []


def test_settings_that_make_no_sense_change_nothing(
    autolog: Callable[..., None], data: Data, store: Path
) -> None:
    autolog(project="before")
    with pytest.raises(InvalidSettingError, match="`tags`"):
        autolog(tags="a")
    with pytest.raises(InvalidNameError):
        autolog(project="x" * 500)
    with pytest.raises(TypeError, match="projet"):
        autolog(projet="digits")
    compiled(sequential()).fit(data.x, data.classes, verbose=0)
    assert list(Store(store).projects()["project"]) == ["before"]


def test_after_disable_nothing_is_recorded_but_by_a_callback(
    autolog: Callable[..., None], data: Data, store: Path
) -> None:
    autolog()
    model = compiled(sequential())
    modelkb_callbacks.disable()
    model.fit(data.x, data.classes, verbose=0)
    assert not store.exists()

    recorder = ModelKB(store=store, strict=True)
    model.fit(data.x, data.classes, verbose=0, callbacks=[recorder])
    model.evaluate(data.x, data.classes, verbose=0)
    model.predict(data.x, verbose=0)
    experiment = Store(store).experiment(recorder.experiment_id)
    assert experiment.record.status == "finished"
    assert set(experiment.metrics()["split"]) == {"train"}


class OwnFit(Subclassed):
    """A model with a ``fit`` of its own, as users write it."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Train for two epochs whatever is asked for."""
        kwargs["epochs"] = 2
        return super().fit(*args, **kwargs)


def test_a_fit_of_the_users_own(autolog: Callable[..., None], data: Data, store: Path) -> None:
    autolog()
    model = compiled(OwnFit())
    model.fit(data.x, data.classes, verbose=0)
    modelkb_callbacks.disable()
    keras_patch.install(keras)
    automatic._enabled = True
    os.environ["MODELKB_STORE"] = str(store)
    try:
        model.xfit(data.x, data.classes, verbose=0)
    finally:
        del os.environ["MODELKB_STORE"]
    assert list(Store(store).experiments()["epochs_completed"]) == [2, 2]


def test_other_models_that_are_trained_meanwhile(
    autolog: Callable[..., None], data: Data, store: Path
) -> None:
    autolog()
    inner = compiled(sequential())
    train_inner = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: inner.fit(data.x, data.classes, verbose=0)
    )
    outer = compiled(sequential())
    outer.fit(data.x, data.classes, epochs=2, verbose=0, callbacks=[train_inner])
    experiments = Store(store).experiments()
    assert sorted(experiments["epochs_completed"]) == [1, 1, 2]
    assert set(experiments["status"]) == {"finished"}


def test_only_the_model_whose_xfit_it_is(
    data: Data, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(store))
    inner = compiled(sequential())
    train_inner = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: inner.fit(data.x, data.classes, verbose=0)
    )
    compiled(sequential()).xfit(data.x, data.classes, verbose=0, callbacks=[train_inner])
    assert len(Store(store).experiments()) == 1


def test_a_wrong_project_in_the_environment_is_told(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELKB_PROJECT", "x" * 500)
    with pytest.warns(ModelKBWarning, match="too long"):
        fit = compiled(sequential()).xfit(data.x, data.classes, verbose=0)
    assert len(fit.history["loss"]) == 1


def test_calls_that_are_wrong_get_keras_own_error(
    autolog: Callable[..., None], data: Data, store: Path
) -> None:
    autolog()
    model = compiled(sequential())
    with pytest.raises(TypeError, match="epoks"):
        model.fit(data.x, epoks=1)
    with pytest.raises(ValueError, match="compile"):
        sequential().fit(data.x, data.classes, verbose=0)
    model.fit(data.x, data.classes, verbose=0)
    with pytest.raises((TypeError, ValueError), match="epoks"):
        model.evaluate(data.x, epoks=1)
    with pytest.raises(TypeError, match="epoks"):
        model.predict(data.x, epoks=1)
    assert list(Store(store).experiments()["status"]) == ["finished"]
