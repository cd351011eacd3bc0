"""The patch of ``keras.Model``: what it leaves as it was, and that it comes off again."""

from __future__ import annotations

import functools
import inspect
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import modelkb_callbacks
from modelkb_callbacks import keras_patch
from modelkb_store import Store
from trainings import BUILDERS, Data, compiled, functional, same_weights, sequential

ADDED = ("xfit", "xfit_generator", "xpredict")
PATCHED = ("fit", "evaluate", "predict")


@pytest.fixture(autouse=True)
def _patch_again() -> Iterator[None]:
    """Leave the process as other tests expect it."""
    yield
    modelkb_callbacks.autolog()
    modelkb_callbacks.disable()
    keras_patch.install(keras)
    modelkb_callbacks.automatic._enabled = True


def functions() -> dict[str, Any]:
    """Keras' functions as they are now."""
    return {name: getattr(keras.Model, name) for name in PATCHED}


def test_disable_puts_the_originals_back_identically() -> None:
    patched = functions()
    modelkb_callbacks.disable()
    originals = functions()
    for name in PATCHED:
        assert originals[name] is patched[name].__wrapped__
        assert originals[name] is getattr(super(keras.Model, keras.Model), name)
        assert name not in vars(keras.Model)
    assert not any(hasattr(keras.Model, name) for name in ADDED)

    modelkb_callbacks.disable()
    assert functions() == originals

    modelkb_callbacks.autolog()
    assert all(hasattr(keras.Model, name) for name in ADDED)
    modelkb_callbacks.disable()
    assert functions() == originals


def test_signatures() -> None:
    for name, like in (("xfit", "fit"), ("xpredict", "predict")):
        added = getattr(keras.Model, name)
        assert inspect.signature(added) == inspect.signature(getattr(keras.Model, like))
        assert added.__name__ == name
        assert "record" in added.__doc__
    for name in PATCHED:
        patched = getattr(keras.Model, name)
        assert inspect.signature(patched) == inspect.signature(patched.__wrapped__)
        assert patched.__doc__ == patched.__wrapped__.__doc__
    old = inspect.signature(keras.Model.xfit_generator)
    assert str(old).replace("self: 'Any', ", "").count("generator") == 1
    assert list(old.parameters) == [
        "self",
        "generator",
        "steps_per_epoch",
        "epochs",
        "verbose",
        "callbacks",
        "validation_data",
        "validation_steps",
        "validation_freq",
        "class_weight",
        "max_queue_size",
        "workers",
        "use_multiprocessing",
        "shuffle",
        "initial_epoch",
    ]
    defaults = [p.default for p in old.parameters.values()][2:]
    assert defaults == [None, 1, 1, None, None, None, 1, None, 10, 1, False, True, 0]


@pytest.mark.parametrize("name", BUILDERS)
def test_xfit_records_without_a_callback(
    name: str, data: Data, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(store))
    keras.utils.set_random_seed(1)
    plain = compiled(BUILDERS[name]())
    expected = plain.fit(data.x, data.classes, 16, 2, 0).history
    assert not store.exists()

    keras.utils.set_random_seed(1)
    model = compiled(BUILDERS[name]())
    history = model.xfit(data.x, data.classes, 16, 2, 0)
    assert history.history == expected
    assert same_weights(model, plain)
    opened = Store(store)
    (found,) = opened.experiments()["experiment_id"]
    losses = opened.experiment(found).metrics().query("metric == 'loss'")["value"]
    assert list(losses) == expected["loss"]

    model.fit(data.x, data.classes, verbose=0)
    assert len(opened.experiments()) == 1, "only xfit records"


def test_xfit_generator(data: Data, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(store))

    def batches() -> Iterator[Any]:
        while True:
            yield data.x[:32], data.classes[:32]

    model = compiled(sequential())
    fit = model.xfit_generator(batches(), 3, 2, 0, validation_data=(data.x, data.classes))
    assert len(fit.history["val_loss"]) == 2
    opened = Store(store)
    (found,) = opened.experiments()["experiment_id"]
    assert opened.experiment(found).hyperparameters()["steps_per_epoch"] == 3
    with pytest.warns(UserWarning, match="workers"):
        model.xfit_generator(batches(), 1, verbose=0, workers=4)


def test_a_library_that_patches_over_ours_stays(data: Data, store: Path) -> None:
    calls: list[str] = []
    ours = keras.Model.fit

    @functools.wraps(ours)
    def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append("theirs")
        return ours(self, *args, **kwargs)

    keras.Model.fit = theirs
    try:
        modelkb_callbacks.disable()
        assert keras.Model.fit is theirs
        assert "evaluate" not in vars(keras.Model)
        model = compiled(sequential())
        model.fit(data.x, data.classes, verbose=0)

        modelkb_callbacks.autolog(store=store, strict=True)
        assert keras.Model.fit is theirs
        model.fit(data.x, data.classes, verbose=0)
        model.evaluate(data.x, data.classes, verbose=0)
        assert calls == ["theirs"] * 2
        (found,) = Store(store).experiments()["experiment_id"]
        assert len(Store(store).experiment(found).evaluations().query("split == 'test'")) == 1
    finally:
        keras.Model.fit = ours
    modelkb_callbacks.disable()
    assert "fit" not in vars(keras.Model)


def failing(*_: Any) -> Any:
    raise ValueError("enough")


def frames(action: Callable[[], Any]) -> list[str]:
    """The files that an exception's traceback shows."""
    try:
        action()
    except Exception as error:  # noqa: BLE001 - whichever it is
        return [Path(frame.filename).name for frame in traceback.extract_tb(error.__traceback__)]
    raise AssertionError("nothing was raised")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="a bare raise adds a frame there")
@pytest.mark.parametrize("recorded", [False, True])
def test_tracebacks_are_as_without_us(recorded: bool, data: Data, store: Path) -> None:
    stop = keras.callbacks.LambdaCallback(on_epoch_end=failing)
    stop.on_test_begin = stop.on_predict_begin = failing

    def all_ways() -> list[list[str]]:
        model = compiled(functional())
        return [
            frames(lambda: model.fit(data.x, data.classes, verbose=0, callbacks=[stop])),
            frames(
                lambda: model.fit(
                    data.x, data.classes, verbose=0, callbacks=[stop], validation_split=0.5
                )
            ),
            frames(lambda: model.evaluate(data.x, data.classes, verbose=0, callbacks=[stop])),
            frames(lambda: model.predict(data.x, verbose=0, callbacks=[stop])),
            frames(lambda: model.predict(np.zeros((2, 77)), verbose=0)),
            frames(lambda: model.fit(epoks=3)),
            frames(lambda: model.evaluate(epoks=3)),
            frames(lambda: model.predict(epoks=3)),
        ]

    modelkb_callbacks.disable()
    expected = all_ways()
    if recorded:
        modelkb_callbacks.autolog(store=store)
    else:
        keras_patch.install(keras)
        modelkb_callbacks.automatic._enabled = True
    assert all_ways() == expected
    assert len(Store(store).experiments()) == 2 if recorded else not store.exists()


SCRIPT = textwrap.dedent(
    """
    import sys
    {first}
    {second}
    import keras
    def look(name):
        return keras.Model.__dict__.get(name)
    print([name for name in ("fit", "evaluate", "predict", "xfit", "xpredict") if look(name)])
    modelkb_callbacks.disable()
    print([name for name in ("fit", "evaluate", "predict", "xfit", "xpredict") if look(name)])
    """
)
ALL = "['fit', 'evaluate', 'predict', 'xfit', 'xpredict']"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "patched"),
    [
        ("import keras", "import modelkb_callbacks", ALL),
        ("import modelkb_callbacks", "import keras", ALL),
        ("import modelkb_callbacks", "modelkb_callbacks.disable()", "[]"),
        ("import modelkb_callbacks", "from modelkb_callbacks import ModelKB", ALL),
        ("import modelkb_callbacks", "import tensorflow as tf; tf.keras.Model", ALL),
    ],
)
def test_whatever_is_imported_first(first: str, second: str, patched: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error::UserWarning",
            "-c",
            SCRIPT.format(first=first, second=second),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [patched, "[]"]


def test_importing_is_light() -> None:
    check = textwrap.dedent(
        """
        import sys
        import modelkb_callbacks
        modelkb_callbacks.autolog(project="light", tags=["a"])
        heavy = {"keras", "numpy", "pyarrow", "pandas", "h5py", "tensorflow", "click", "psutil"}
        print(sorted(heavy & set(sys.modules)))
        modelkb_callbacks.disable()
        print(sorted(heavy & set(sys.modules)))
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", check], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[]", "[]"]
    assert done.stderr == ""
