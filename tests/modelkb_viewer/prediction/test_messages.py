from __future__ import annotations

import io

import numpy as np
import pytest

from modelkb_viewer.prediction.messages import Message, receive, send


def test_a_message_arrives_as_it_was_sent() -> None:
    stream = io.BytesIO()
    arrays = [np.arange(6.0).reshape(2, 3), np.array(["é", "b"]), np.zeros((0, 2), "int8")]
    send(stream, Message({"name": "ü", "value": None}, arrays))
    stream.seek(0)
    received = receive(stream)
    assert received.content == {"name": "ü", "value": None}
    for sent, arrived in zip(arrays, received.arrays, strict=True):
        assert sent.dtype == arrived.dtype
        assert np.array_equal(sent, arrived)


def test_the_end_of_the_other_side_is_an_end_of_file() -> None:
    with pytest.raises(EOFError):
        receive(io.BytesIO(b""))
    stream = io.BytesIO()
    send(stream, Message({}, [np.ones(9)]))
    with pytest.raises(EOFError):
        receive(io.BytesIO(stream.getvalue()[:-1]))


def test_nothing_is_pickled() -> None:
    with pytest.raises(ValueError, match="[Oo]bject"):
        send(io.BytesIO(), Message({}, [np.array([object()])]))
