"""What recording asks of a backend."""

from __future__ import annotations

import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import keras

# Called with the batch's data or results, as flat lists of tensors.
Show = Callable[[list[Any], list[Any]], None]
# Picks what is worth showing of (y_true, y_pred) while the step is traced.
Reduce = Callable[[Any, Any], tuple[list[Any], list[Any]]]
Phase = Literal["train", "test"]
T = TypeVar("T")
AnyTap = TypeVar("AnyTap", bound="Tap")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackendFacts:
    """What a backend tells of itself; None where it has no such thing."""

    version: str
    gpus: tuple[str, ...] = ()
    cuda_version: str | None = None
    cudnn_version: str | None = None
    deterministic_ops: bool | None = None
    inter_op_threads: int | None = None
    intra_op_threads: int | None = None


@dataclass(slots=True, eq=False)
class Shuffle:
    """How the arrays of one ``fit`` are shuffled.

    Attributes:
        seed: What decides the orders, where that is not known from elsewhere.
        source: What draws them, to live as long as the data.
    """

    seed: int | None = None
    source: Any = None


class Framework(ABC):
    """One backend of Keras 3."""

    @abstractmethod
    def backend_facts(self) -> BackendFacts:
        """Return versions, devices and what decides the bits."""

    @abstractmethod
    def tap_predictions(self, model: Any, reduce: Reduce, *, untraced: bool) -> Tap | None:
        """Let Keras' validation pass show its labels and predictions.

        Args:
            model: The compiled model, about to be trained.
            reduce: Picks what to show.
            untraced: Whether Keras has yet to make the function. One that it made before
                must not be made anew: what the model was then is traced into it.

        Returns:
            The tap, or None where the pass could not be watched without a risk for its
            bits: compiled by XLA, several replicas, or several steps in one execution.
        """

    @abstractmethod
    def tap_batches(self, model: Any, phase: Phase, *, untraced: bool) -> Tap | None:
        """Let training or validation show the batches that it consumes, x and y.

        Args:
            model: The compiled model, about to be trained.
            phase: Whose batches.
            untraced: As for :meth:`tap_predictions`.

        Returns:
            The tap, or None where they cannot be seen (several replicas, or several steps
            in one execution).
        """

    def keeping_random_state(self) -> AbstractContextManager[Any]:
        """Return a context that puts the backend's global random state back at its end."""
        return nullcontext()

    def seeding_shuffle(self) -> AbstractContextManager[Shuffle]:
        """Return a context for a ``fit``, in which the order of shuffled arrays gets to be known.

        Where a backend shuffles by a generator whose state can be read, there is nothing to do.
        """
        return nullcontext(Shuffle())

    def build(self, model: Any, x: Any) -> None:  # noqa: B027 - others have built it
        """Build a model that has no weights yet, as its first step is about to.

        Only where that cannot change the bits of the training: code of the user's can get other
        numbers from TensorFlow's seeded generators then. It may be left as it is.

        Args:
            model: The model, about to be trained.
            x: The inputs that ``fit`` was given.
        """

    def random_states(self) -> dict[str, str]:
        """Return the backend's global random states as JSON, by name; nothing is drawn.

        Only of generators that are there: none is made, and no device is woken for it.
        """
        return {}

    def without_gradients(self) -> AbstractContextManager[Any]:
        """Return a context in which calling a model keeps nothing for gradients."""
        return nullcontext()

    def random_seed(self) -> int | None:
        """Return the seed that ``keras.utils.set_random_seed`` was given, or None."""
        # Keras keeps the seed, but has no public function for it.
        rng_utils = sys.modules.get("keras.src.utils.rng_utils")
        get_random_seed = getattr(rng_utils, "get_random_seed", None)
        seed = None if get_random_seed is None else get_random_seed()
        return None if seed is None else int(seed)


class Tap:
    """A train or test function of Keras that can also show what passes through it.

    It stays in place after the training, and then only passes on: taking it away would make
    Keras trace the function anew in the next ``fit`` or ``evaluate``.

    Args:
        function: The function it stands for.
        reduce: What a tap on predictions picks; the one it was traced with.

    Attributes:
        watchers: Called with each batch while something is to be seen.
        batch_template: The structure of (x, y) that a tap on batches has seen, to be filled
            by ``keras.tree.pack_sequence_as``.
    """

    def __init__(self, function: Callable[..., Any], reduce: Reduce | None = None) -> None:
        self._function = function
        self.reduce = reduce
        self.watchers: list[Show] = []
        self.batch_template: tuple[Any, Any] | None = None

    def __call__(self, *args: Any) -> Any:
        """Run a step."""
        return self._function(*args)

    def watch(self, watcher: Show) -> None:
        """Begin to show batches to a watcher."""
        self.watchers = [*self.watchers, watcher]

    def unwatch(self, watcher: Show) -> None:
        """Show no more to a watcher; it need not be watching."""
        self.watchers = [other for other in self.watchers if other != watcher]

    def show(self, first: list[Any], second: list[Any]) -> None:
        """Show a batch to all watchers."""
        for watcher in self.watchers:
            watcher(first, second)

    def flatten_batch(self, data: Any) -> tuple[list[Any], list[Any]] | None:
        """Return the leaves of a batch's x and y; None for a batch of an unknown make."""
        try:
            x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        except ValueError:
            return None
        leaves = keras.tree.flatten(x), [] if y is None else keras.tree.flatten(y)
        if any(leaf is None for part in leaves for leaf in part):
            return None
        self.batch_template = keras.tree.map_structure(lambda _: 0, (x, y))
        return leaves


def tap_of_kind(function: Any, kind: type[AnyTap]) -> AnyTap | None:
    """Return the tap of a class among a function's, which cover each other; None without."""
    while isinstance(function, Tap):
        if isinstance(function, kind):
            return function
        function = function._function
    return None


def quietly(action: Callable[[], T]) -> T | None:
    """Return what our code gives, or None if it fails: it runs inside a step of the user's."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - the training goes on
        _log.debug("a step could not be watched", exc_info=error)
        return None


def has_own(model: Any, method: str) -> bool:
    """Return whether the model's class overrides one of Keras' methods."""
    return getattr(type(model), method) is not getattr(keras.Model, method)
