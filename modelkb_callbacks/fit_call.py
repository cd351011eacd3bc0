"""The arguments of the ``fit`` call that is being recorded."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from modelkb_callbacks.frameworks import Shuffle
from modelkb_callbacks.random_states import RandomState

_DATA_ARGUMENTS = ("self", "x", "y", "validation_data", "sample_weight", "callbacks", "verbose")
KERAS_DEFAULT_BATCH_SIZE = 32


@dataclass(frozen=True)
class FitCall:
    """Arguments of ``fit`` by name, with Keras' defaults; all None when ``fit`` was not seen.

    Attributes:
        arguments: Every argument, data included.
        untraced: Which of the model's ``train`` and ``test`` functions Keras has still to
            make in this call; one that is there already may have been traced.
        bound: The call as it was made.
        random_states: Those of the process as the call was made: Keras may draw before its
            callbacks are told.
        shuffle: How its arrays are shuffled; known once Keras has begun.
    """

    arguments: Mapping[str, Any] = field(default_factory=dict)
    untraced: frozenset[str] = frozenset()
    bound: inspect.BoundArguments | None = None
    random_states: Sequence[RandomState] = ()
    shuffle: Shuffle = field(default_factory=Shuffle)

    @classmethod
    def bind(cls, fit: Callable[..., Any], *args: Any, **kwargs: Any) -> FitCall:
        """Name the arguments of a call.

        Raises:
            TypeError: They do not fit; ``fit`` itself will say so better.
        """
        bound = inspect.signature(fit).bind(*args, **kwargs)
        every = inspect.BoundArguments(bound.signature, bound.arguments.copy())
        every.apply_defaults()
        return cls(dict(every.arguments), untraced_phases(every.arguments["self"]), bound)

    def with_callback(self, callback: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the call's arguments, as they were passed, with one more callback.

        The user's list is left as it is.
        """
        assert self.bound is not None, "only a call that was seen can be changed"
        callbacks = self.bound.arguments.get("callbacks")
        if isinstance(callbacks, (list, tuple)):
            callbacks = [*callbacks, callback]
        else:
            callbacks = [callbacks, callback] if callbacks is not None else [callback]
        changed = inspect.BoundArguments(self.bound.signature, self.bound.arguments.copy())
        changed.arguments["callbacks"] = callbacks
        return changed.args, changed.kwargs

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that are settings rather than data, without those left at None."""
        return {
            name: value
            for name, value in self.arguments.items()
            if name not in _DATA_ARGUMENTS and value is not None
        }

    @property
    def batch_size(self) -> int:
        """The batch size for arrays."""
        return int(self.arguments.get("batch_size") or KERAS_DEFAULT_BATCH_SIZE)

    @property
    def is_validated(self) -> bool:
        """Whether Keras makes validation passes."""
        split = self.arguments.get("validation_split")
        return self.arguments.get("validation_data") is not None or bool(split)

    def recorders(self, kind: type[Any]) -> list[Any]:
        """Return the callbacks of one class, each once, however they are nested."""
        every = _flatten(self.arguments.get("callbacks"))
        return list({id(item): item for item in every if isinstance(item, kind)}.values())

    def training_data(self) -> tuple[Any, Any]:
        """Return ``x`` and ``y`` as they were passed, before a validation split."""
        return self.arguments.get("x"), self.arguments.get("y")

    def validation_data(self) -> tuple[Any, Any]:
        """Return ``x`` and ``y`` of ``validation_data``, or twice None."""
        data = self.arguments.get("validation_data")
        if isinstance(data, (tuple, list)) and len(data) in (2, 3):
            return data[0], data[1]
        return data, None

    def split_position(self, sample_count: int) -> int:
        """Return where ``validation_split`` cuts arrays: Keras takes the samples at the end."""
        split = self.arguments.get("validation_split") or 0.0
        if not split or self.arguments.get("validation_data") is not None:
            return sample_count
        return math.floor(sample_count * (1.0 - split))


def untraced_phases(model: Any) -> frozenset[str]:
    """Return which of a model's train and test functions Keras has not made yet."""
    phases = ("train", "test")
    return frozenset(p for p in phases if getattr(model, f"{p}_function", None) is None)


def _flatten(callbacks: Any) -> Iterator[Any]:
    """Walk lists, tuples, dictionaries and Keras' CallbackList."""
    if isinstance(callbacks, (list, tuple)):
        for item in callbacks:
            yield from _flatten(item)
    elif isinstance(callbacks, dict):
        yield from _flatten(list(callbacks.values()))
    elif isinstance(callbacks, keras.callbacks.CallbackList):
        yield from _flatten(callbacks.callbacks)
    elif callbacks is not None:
        yield callbacks
