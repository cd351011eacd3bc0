"""Arrays are shuffled by a seed that is known, anew in each epoch, and nothing else is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow's")
tf = pytest.importorskip("tensorflow")

from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter  # noqa: E402
from tensorflow.python.eager import context  # noqa: E402

from modelkb_callbacks.frameworks import tensorflow_shuffle  # noqa: E402
from modelkb_callbacks.frameworks.tensorflow_shuffle import seeding_shuffle  # noqa: E402

X = np.arange(12, dtype="float32")[:, None]


@pytest.fixture(autouse=True)
def _unseeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context.context(), "_seed", None)


def dataset(shuffle: bool | str = True) -> Any:
    return ArrayDataAdapter(X, batch_size=4, shuffle=shuffle).get_tf_dataset()


def orders(data: Any, epochs: int = 4) -> list[tuple[int, ...]]:
    return [tuple(int(v) for batch in data for v in np.ravel(batch)) for _ in range(epochs)]


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_each_epoch_has_another_order_and_one_seed_gives_all(
    shuffle: bool | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with seeding_shuffle() as first:
        found = orders(dataset(shuffle))
    assert len(set(found)) == 4
    assert all(sorted(order) == list(range(12)) for order in found)
    monkeypatch.setattr(tensorflow_shuffle.secrets, "randbits", lambda _: first.seed)
    with seeding_shuffle() as second:
        assert orders(dataset(shuffle)) == found
    assert second.seed == first.seed is not None


def test_only_the_first_that_is_shuffled() -> None:
    original = tf.random.shuffle
    with seeding_shuffle() as shuffle:
        assert orders(dataset(shuffle=False), 1) == [tuple(range(12))]
        assert shuffle.seed is None
        dataset()
        seed = shuffle.seed
        dataset()
        assert shuffle.seed == seed is not None
        assert tf.random.shuffle is original


def test_a_seed_of_the_users_is_left_to_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context.context(), "_seed", 5)
    expected = orders(dataset())
    with seeding_shuffle() as shuffle:
        assert orders(dataset()) == expected
    assert shuffle.seed is None


def test_keras_has_its_own_method_again() -> None:
    method = ArrayDataAdapter.get_tf_dataset
    with seeding_shuffle(), seeding_shuffle():
        assert ArrayDataAdapter.get_tf_dataset is not method
    assert ArrayDataAdapter.get_tf_dataset is method


def test_what_others_have_put_over_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ArrayDataAdapter, "get_tf_dataset", ArrayDataAdapter.get_tf_dataset)
    with seeding_shuffle():
        inner: Callable[..., Any] = ArrayDataAdapter.get_tf_dataset

        def theirs(self: Any) -> Any:
            return inner(self)

        theirs.__dict__.update(vars(inner))
        ArrayDataAdapter.get_tf_dataset = theirs
    assert ArrayDataAdapter.get_tf_dataset is theirs
    assert len(orders(dataset(), 1)) == 1


def test_other_threads_shuffle_as_ever() -> None:
    with seeding_shuffle() as shuffle:
        thread = threading.Thread(target=dataset)
        thread.start()
        thread.join()
        assert shuffle.seed is None
