"""The models that a prediction process has loaded, within a bound on their memory."""

from __future__ import annotations

import json
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelkb_store import Experiment, Store
from modelkb_store.errors import ArtifactNotFoundError, ModelKBError, ModelLoadError
from modelkb_viewer.prediction.errors import ModelRebuildError, RecordedCodeError
from modelkb_viewer.prediction.recorded_code import (
    construct_model,
    custom_objects,
    recorded_objects,
    said,
)

_MOST_BYTES = 1 << 30
_SUBCLASS = "subclass"  # as the table ``models`` has it


@dataclass(frozen=True, slots=True)
class ModelKey:
    """Which weights of which model.

    Attributes:
        location: The store.
        experiment_id: The experiment.
        checkpoint: As for :meth:`Experiment.load_model`.
        revision: Another one as soon as the checkpoint is another, as in a running experiment.
        runs_code: Whether recorded code may be run for it.
    """

    location: str
    experiment_id: str
    checkpoint: str | int | None
    revision: str
    runs_code: bool


class LoadedModels:
    """Loads models, and keeps those that were used last.

    Args:
        most_bytes: How much their weights may take together; the model that is used last
            stays, however large.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._models: OrderedDict[ModelKey, tuple[Any, int]] = OrderedDict()
        self._stores: dict[str, Store] = {}

    def __len__(self) -> int:
        return len(self._models)

    def model(self, key: ModelKey, inputs: Sequence[Any]) -> Any:
        """Return a model.

        Args:
            key: Which one.
            inputs: Samples, to build a model with that has no shapes before it is called.

        Raises:
            RecordedCodeError: It needs recorded code, which may not be run.
            ModelKBError: It cannot be loaded; says why.
        """
        if key in self._models:
            self._models.move_to_end(key)
            return self._models[key][0]
        model = self._load(key, inputs)
        self._models[key] = (model, _size_bytes(model))
        while len(self._models) > 1 and self._used_bytes() > self._most_bytes:
            self._models.popitem(last=False)
        return model

    def _used_bytes(self) -> int:
        return sum(size for _, size in self._models.values())

    def _load(self, key: ModelKey, inputs: Sequence[Any]) -> Any:
        if key.location not in self._stores:
            self._stores[key.location] = Store(key.location)
        experiment = self._stores[key.location].experiment(key.experiment_id)
        try:
            return experiment.load_model(key.checkpoint, compile=False, safe_mode=True)
        except ModelLoadError as error:
            cause = error.__cause__ or error
            if not _may_need_code(experiment):
                raise ModelRebuildError(key.experiment_id, said(cause)) from error
            if not key.runs_code:
                raise RecordedCodeError(key.experiment_id, said(cause)) from error
        except ArtifactNotFoundError as error:
            if not _is_of_own_class(experiment):
                raise
            if not key.runs_code:
                reason = "it could not serialize the model, whose class is the user's own."
                raise RecordedCodeError(key.experiment_id, reason) from error
        return _load_with_code(experiment, key, inputs)


def _load_with_code(experiment: Experiment, key: ModelKey, inputs: Sequence[Any]) -> Any:
    definitions = str(experiment.implementation().get("definitions") or "")
    try:
        module = recorded_objects(definitions, experiment.id)
        if not _is_of_own_class(experiment):
            try:
                return experiment.load_model(
                    key.checkpoint,
                    compile=False,
                    custom_objects=custom_objects(module),
                    safe_mode=False,
                )
            except ModelLoadError:
                # Keras gives a constructor `trainable` and `dtype`, which many do not take.
                if experiment.model().get("kind") != _SUBCLASS:
                    raise
        model = construct_model(experiment, module)
        return _with_weights(model, experiment, key.checkpoint, inputs)
    except ModelLoadError as error:
        raise ModelRebuildError(experiment.id, said(error.__cause__ or error)) from error
    except ModelKBError:
        raise
    # The user's code may raise anything.
    except Exception as error:
        raise ModelRebuildError(experiment.id, said(error)) from error


def _with_weights(
    model: Any, experiment: Experiment, checkpoint: str | int | None, inputs: Sequence[Any]
) -> Any:
    import keras

    # A model of the user's own class has variables once it was called.
    if not model.built:
        samples = [each[:1] for each in inputs]
        model(samples[0] if len(samples) == 1 else samples)
    with tempfile.TemporaryDirectory(prefix="modelkb-") as folder:
        path = experiment.save_weights(Path(folder) / "model.weights.h5", checkpoint)
        keras.saving.load_weights(model, path)
    return model


def _may_need_code(experiment: Experiment) -> bool:
    # Of the configuration, not of the table of layers: who sent both can say in that what he likes.
    config = json.dumps(experiment.architecture().model_config)
    return bool(experiment.implementation().get("definitions")) or '"Lambda"' in config


def _is_of_own_class(experiment: Experiment) -> bool:
    """Return whether Keras could not serialize the model, but its source is there."""
    has_source = bool(experiment.implementation().get("definitions"))
    return has_source and experiment.architecture().model_config is None


def _size_bytes(model: Any) -> int:
    return sum(_variable_bytes(each) for each in model.variables)


def _variable_bytes(variable: Any) -> int:
    count = 1
    for extent in variable.shape:
        count *= int(extent)
    digits = "".join(letter for letter in str(variable.dtype) if letter.isdigit())
    return count * max(1, int(digits or 8) // 8)
