"""Every kind of data, model and label is trained for real and recorded whole."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn import metrics

from trainings import (
    BUILDERS,
    CLASSES,
    SAMPLES,
    Data,
    Fit,
    Fitted,
    compiled,
    functional,
    sequential,
)

BATCH = 16
CUT = 64  # training points before it, validation points from there


@pytest.fixture(autouse=True)
def _seed() -> None:
    """Let each model start from a seed, as it has no weights yet that could be kept."""
    keras.utils.set_random_seed(7)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Points in batches, as a PyDataset."""

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        self.x, self.y = x, y

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(len(self.x) / BATCH)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Return a batch."""
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return self.x[rows], self.y[rows]


def endless(x: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    """Yield batches for ever."""
    batches = Batches(x, y)
    while True:
        for index in range(len(batches)):
            yield batches[index]


def arrays(x: Any, y: Any) -> dict[str, Any]:
    return {"x": x, "y": y}


def tf_data(x: Any, y: Any) -> dict[str, Any]:
    return {"x": tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)}


def py_dataset(x: Any, y: Any) -> dict[str, Any]:
    return {"x": Batches(x, y)}


def generator(x: Any, y: Any) -> dict[str, Any]:
    return {"x": endless(x, y), "steps": -(-len(x) // BATCH)}


DATA_KINDS: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "arrays": arrays,
    "tf.data.Dataset": tf_data,
    "keras.utils.PyDataset": py_dataset,
    "generator": generator,
}


def fit_arguments(kind: str, x: Any, y: Any, *, validated: bool) -> dict[str, Any]:
    """Return the data arguments of ``fit`` for one kind of data."""
    make = DATA_KINDS[kind]
    training = make(x[:CUT], y[:CUT]) if validated else make(x, y)
    arguments: dict[str, Any] = {"epochs": 2}
    if "steps" in training:
        arguments["steps_per_epoch"] = training.pop("steps")
    arguments.update(training)
    if validated:
        validation = make(x[CUT:], y[CUT:])
        if "steps" in validation:
            arguments["validation_steps"] = validation.pop("steps")
        arguments["validation_data"] = (
            (validation["x"], validation["y"]) if "y" in validation else validation["x"]
        )
    return arguments


def assert_curves_are_the_history(fitted: Fitted) -> None:
    """One row per epoch, split and metric, each exactly Keras' value."""
    rows = fitted.experiment.metrics()
    prefix = np.where(rows["split"] == "validation", "val_", "")
    recorded = pd.Series(rows["value"].to_numpy(), index=[prefix + rows["metric"], rows["epoch"]])
    assert recorded.index.is_unique
    expected = {
        (name, epoch): value
        for name, values in fitted.history.items()
        for epoch, value in enumerate(values)
    }
    assert recorded.to_dict() == expected


def matrix_of(fitted: Fitted, x: Any, true: Any, to_classes: Callable[[Any], Any]) -> Any:
    """Return scikit-learn's confusion matrix of the model's own predictions."""
    predicted = to_classes(fitted.model.predict(x, verbose=0))
    return metrics.confusion_matrix(np.ravel(true), np.ravel(predicted), labels=range(CLASSES))


@pytest.mark.parametrize("kind", DATA_KINDS)
def test_data_with_validation(kind: str, data: Data, fit: Fit) -> None:
    fitted = fit(
        compiled(sequential()), **fit_arguments(kind, data.x, data.classes, validated=True)
    )

    assert_curves_are_the_history(fitted)
    assert fitted.experiment.record.status == "finished"
    assert fitted.experiment.record.problems == ()
    assert fitted.experiment.dataset()["kind"] == kind
    evaluation = fitted.experiment.evaluations().iloc[0]
    assert evaluation["split"] == "validation"
    assert evaluation["source"] == "validation_pass"
    assert evaluation["epoch"] == 1
    expected = matrix_of(
        fitted, data.x[CUT:], data.classes[CUT:], lambda scores: scores.argmax(axis=1)
    )
    assert np.array_equal(fitted.experiment.confusion_matrix(), expected)


@pytest.mark.parametrize("kind", DATA_KINDS)
def test_data_without_validation(kind: str, data: Data, fit: Fit) -> None:
    fitted = fit(
        compiled(sequential()), **fit_arguments(kind, data.x, data.classes, validated=False)
    )

    assert_curves_are_the_history(fitted)
    assert fitted.experiment.record.problems == ()
    evaluation = fitted.experiment.evaluations().iloc[0]
    assert (evaluation["split"], evaluation["source"]) == ("train", "training_sample")
    assert evaluation["sample_count"] == SAMPLES
    expected = matrix_of(fitted, data.x, data.classes, lambda scores: scores.argmax(axis=1))
    assert np.array_equal(fitted.experiment.confusion_matrix(), expected)


def test_sample_of_the_training_data_is_bounded_and_says_so(data: Data, fit: Fit) -> None:
    for kind in ("arrays", "tf.data.Dataset"):
        arguments = fit_arguments(kind, data.x, data.classes, validated=False)
        fitted = fit(compiled(sequential()), settings={"evaluation_samples": 40}, **arguments)
        evaluation = fitted.experiment.evaluations().iloc[0]
        assert evaluation["sample_count"] == 40
        assert evaluation["sampled"]


@pytest.mark.parametrize("name", BUILDERS)
def test_models(name: str, data: Data, fit: Fit) -> None:
    model = compiled(BUILDERS[name]())
    fitted = fit(model, data.x, data.classes, validation_split=0.25, epochs=2)

    assert_curves_are_the_history(fitted)
    assert fitted.experiment.record.problems == ()
    described = fitted.experiment.model()
    assert described["parameter_count"] == model.count_params()
    assert described["kind"] == {"subclassed": "subclass"}.get(name, name)
    assert set(fitted.experiment.layers()["class_name"]) >= {"Dense"}
    loaded = fitted.experiment.load_model()
    assert np.array_equal(loaded.predict(data.x, verbose=0), model.predict(data.x, verbose=0))
    # In JSON: Keras itself hands out shapes as tuples before saving and as lists after.
    assert json.loads(loaded.to_json())["config"] == json.loads(model.to_json())["config"]


@pytest.mark.parametrize(
    "case",
    [
        ("sparse_categorical_crossentropy", "classes", CLASSES, "softmax", "argmax"),
        ("categorical_crossentropy", "one_hot", CLASSES, "softmax", "argmax"),
        (
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "classes",
            CLASSES,
            None,
            "argmax",
        ),
        (
            keras.losses.CategoricalCrossentropy(from_logits=True),
            "one_hot",
            CLASSES,
            None,
            "argmax",
        ),
        ("binary_crossentropy", "binary", 1, "sigmoid", 0.5),
        (keras.losses.BinaryCrossentropy(from_logits=True), "binary", 1, None, 0.0),
        ("mse", "one_hot", CLASSES, "softmax", "argmax"),
    ],
    ids=["sparse", "one-hot", "sparse logits", "one-hot logits", "binary", "binary logits", "mse"],
)
def test_labels(case: tuple[Any, str, int, str | None, Any], data: Data, fit: Fit) -> None:
    loss, labels, units, activation, to_classes = case
    model = compiled(sequential(units, activation), loss)
    fitted = fit(model, data.x, getattr(data, labels), validation_split=0.25, epochs=2)

    x, cut = data.x, int(SAMPLES * 0.75)
    scores = model.predict(x[cut:], verbose=0)
    if to_classes == "argmax":
        true, predicted = data.classes[cut:], scores.argmax(axis=1)
    else:
        true, predicted = data.binary[cut:, 0], scores[:, 0] > to_classes
    count = max(units, 2)
    recorded = fitted.experiment.evaluations().iloc[0]
    expected = metrics.confusion_matrix(true, predicted, labels=range(count))
    assert np.array_equal(fitted.experiment.confusion_matrix(), expected)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        true, predicted, labels=range(count), zero_division=0
    )
    for name, values in (
        ("precision", precision),
        ("recall", recall),
        ("f1", f1),
        ("support", support),
    ):
        assert np.allclose(recorded[name], values), name
    assert recorded["accuracy"] == pytest.approx(metrics.accuracy_score(true, predicted))


def test_several_labels_at_once(data: Data, fit: Fit) -> None:
    many = (data.x[:, :4] > 0).astype("float32")
    model = compiled(sequential(4, "sigmoid"), "binary_crossentropy")
    fitted = fit(model, data.x, many, validation_data=(data.x, many), epochs=2)

    predicted = model.predict(data.x, verbose=0) > 0.5
    evaluation = fitted.experiment.evaluations().iloc[0]
    assert evaluation["task"] == "multilabel"
    assert evaluation["confusion_matrix"] is None
    expected = metrics.precision_recall_fscore_support(many, predicted, zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert np.allclose(evaluation[name], values), name


def test_regression(data: Data, fit: Fit) -> None:
    model = compiled(sequential(1, None), "mse", metrics=["mae"])
    fitted = fit(model, data.x, data.numbers, validation_split=0.25, epochs=3)

    cut = int(SAMPLES * 0.75)
    true, predicted = data.numbers[cut:], model.predict(data.x[cut:], verbose=0)
    evaluation = fitted.experiment.evaluations().iloc[0]
    assert evaluation["task"] == "regression"
    assert evaluation["r2"] == pytest.approx(metrics.r2_score(true, predicted), rel=1e-5)
    assert evaluation["mae"] == pytest.approx(
        metrics.mean_absolute_error(true, predicted), rel=1e-5
    )
    assert evaluation["rmse"] == pytest.approx(
        metrics.root_mean_squared_error(true, predicted), rel=1e-5
    )
    assert sum(evaluation["residual_counts"]) == SAMPLES - cut
    assert len(evaluation["residual_edges"]) == len(evaluation["residual_counts"]) + 1


def test_two_outputs_of_different_tasks(data: Data, fit: Fit) -> None:
    inputs = keras.Input((data.x.shape[1],))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    outputs = {
        "kind": keras.layers.Dense(CLASSES, activation="softmax", name="kind")(hidden),
        "size": keras.layers.Dense(1, name="size")(hidden),
    }
    model = keras.Model(inputs, outputs)
    model.compile("adam", {"kind": "sparse_categorical_crossentropy", "size": "mse"})
    labels = {"kind": data.classes, "size": data.numbers}
    fitted = fit(model, data.x, labels, validation_data=(data.x, labels), epochs=2)

    assert_curves_are_the_history(fitted)
    tasks = fitted.experiment.evaluations().set_index("output")["task"].to_dict()
    assert tasks == {"kind": "classification", "size": "regression"}
    predicted = model.predict(data.x, verbose=0)["kind"].argmax(axis=1)
    expected = metrics.confusion_matrix(data.classes, predicted, labels=range(CLASSES))
    assert np.array_equal(fitted.experiment.confusion_matrix(output="kind"), expected)


def test_outputs_as_a_list(data: Data, fit: Fit) -> None:
    inputs = keras.Input((data.x.shape[1],))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    kind = keras.layers.Dense(CLASSES, activation="softmax", name="kind")(hidden)
    first = keras.layers.Dense(1, activation="sigmoid", name="first")(hidden)
    model = keras.Model(inputs, [kind, first])
    model.compile("adam", ["sparse_categorical_crossentropy", "binary_crossentropy"])
    fitted = fit(model, data.x, [data.classes, data.binary], epochs=1)

    assert list(fitted.experiment.evaluations()["output"]) == ["kind", "first"]
    scores = model.predict(data.x, verbose=0)[1][:, 0] > 0.5
    expected = metrics.confusion_matrix(data.binary[:, 0], scores, labels=[0, 1])
    assert np.array_equal(fitted.experiment.confusion_matrix(output="first"), expected)


def test_every_pixel_of_a_segmentation_counts(fit: Fit) -> None:
    random = np.random.default_rng(1)
    images = random.normal(size=(12, 6, 6, 2)).astype("float32")
    masks = random.integers(0, CLASSES, (12, 6, 6))
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), keras.layers.Conv2D(CLASSES, 1, activation="softmax")]
    )
    fitted = fit(compiled(model), images, masks, validation_data=(images, masks), epochs=1)

    predicted = model.predict(images, verbose=0).argmax(axis=-1)
    expected = metrics.confusion_matrix(masks.ravel(), predicted.ravel(), labels=range(CLASSES))
    assert np.array_equal(fitted.experiment.confusion_matrix(), expected)


def test_data_frames(data: Data, fit: Fit) -> None:
    frame = pd.DataFrame(data.x, columns=[f"f{index}" for index in range(data.x.shape[1])])
    labels = pd.Series(data.classes, index=reversed(range(SAMPLES)))
    fitted = fit(compiled(functional()), frame, labels, epochs=1)

    expected = matrix_of(fitted, data.x, data.classes, lambda scores: scores.argmax(axis=1))
    assert np.array_equal(fitted.experiment.confusion_matrix(), expected)


def test_no_labels_at_all(data: Data, fit: Fit) -> None:
    class Autoencoder(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.decode = keras.layers.Dense(8)

        def call(self, inputs: Any) -> Any:
            decoded = self.decode(inputs)
            self.add_loss(keras.ops.mean((decoded - inputs) ** 2))
            return decoded

    model = Autoencoder()
    model.compile("adam")
    fitted = fit(model, data.x, epochs=2)

    assert_curves_are_the_history(fitted)
    assert fitted.experiment.evaluations().empty
    assert "not evaluated" in " ".join(fitted.experiment.record.problems)


def test_class_names_come_from_the_argument_or_the_data(data: Data, fit: Fit) -> None:
    names = ["red", "green", "blue"]
    given = fit(
        compiled(sequential()), data.x, data.classes, epochs=1, settings={"class_names": names}
    )
    assert list(given.experiment.confusion_matrix().columns) == names

    dataset = tf.data.Dataset.from_tensor_slices((data.x, data.classes)).batch(BATCH)
    dataset.class_names = names  # as image_dataset_from_directory does
    found = fit(compiled(sequential()), dataset.map(lambda x, y: (x, y)).prefetch(1), epochs=1)
    assert list(found.experiment.confusion_matrix().index) == names
