"""The thin patch of ``keras.Model``: what ``fit``, ``evaluate`` and ``predict`` pass through.

A callback alone sees neither the arguments of ``fit`` nor its exceptions, cannot act after
the callbacks behind it, and has to be passed. The patch lends it all four, and passes every
call on untouched that nobody records. Beside the three it puts ``xfit``, ``xfit_generator``
and ``xpredict``, which record without being asked to.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

from modelkb_callbacks import automatic

Method = Callable[..., Any]

# Name to our function and the one below it. An entry stays while another library's patch
# lies over ours.
_installed: dict[str, tuple[Method, Method]] = {}
_OF_OLD_KERAS = {"max_queue_size": 10, "workers": 1, "use_multiprocessing": False}


def install(keras: ModuleType) -> None:
    """Put the patch on ``keras.Model``; a second time changes nothing."""
    if is_installed(keras):
        return
    model_class = keras.Model
    for name, patched in (("fit", _fit), ("evaluate", _evaluate), ("predict", _predict)):
        if name not in _installed:
            original = getattr(model_class, name)
            method = patched(original)
            setattr(model_class, name, method)
            _installed[name] = (method, original)
    model_class.xfit = _xfit(model_class.fit)
    model_class.xfit_generator = _xfit_generator
    model_class.xpredict = _xpredict(model_class.predict)


def restore() -> None:
    """Take the patch off again.

    What others have put over it meanwhile stays, and with it ours below, which then only
    passes calls on.
    """
    keras = sys.modules.get("keras")
    if keras is None or not is_installed(keras):
        return
    for name, (method, original) in list(_installed.items()):
        if getattr(keras.Model, name) is not method:
            continue
        delattr(keras.Model, name)
        if getattr(keras.Model, name, None) is not original:  # it was Model's own
            setattr(keras.Model, name, original)
        del _installed[name]
    for name in ("xfit", "xfit_generator", "xpredict"):
        delattr(keras.Model, name)


def is_installed(keras: ModuleType) -> bool:
    """Return whether ``keras.Model`` has our functions."""
    return hasattr(keras.Model, "xfit")


def _fit(original: Method) -> Method:
    def prepare(*call: Any) -> Any:
        from modelkb_callbacks.recorded_fit import RecordedFit

        return RecordedFit.prepare(*call)

    return _recorded_while_it_runs(original, prepare)


def _evaluate(original: Method) -> Method:
    def prepare(*call: Any) -> Any:
        from modelkb_callbacks.recorded_evaluate import RecordedEvaluate

        return RecordedEvaluate.prepare(*call)

    return _recorded_while_it_runs(original, prepare)


def _recorded_while_it_runs(original: Method, prepare: Method) -> Method:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            recorded = None
            if automatic.may_record():
                recorded = prepare(original, self, args, kwargs)
            if recorded is None:
                return original(self, *args, **kwargs)
            with recorded:
                return original(*recorded.args, **recorded.kwargs)
        except BaseException as error:
            _leave_no_trace(error)
            raise

    return method


def _predict(original: Method) -> Method:
    @functools.wraps(original)
    def predict(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            if not automatic.may_record():
                return original(self, *args, **kwargs)
            from modelkb_callbacks.recorded_predict import RecordedPredict

            recorded = RecordedPredict.prepare(original, self, args, kwargs)
            outputs = original(self, *args, **kwargs)
            if recorded is not None:
                recorded.finish(outputs)
            return outputs
        except BaseException as error:
            _leave_no_trace(error)
            raise

    return predict


def _leave_no_trace(error: BaseException) -> None:
    """Take our own frame off a traceback, so that it reads as without us.

    A bare ``raise`` adds no frame from Python 3.11 on; Python 3.10 shows ours.
    """
    frames = error.__traceback__
    if frames is not None and frames.tb_next is not None:
        error.__traceback__ = frames.tb_next


def _xfit(fit: Method) -> Method:
    @functools.wraps(fit, assigned=("__annotations__",), updated=())
    def xfit(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Train as ``fit`` does, and record it without a callback."""
        with automatic.asked_for(self):
            return self.fit(*args, **kwargs)

    return xfit


def _xfit_generator(  # noqa: PLR0917 - the signature of Keras 2
    self: Any,
    generator: Any,
    steps_per_epoch: int | None = None,
    epochs: int = 1,
    verbose: Any = 1,
    callbacks: Any = None,
    validation_data: Any = None,
    validation_steps: int | None = None,
    validation_freq: Any = 1,
    class_weight: Any = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    shuffle: bool = True,
    initial_epoch: int = 0,
) -> Any:
    """Train on a generator as Keras 2's ``fit_generator`` did, and record it.

    ``max_queue_size``, ``workers`` and ``use_multiprocessing`` are settings of the data in
    Keras 3 (``keras.utils.PyDataset``): others than their defaults are passed over, with a
    warning.
    """
    given = (max_queue_size, workers, use_multiprocessing)
    if given != tuple(_OF_OLD_KERAS.values()):
        warnings.warn(
            f"Keras 3 takes {', '.join(_OF_OLD_KERAS)} from the data: set them on your "
            "keras.utils.PyDataset. xfit_generator passes them over.",
            stacklevel=2,
        )
    return self.xfit(
        generator,
        steps_per_epoch=steps_per_epoch,
        epochs=epochs,
        verbose=verbose,
        callbacks=callbacks,
        validation_data=validation_data,
        validation_steps=validation_steps,
        validation_freq=validation_freq,
        class_weight=class_weight,
        shuffle=shuffle,
        initial_epoch=initial_epoch,
    )


def _xpredict(predict: Method) -> Method:
    @functools.wraps(predict, assigned=("__annotations__",), updated=())
    def xpredict(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Predict as ``predict`` does, and record it, whoever trained the model."""
        with automatic.asked_for(self):
            return self.predict(*args, **kwargs)

    return xpredict
