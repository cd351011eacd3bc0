"""The prediction process: it alone imports Keras, and what happens to it happens to it alone."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import Any, BinaryIO

import numpy as np

from modelkb_store.errors import ModelKBError
from modelkb_viewer.prediction.errors import RecordedCodeError
from modelkb_viewer.prediction.loaded_models import LoadedModels, ModelKey
from modelkb_viewer.prediction.messages import Message, receive, send

# In the answer to what went wrong.
NEEDS_CODE = "needs_code"
FAILED = "failed"


def main() -> None:
    """Answer requests from the standard input until it ends, which is the server's end."""
    requests, answers = _take_streams()
    waiting: SimpleQueue[Message] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests, waiting), daemon=True).start()
    models = LoadedModels()
    while True:
        send(answers, answer(models, waiting.get()))


def answer(models: LoadedModels, request: Message) -> Message:
    """Predict, or say what is wrong.

    Args:
        models: What is loaded so far.
        request: ``key``, the fields of a :class:`ModelKey`; ``names`` of the inputs, where the
            model takes them by name; the inputs.
    """
    began = time.perf_counter()
    key = ModelKey(**request.content["key"])
    try:
        model = models.model(key, request.arrays)
        loaded = time.perf_counter()
        outputs, names = predict(model, request.content["names"], request.arrays)
    except RecordedCodeError as error:
        return Message({"error": NEEDS_CODE, "text": error.reason})
    except ModelKBError as error:
        return Message({"error": FAILED, "text": str(error)})
    except MemoryError:
        return Message({"error": FAILED, "text": "There is not enough memory for this model."})
    # A model may raise anything at what it is given.
    except Exception as error:  # noqa: BLE001
        text = f"The model could not predict. {type(error).__name__}: {_shortened(error)}"
        return Message({"error": FAILED, "text": text})
    content = {
        "names": names,
        "load_seconds": loaded - began,
        "seconds": time.perf_counter() - loaded,
        "memory_bytes": _memory_bytes(),
    }
    return Message(content, outputs)


def predict(
    model: Any, names: Sequence[str] | None, inputs: Sequence[np.ndarray[Any, Any]]
) -> tuple[list[np.ndarray[Any, Any]], list[str]]:
    """Return the outputs of a model for samples, and their names."""
    import keras

    arranged = _arranged(model, names, [_tensor(each) for each in inputs])
    predicted = model.predict(arranged, verbose=0)
    leaves = [np.asarray(each) for each in keras.tree.flatten(predicted)]
    if isinstance(predicted, Mapping) and len(predicted) == len(leaves):
        found = sorted(map(str, predicted))
    else:
        found = [str(name) for name in getattr(model, "output_names", None) or ()]
    if len(found) != len(leaves):
        several = len(leaves) > 1
        found = [f"output {place + 1}" if several else "output" for place in range(len(leaves))]
    return [_plain(leaf) for leaf in leaves], found


def _arranged(model: Any, names: Sequence[str] | None, inputs: list[Any]) -> Any:
    """Return inputs as the model takes them: alone, in order, or by their names."""
    if len(inputs) == 1 and not isinstance(getattr(model, "_inputs_struct", None), Mapping):
        return inputs[0]
    if names is not None:
        return dict(zip(names, inputs, strict=True))
    return inputs


def _tensor(array: np.ndarray[Any, Any]) -> Any:
    """Return texts as TensorFlow takes them, which has the only layers for them."""
    if array.dtype.kind != "U":
        return array
    import tensorflow as tf

    return tf.constant(array.tolist(), dtype=tf.string, shape=array.shape)


def _plain(leaf: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return values in a type that NumPy can write: bfloat16 becomes float32, objects text."""
    if leaf.dtype.kind in "biufU":
        return leaf
    if leaf.dtype.kind in "OS":
        texts = [
            each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each)
            for each in leaf.ravel().tolist()
        ]
        as_texts: np.ndarray[Any, Any] = np.array(texts, dtype=np.str_).reshape(leaf.shape)
        return as_texts
    floats: np.ndarray[Any, Any] = leaf.astype(np.float32)
    return floats


def _listen(requests: BinaryIO, waiting: SimpleQueue[Message]) -> None:
    while True:
        try:
            waiting.put(receive(requests))
        except (EOFError, ValueError, OSError):
            # The server is gone; what is being computed interests nobody.
            os._exit(0)


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the streams to the server; what libraries print goes to the standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, answers


def _memory_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def _shortened(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 600 else f"{text[:600]} .."
