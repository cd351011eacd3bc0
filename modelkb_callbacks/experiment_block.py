"""An experiment that the user begins and ends: for training loops of one's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from modelkb_callbacks.outcome import status_of
from modelkb_callbacks.recording import Recording
from modelkb_callbacks.run import Run
from modelkb_callbacks.settings import Settings
from modelkb_store.records import Status


@contextlib.contextmanager
def experiment(model: Any = None, **settings: Any) -> Iterator[Run]:
    """Record a block of code as one experiment.

    The model, its final weights, the environment and the code are recorded by themselves;
    curves are what :meth:`Run.log` is told, and those of every ``fit`` of the model inside
    the block. An exception that leaves the block makes the experiment ``failed``, a keyboard
    interrupt or ``sys.exit`` ``interrupted``.

    Args:
        model: The Keras model that is trained; the first one whose ``fit`` is called in the
            block, if none is given.
        **settings: As for :class:`ModelKBCallback`: ``project``, ``name``, ``params``, ..

    Yields:
        The run, to log to.

    Raises:
        InvalidNameError: The project's name is not legal.
        InvalidSettingError: Another argument makes no sense.

    Example:
        >>> with modelkb_callbacks.experiment(model, project="gan") as run:
        ...     for epoch in range(10):
        ...         run.log(epoch=epoch, loss=train_one_epoch(model))
    """
    recording = Recording(Settings(**settings), is_block=True)
    try:
        recording.begin(model)
        yield Run(recording)
    except BaseException as outcome:
        recording.end(status_of(outcome), outcome)
        raise
    recording.end(Status.FINISHED, None)
