"""Uses that are rare, real, and hard on a recorder."""

from __future__ import annotations

import os
import signal
import textwrap
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics

from modelkb_callbacks import ModelKB, ModelKBWarning
from modelkb_store import ModelLoadError, Store
from trainings import CLASSES, Data, Fit, compiled, same_weights, sequential
from warm_python import WarmPython

Callbacks = list[keras.callbacks.Callback]


def batches_of(data: Data) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((data.x, data.classes)).batch(16)


def compare(train: Callable[[Callbacks], keras.Model], store: Path) -> None:
    """Train with and without the callback; weights and random states must agree."""
    results = []
    for callbacks in ([], [ModelKB(store=store, strict=True)]):
        # In Keras 3.12 a new seed leaves the global generator as it is.
        keras.utils.clear_session()
        keras.utils.set_random_seed(5)
        model = train(callbacks)
        drawn = float(keras.random.uniform(())), float(tf.random.uniform(()))
        results.append((model, drawn))
    (plain, plain_drawn), (recorded, drawn) = results
    assert same_weights(plain, recorded)
    assert drawn == plain_drawn


def test_a_function_that_is_traced_already_is_not_traced_anew(data: Data, store: Path) -> None:
    """Keras goes on training a layer that was frozen without compiling again; so must we."""

    def train(callbacks: Callbacks) -> keras.Model:
        model = compiled(sequential())
        model.fit(batches_of(data), verbose=0)
        model.layers[0].trainable = False
        model.fit(batches_of(data), verbose=0, callbacks=callbacks)
        return model

    compare(train, store)
    experiment_id = Store(store).experiments()["experiment_id"].iloc[-1]
    assert "compile the model anew" in Store(store).experiment(experiment_id).record.problems[0]


def test_evaluate_before_fit(data: Data, store: Path) -> None:
    class Noisy(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.scores = keras.layers.Dense(CLASSES, activation="softmax")

        def call(self, inputs: Any) -> Any:
            return self.scores(inputs + tf.random.normal(tf.shape(inputs), seed=3))

    def train(callbacks: Callbacks) -> keras.Model:
        model = compiled(Noisy())
        model.evaluate(data.x, data.classes, verbose=0)
        model.fit(data.x, data.classes, validation_split=0.25, verbose=0, callbacks=callbacks)
        model.fit(data.x, data.classes, validation_split=0.25, verbose=0, callbacks=callbacks)
        return model

    compare(train, store)


@pytest.mark.parametrize("seeded", [True, False], ids=["own generator", "global generator"])
def test_random_numbers_outside_of_the_model(seeded: bool, data: Data, store: Path) -> None:
    """The sampler of a variational autoencoder, in a Lambda layer."""

    def train(callbacks: Callbacks) -> keras.Model:
        generator = keras.random.SeedGenerator(9) if seeded else None
        inputs = keras.Input((8,))
        code = keras.layers.Dense(2)(inputs)
        sampled = keras.layers.Lambda(
            lambda z: z + keras.random.normal(keras.ops.shape(z), seed=generator)
        )(code)
        model = keras.Model(inputs, keras.layers.Dense(8)(sampled))
        model.compile("adam", "mse")
        for _ in range(2):
            model.fit(data.x, data.x, verbose=0, callbacks=callbacks)
        return model

    compare(train, store)


def test_gan_with_optimizers_of_its_own(data: Data, store: Path) -> None:
    class Gan(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(8)])
            self.critic = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
            self.loss_metric = keras.metrics.Mean(name="critic_loss")

        def compile(self, critic_optimizer: Any) -> None:
            super().compile()
            self.critic_optimizer = critic_optimizer

        def train_step(self, real: Any) -> dict[str, Any]:
            fake = self.generator(tf.zeros((tf.shape(real)[0], 2)))
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(self.critic(fake) - self.critic(real))
            weights = self.critic.trainable_weights
            self.critic_optimizer.apply(tape.gradient(loss, weights), weights)
            self.loss_metric.update_state(loss)
            return {"critic_loss": self.loss_metric.result()}

    def train(callbacks: Callbacks) -> keras.Model:
        model = Gan()
        model.compile(keras.optimizers.SGD(0.1))
        dataset = tf.data.Dataset.from_tensor_slices(data.x).batch(16)
        model.fit(dataset, epochs=2, verbose=0, callbacks=callbacks)
        return model.critic

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the model cannot be serialized, and we say so
        compare(train, store)
    experiment = Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])
    assert list(experiment.metrics()["step"]) == [6, 12]
    assert "optimizer" not in experiment.hyperparameters()
    assert len(experiment.layers()) > 2
    assert "end" in set(experiment.checkpoints()["kind"])


def test_callbacks_that_refer_to_themselves_do_not_break_a_fit(data: Data) -> None:
    class Sibling(keras.callbacks.Callback):  # type: ignore[misc]
        """Knows the callbacks beside it."""

        callbacks: Callbacks

    sibling = Sibling()
    sibling.callbacks = [sibling]
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=sibling.callbacks)


def test_weights_that_a_callback_changes_at_the_end(data: Data, store: Path) -> None:
    class Pruning(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_end(self, logs: Any = None) -> None:
            for weight in self.model.weights:
                if len(weight.shape) > 1:
                    weight.assign(weight * 0)

    model = compiled(keras.Sequential([keras.layers.Dense(8) for _ in range(4)]))
    recorder = ModelKB(store=store, strict=True)
    model.fit(
        data.x,
        data.classes,
        validation_data=(data.x, data.classes),
        verbose=0,
        callbacks=[recorder, Pruning()],
    )
    experiment = Store(store).experiment(recorder.experiment_id)
    predicted = model.predict(data.x, verbose=0).argmax(axis=1)
    expected = metrics.confusion_matrix(data.classes, predicted, labels=range(8))
    assert np.array_equal(experiment.confusion_matrix(), expected)
    assert experiment.evaluations()["source"].iloc[0] == "second_pass"


def test_averaged_weights_say_of_which_pass_the_figures_are(data: Data, fit: Fit) -> None:
    model = sequential()
    model.compile(keras.optimizers.Adam(0.1, use_ema=True), "sparse_categorical_crossentropy")
    fitted = fit(model, batches_of(data), validation_data=batches_of(data), epochs=2)
    row = fitted.experiment.evaluations().iloc[0]
    assert (row["source"], row["epoch"]) == ("earlier_validation_pass", 1)


def test_sequences_of_numbers_are_not_broadcast(fit: Fit) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(12, 5, 2)).astype("float32")
    y = x.sum(axis=2)
    model = keras.Sequential([keras.Input((5, 2)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    fitted = fit(model, x, y, validation_data=(x, y), validation_batch_size=1, epochs=1)
    expected = metrics.mean_absolute_error(y, model.predict(x, verbose=0)[..., 0])
    assert fitted.experiment.evaluations()["mae"].iloc[0] == pytest.approx(expected, rel=1e-5)


def test_soft_targets_are_a_regression(data: Data, fit: Fit) -> None:
    pixels = np.random.default_rng(0).uniform(size=(40, 8)).astype("float32")
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    fitted = fit(model, pixels, pixels, validation_data=(pixels, pixels), epochs=1)
    assert fitted.experiment.evaluations()["task"].iloc[0] == "regression"


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_outputs_without_a_loss_are_not_evaluated(data: Data, fit: Fit) -> None:
    inputs = keras.Input((8,))
    outputs = {
        name: keras.layers.Dense(CLASSES, activation="softmax", name=name)(inputs)
        for name in ("trained", "other")
    }
    model = keras.Model(inputs, outputs)
    model.compile("adam", {"trained": "sparse_categorical_crossentropy"})
    labels = {"trained": data.classes}
    fitted = fit(model, data.x, labels, validation_data=(data.x, labels), epochs=1)
    assert list(fitted.experiment.evaluations()["output"]) == ["trained"]


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_a_step_with_two_heads_is_not_taken_for_one(data: Data, fit: Fit) -> None:
    class TwoHeads(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.main = keras.layers.Dense(CLASSES, activation="softmax")
            self.side = keras.layers.Dense(CLASSES, activation="softmax")

        def call(self, inputs: Any) -> Any:
            return self.main(inputs)

        def test_step(self, batch: Any) -> dict[str, Any]:
            x, y = batch
            main = self.compute_loss(x, y, self(x))
            return {"loss": main + self.compute_loss(x, y, self.side(x))}

    model = compiled(TwoHeads())
    model.side.build((None, 8))
    fitted = fit(model, data.x, data.classes, validation_data=(data.x, data.classes), epochs=1)
    predicted = model.predict(data.x, verbose=0).argmax(axis=1)
    expected = metrics.confusion_matrix(data.classes, predicted, labels=range(CLASSES))
    assert np.array_equal(fitted.experiment.confusion_matrix(), expected)


def test_more_classes_than_a_matrix_holds(store: Path) -> None:
    """No figures, no warning, and no second try."""
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    y = np.arange(32)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3000, activation="softmax")])
    recorder = ModelKB(store=store, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        compiled(model).fit(x, y, validation_data=(x, y), verbose=0, callbacks=[recorder])
    experiment = Store(store).experiment(recorder.experiment_id)
    assert experiment.evaluations().empty
    assert "3000 classes" in experiment.record.problems[0]


def test_large_outputs_are_predicted_in_small_parts(store: Path) -> None:
    images = np.zeros((256, 64, 64, 1), dtype="uint8")
    masks = np.zeros((256, 64, 64), dtype="uint8")
    model = keras.Sequential(
        [keras.Input((64, 64, 1)), keras.layers.Conv2D(16, 1, activation="softmax")]
    )
    tracemalloc.start()
    try:
        compiled(model).fit(
            images,
            masks,
            steps_per_epoch=2,
            batch_size=8,
            verbose=0,
            callbacks=[ModelKB(store=store, strict=True)],
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 << 20  # all outputs at once are 67 MB of scores alone, and copies of it


def test_a_schedule_without_a_config(data: Data, fit: Fit) -> None:
    class Warmup(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            return 0.001

    model = sequential()
    model.compile(keras.optimizers.Adam(Warmup()), "sparse_categorical_crossentropy")
    fitted = fit(model, data.x, data.classes)
    assert fitted.experiment.hyperparameters()["optimizer"] == "Adam"
    assert fitted.experiment.model()["kind"] == "sequential"
    # The schedule alone is not known; all else is.
    assert '"loss":"sparse_categorical_crossentropy"' in fitted.experiment.model()["compile_config"]
    with pytest.raises(ModelLoadError, match="compile=False"):
        fitted.experiment.load_model()
    loaded = fitted.experiment.load_model(compile=False)
    assert np.array_equal(loaded.predict(data.x, verbose=0), model.predict(data.x, verbose=0))


def test_mixed_precision_has_the_users_optimizer(data: Data, fit: Fit) -> None:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled(sequential())
    finally:
        keras.config.set_dtype_policy("float32")
    found = fit(model, data.x, data.classes).experiment.hyperparameters()
    assert (found["optimizer"], found["learning_rate"]) == ("Adam", 0.001)


def test_two_recorders_at_once(data: Data, tmp_path: Path) -> None:
    recorders = [ModelKB(store=tmp_path / name, strict=True) for name in ("one", "two")]
    compiled(sequential()).fit(
        batches_of(data), validation_data=batches_of(data), verbose=0, callbacks=recorders
    )
    for recorder, name in zip(recorders, ("one", "two"), strict=True):
        experiment = Store(tmp_path / name).experiment(recorder.experiment_id)
        assert experiment.confusion_matrix().to_numpy().sum() == 96


def test_the_store_does_not_move_with_the_working_directory(data: Data, tmp_path: Path) -> None:
    recorder = ModelKB(store="runs", strict=True)
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")
    compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=[recorder])
    assert (tmp_path / "runs" / "format.json").exists()


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_batches_of_different_widths(fit: Fit) -> None:
    sentences = [[1, 2], [3, 1, 2, 2], [2], [1, 1, 3]] * 8
    dataset = tf.data.Dataset.from_generator(
        lambda: ((s, len(s) % 2) for s in sentences),
        output_signature=(tf.TensorSpec((None,), tf.int32), tf.TensorSpec((), tf.int32)),
    ).padded_batch(5)
    model = keras.Sequential(
        [
            keras.layers.Embedding(5, 4),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    fitted = fit(compiled(model), dataset, epochs=1)
    assert fitted.experiment.confusion_matrix().to_numpy().sum() == len(sentences)


def test_texts_go_through_a_model_that_takes_texts(fit: Fit) -> None:
    texts = tf.constant([["good film"], ["bad film"]] * 16)
    labels = np.array([1, 0] * 16)
    vectorize = keras.layers.TextVectorization(10, output_sequence_length=3)
    vectorize.adapt(texts)
    inputs = keras.Input((1,), dtype="string")
    hidden = keras.layers.Flatten()(keras.layers.Embedding(10, 4)(vectorize(inputs)))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(hidden))
    for x in (texts, tf.data.Dataset.from_tensor_slices((texts, labels)).batch(8)):
        y = {} if isinstance(x, tf.data.Dataset) else {"y": labels}
        fitted = fit(compiled(model), x, epochs=1, **y)
        assert fitted.experiment.confusion_matrix().to_numpy().sum() == 32


def test_equal_tables_of_texts_are_one_dataset(fit: Fit) -> None:
    ids = set()
    for _ in range(2):
        texts = np.array([f"text {index}" for index in range(32)], dtype=object)[:, None]
        vectorize = keras.layers.TextVectorization(10, output_sequence_length=3)
        vectorize.adapt(["text 1"])
        model = keras.Sequential(
            [
                keras.Input((1,), dtype="string"),
                vectorize,
                keras.layers.Embedding(10, 2),
                keras.layers.Flatten(),
                keras.layers.Dense(2, activation="softmax"),
            ]
        )
        fitted = fit(compiled(model), tf.constant(texts), np.zeros(32), epochs=1)
        ids.add(fitted.experiment.record.dataset_id)
    assert len(ids) == 1


SECRETS = {
    "db": {"user": "ada", "password": "not-to-be-seen-1"},
    "argv": ["--user", "ada", "--password", "not-to-be-seen-2"],
    "header": "Authorization: Bearer not-to-be-seen-3",
    "nested": [{"api": {"token": "not-to-be-seen-4"}}],
}


def test_secrets_in_nested_settings_and_texts(data: Data, store: Path) -> None:
    @keras.saving.register_keras_serializable("tests")
    class Remote(keras.layers.Layer):  # type: ignore[misc]
        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "api_key": "not-to-be-seen-5"}

        def call(self, inputs: Any) -> Any:
            return inputs

    model = keras.Sequential([keras.Input((8,)), Remote(), keras.layers.Dense(CLASSES)])
    compiled(model).fit(
        data.x,
        data.classes,
        verbose=0,
        callbacks=[
            ModelKB(
                store=store,
                params=SECRETS,
                notes="password=not-to-be-seen-6",
                tags=["token=not-to-be-seen-7"],
                strict=True,
            )
        ],
    )
    experiment = Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])
    everything = [
        repr(experiment.hyperparameters()),
        repr(experiment.record),
        repr(experiment.architecture()),
        experiment.layers().to_json(),
    ]
    assert "not-to-be-seen" not in "".join(everything)
    assert experiment.hyperparameters()["db"]["user"] == "ada"


@pytest.mark.slow
def test_an_interruption_while_we_evaluate_leaves_a_whole_record(
    store: Path, warm_python: WarmPython
) -> None:
    script = textwrap.dedent(
        """
        import os, signal, sys
        import keras, numpy as np
        from modelkb_callbacks import ModelKB, ModelKBWarning

        # A shell that starts us in the background leaves it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)

        class Interrupting(keras.layers.Layer):
            armed = False
            def call(self, inputs):
                if Interrupting.armed:
                    os.kill(os.getpid(), signal.SIGINT)
                return inputs

        class Arm(keras.callbacks.Callback):
            def on_train_end(self, logs=None):
                Interrupting.armed = True

        model = keras.Sequential([keras.Input((4,)), Interrupting(), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        x = np.ones((64, 4), "float32")
        model.fit(x, x[:, :1], verbose=0, callbacks=[ModelKB(store=sys.argv[1]), Arm()])
        """
    )
    done = warm_python.run(script, store)
    assert done.returncode in (-signal.SIGINT, 1), done.stderr
    assert "KeyboardInterrupt" in done.stderr
    experiment = Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])
    assert experiment.record.status == "finished"
    assert experiment.record.epochs_completed == 1
    assert list(experiment.checkpoints()["kind"])[-1:] == ["end"]
    assert list((store / "log").rglob("*.jsonl")) == []


def test_inputs_and_outputs_may_be_called_what_they_like(data: Data, fit: Fit) -> None:
    """Names that are secrets among settings are not in a model."""
    inputs = {name: keras.Input((8,), name=name) for name in ("token", "key")}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    scores = keras.layers.Dense(CLASSES, activation="softmax", name="session")(joined)
    model = keras.Model(inputs, {"session": scores})
    model.compile("adam", {"session": "sparse_categorical_crossentropy"})
    x, y = {"token": data.x, "key": data.x}, {"session": data.classes}
    fitted = fit(model, x, y, epochs=1)
    assert fitted.experiment.record.problems == ()
    loss = fitted.experiment.hyperparameters()["loss"]
    assert loss == {"session": "sparse_categorical_crossentropy"}
    loaded = fitted.experiment.load_model()
    assert np.array_equal(
        loaded.predict(x, verbose=0)["session"], model.predict(x, verbose=0)["session"]
    )


def test_a_secret_in_an_error_is_left_out(data: Data, store: Path) -> None:
    class Unserializable(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.scores = keras.layers.Dense(CLASSES, activation="softmax")

        def call(self, inputs: Any) -> Any:
            return self.scores(inputs)

        def get_config(self) -> dict[str, Any]:
            raise RuntimeError("no answer from https://ada:not-to-be-seen@example.org/x")

    with pytest.warns(ModelKBWarning, match="layer table of Unserializable") as caught:
        compiled(Unserializable()).fit(
            data.x, data.classes, verbose=0, callbacks=[ModelKB(store=store)]
        )
    (ours,) = (warning for warning in caught if warning.category is ModelKBWarning)
    assert Path(ours.filename) == Path(__file__), "the warning names the user's line"
    problems = Store(store).experiments()["problems"].iloc[0]
    assert "example.org" in "".join(problems)
    assert "not-to-be-seen" not in "".join([*problems, str(ours.message)])


def test_the_users_own_warnings_are_shown_as_often_as_ever(data: Data, store: Path) -> None:
    def warn(epoch: int, logs: Any) -> None:
        warnings.warn("the user's own", RuntimeWarning, stacklevel=1)

    def shown(callbacks: Callbacks) -> int:
        watcher = keras.callbacks.LambdaCallback(on_epoch_end=warn)
        globals().pop("__warningregistry__", None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            compiled(sequential()).fit(
                data.x,
                data.classes,
                validation_split=0.25,
                epochs=4,
                verbose=0,
                callbacks=[*callbacks, watcher],
            )
        return sum("the user's own" in str(warning.message) for warning in caught)

    assert shown([ModelKB(store=store, strict=True)]) == shown([]) == 1


def test_class_names_that_do_not_fit_are_said_so(data: Data, store: Path) -> None:
    recorder = ModelKB(store=store, class_names=["only", "two"])
    with pytest.warns(UserWarning, match="left out 2 class names: the model has 3 classes"):
        compiled(sequential()).fit(data.x, data.classes, verbose=0, callbacks=[recorder])
