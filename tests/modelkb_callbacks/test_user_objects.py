from __future__ import annotations

import keras

from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.user_objects import user_objects
from trainings import compiled, functional


def decay(epoch: int, rate: float) -> float:
    return rate * 0.9


def shout(epoch: int, logs: object = None) -> None:
    print(epoch)


def test_functions_that_callbacks_were_given_are_among_them() -> None:
    callbacks = [
        keras.callbacks.LearningRateScheduler(decay),
        keras.callbacks.LambdaCallback(on_epoch_end=shout),
    ]

    found = list(user_objects(compiled(functional()), FitCall({"callbacks": callbacks})))

    for each in (*callbacks, decay, shout):
        assert any(each is one for one in found)
