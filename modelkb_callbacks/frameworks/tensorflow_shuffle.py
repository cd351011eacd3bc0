"""How Keras on TensorFlow shuffles arrays where no seed was set, so that it can be done again.

Keras shuffles by ``tf.random.shuffle`` in a ``tf.data`` pipeline, which without a global seed
draws from the operating system: nobody can know the order afterwards. With a seed it would be
the same in every epoch. So in its place comes a shuffle whose numbers are drawn from a generator
of its own, which has a seed that is recorded: the orders are as random, and another one each epoch.
"""

from __future__ import annotations

import contextlib
import functools
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from modelkb_callbacks.frameworks.framework import Shuffle, quietly

_COVERED = "_modelkb_covered"

_lock = threading.RLock()
_of_thread = threading.local()
_active: list[Shuffle] = []  # in all threads


@contextlib.contextmanager
def seeding_shuffle() -> Iterator[Shuffle]:
    """Let the first arrays that Keras shuffles in this thread be shuffled by a known seed.

    Nothing is drawn from a generator of the user's, and no seed is set for anything else.
    """
    shuffle = Shuffle()
    waiting = _waiting()
    waiting.append(shuffle)
    with _lock:
        if not _active:
            quietly(_wrap_keras)
        _active.append(shuffle)
    try:
        yield shuffle
    finally:
        waiting.remove(shuffle)
        with _lock:
            _active.remove(shuffle)
            if not _active:
                quietly(_unwrap_keras)


def _waiting() -> list[Shuffle]:
    if not hasattr(_of_thread, "waiting"):
        _of_thread.waiting = []
    found: list[Shuffle] = _of_thread.waiting
    return found


def _adapter_class() -> Any:
    from keras.src.trainers.data_adapters import array_data_adapter  # there is no public way to it

    return array_data_adapter.ArrayDataAdapter


def _wrap_keras() -> None:
    adapter = _adapter_class()
    if _covered_by(adapter.get_tf_dataset) is None:
        adapter.get_tf_dataset = _wrapped(adapter.get_tf_dataset)


def _unwrap_keras() -> None:
    # What others have put over ours stays; ours then only passes on.
    adapter = _adapter_class()
    original = _covered_by(adapter.get_tf_dataset)
    if original is not None:
        adapter.get_tf_dataset = original


def _covered_by(method: Any) -> Callable[..., Any] | None:
    """Return what our method covers; None for any other method."""
    made, original = getattr(method, _COVERED, (None, None))
    return original if made is method else None


def _wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return Keras' method, as it is but for who waits in this thread."""

    @functools.wraps(original)
    def get_tf_dataset(adapter: Any, *args: Any, **kwargs: Any) -> Any:
        waiting = _waiting()
        shuffle = waiting[-1] if waiting else None
        if shuffle is None or shuffle.seed is not None or not getattr(adapter, "_shuffle", False):
            return original(adapter, *args, **kwargs)
        with _replaced_shuffle(shuffle):
            return original(adapter, *args, **kwargs)

    setattr(get_tf_dataset, _COVERED, (get_tf_dataset, original))
    return get_tf_dataset


@contextlib.contextmanager
def _replaced_shuffle(shuffle: Shuffle) -> Iterator[None]:
    """Put a shuffle of a known seed in the place of TensorFlow's, for this thread."""
    with _lock:
        seed = secrets.randbits(31)
        generator = quietly(lambda: _generator(seed)) if _is_free() else None
        original = tf.random.shuffle
        if generator is not None:
            tf.random.shuffle = _in_this_thread(original, generator)
            shuffle.seed, shuffle.source = seed, generator
        try:
            yield
        finally:
            tf.random.shuffle = original


def _is_free() -> bool:
    """Return whether TensorFlow shuffles by chance, and by one process."""
    from tensorflow.python.eager import context  # there is no public way to it

    return context.global_seed() is None and not tf.distribute.has_strategy()


def _generator(seed: int) -> Any:
    with tf.device("CPU:0"):  # where pipelines run
        return tf.random.Generator.from_seed(seed, alg="philox")


def _in_this_thread(original: Callable[..., Any], generator: Any) -> Callable[..., Any]:
    """Return what shuffles by a generator in this thread, and as ever in others."""
    mine = threading.get_ident()

    def shuffle(value: Any, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != mine:
            return original(value, *args, **kwargs)
        return tf.random.experimental.stateless_shuffle(value, generator.make_seeds()[:, 0])

    unconverted: Callable[..., Any] = tf.autograph.experimental.do_not_convert(shuffle)
    return unconverted
