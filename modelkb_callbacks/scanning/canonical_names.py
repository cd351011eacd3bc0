"""One name for each thing of Keras, however a script came by it."""

from __future__ import annotations

from functools import lru_cache

# Prefix as written to prefix as meant; applied until none fits any more.
_SAME: dict[str, str] = {
    "keras._tf_keras.keras": "keras",
    "keras.api._v1.keras": "keras",
    "keras.api._v2.keras": "keras",
    "keras.api": "keras",
    "keras.src": "keras",
    "keras_core": "keras",
    "tensorflow._api.v2.v2": "tensorflow",
    "tensorflow.compat.v1": "tensorflow",
    "tensorflow.compat.v2": "tensorflow",
    "tensorflow.contrib.keras.api.keras": "keras",
    "tensorflow.contrib.keras.python.keras": "keras",
    "tensorflow.contrib.keras": "keras",
    "tensorflow.keras": "keras",
    "tensorflow.losses": "keras.losses",
    "tensorflow.metrics": "keras.metrics",
    "tensorflow.optimizers": "keras.optimizers",
    "tensorflow.python.keras": "keras",
    "tensorflow_datasets": "tfds",
    "tf_keras": "keras",
}
_LIBRARIES_OF_LAYERS = {
    "keras",
    "keras_contrib",
    "keras_cv",
    "keras_hub",
    "keras_nlp",
    "larq",
    "spektral",
    "tensorflow_addons",
    "tensorflow_hub",
    "tensorflow_probability",
}
_MERGES = {
    "add": "Add",
    "average": "Average",
    "concatenate": "Concatenate",
    "dot": "Dot",
    "maximum": "Maximum",
    "merge": "Merge",
    "minimum": "Minimum",
    "multiply": "Multiply",
    "subtract": "Subtract",
}
# By their names in lower case, which are also functions of old Keras versions.
OPTIMIZERS = {"adadelta", "adagrad", "adam", "adamax", "adamw", "ftrl", "nadam", "rmsprop", "sgd"}
# What an optimizer calls its learning rate.
RATES = ("learning_rate", "lr")
_SCHEDULES = {
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
}
_FOLDERS = {"callbacks": "callback", "losses": "loss", "metrics": "metric"}


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """Return the canonical form of a dotted name.

    Example:
        >>> canonical("tensorflow.compat.v1.keras.layers.Dense")
        'keras.layers.Dense'
    """
    for _ in range(4):
        for written, meant in _SAME.items():
            if name == written or name.startswith(f"{written}."):
                name = meant + name[len(written) :]
                break
        else:
            break
    return name


def last_part(name: str) -> str:
    """Return what stands behind the last dot."""
    return name.rpartition(".")[2]


def merge_layer(name: str) -> str | None:
    """Return the layer class of a merging function such as ``keras.layers.add``."""
    folder, _, function = name.rpartition(".")
    return _MERGES.get(function) if folder.startswith("keras.layers") else None


@lru_cache(maxsize=4096)
def kind_of(name: str) -> str | None:
    """Return what a canonical name stands for.

    Returns:
        ``input``, ``layer``, ``model``, ``sequential``, ``application``, ``optimizer``,
        ``schedule``, ``callback``, ``loss``, ``metric``; None for everything else.
    """
    root, *folders = name.split(".")
    if not folders:
        return None
    last = folders.pop()
    if root == "tensorflow" and folders == ["train"] and last.endswith("Optimizer"):
        return "optimizer"
    if root in ("efficientnet", "keras_efficientnets"):
        return "application" if last.startswith("EfficientNet") else None
    if root not in _LIBRARIES_OF_LAYERS:
        return _kind_elsewhere(folders, last)
    return _kind_in_keras(root, folders, last)


def _kind_elsewhere(folders: list[str], last: str) -> str | None:
    """Go by the folder, as of `some_library.layers.Attention`."""
    if not last[:1].isupper():
        return None
    if "callbacks" in folders:
        return "callback"
    return "layer" if "layers" in folders else None


def _kind_in_keras(root: str, folders: list[str], last: str) -> str | None:
    is_class = last.lstrip("_")[:1].isupper()
    if last in ("Input", "InputLayer"):
        return "input"
    if last == "Sequential":
        return "sequential"
    if last in ("Model", "Functional") and root == "keras":
        return "model"
    if last in _SCHEDULES or "schedules" in folders:
        return "schedule" if is_class else None
    if "optimizers" in folders or last == "LossScaleOptimizer":
        return "optimizer" if is_class or last in OPTIMIZERS else None
    if "applications" in folders:
        return "application" if is_class else None
    for folder, kind in _FOLDERS.items():
        if folder in folders:
            return kind if is_class else None
    if is_class and ("layers" in folders or last in ("KerasLayer", "Layer")):
        return "layer"
    return None
