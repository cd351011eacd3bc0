"""One call of ``fit`` that is recorded: who records it, and what is lent to them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from modelkb_callbacks import active_recordings, automatic
from modelkb_callbacks.callback import ModelKBCallback
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import current_framework
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.random_states import states_of_process


class RecordedFit(contextlib.ExitStack):
    """While ``fit`` runs: at its end the recorders complete their records.

    Attributes:
        args: The positional arguments to call ``fit`` with, the model first.
        kwargs: The named ones.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @classmethod
    def prepare(
        cls, fit: Callable[..., Any], model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> RecordedFit | None:
        """Hand the call to its recorders; there are none in most calls, which gives None.

        These are the callbacks of ours that were passed. Without any, there is one where the
        process records by itself, or the call was made to be recorded: so a run is one
        experiment however many ways of recording meet in it.
        """
        try:
            call = FitCall.bind(fit, model, *args, **kwargs)
        except Exception:  # noqa: BLE001 - a call that is odd or wrong: Keras itself will say so
            return None
        recorded = cls()
        recorded.args, recorded.kwargs = (model, *args), kwargs
        found = Guard().run("record this run", lambda: recorded._hand_over(call))
        return recorded if found else None

    def _hand_over(self, call: FitCall) -> bool:
        """Find the recorders, or add one, and return whether there are any."""
        recorders = call.recorders(ModelKBCallback)
        if not recorders:
            added = _recorder_for(call.arguments["self"])
            if added is None:
                return False
            recorders = [added]
            self._pass_on(call, added)
        call = Guard().run("see what a training draws", lambda: self._with_chances(call)) or call
        for recorder in recorders:
            recorder.begin_fit(call)
            self.push(_ending(recorder))
        return True

    def _with_chances(self, call: FitCall) -> FitCall:
        framework = current_framework()
        shuffle = self.enter_context(framework.seeding_shuffle())
        return dataclasses.replace(
            call, random_states=states_of_process(framework), shuffle=shuffle
        )

    def _pass_on(self, call: FitCall, added: ModelKBCallback) -> None:
        callbacks = call.arguments.get("callbacks")
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            self.args, self.kwargs = call.with_callback(added)
            return
        # Keras uses a list of its own kind as it is, so ours joins it for this call.
        added.set_model(call.arguments["self"])
        added.set_params(callbacks.params)
        callbacks.callbacks.append(added)
        self.callback(callbacks.callbacks.remove, added)


def _recorder_for(model: Any) -> ModelKBCallback | None:
    block = active_recordings.of_model(model)
    settings = automatic.settings_for(model) if block is None else block.settings
    return None if settings is None else ModelKBCallback.from_settings(settings)


def _ending(recorder: ModelKBCallback) -> Callable[..., None]:
    def end(kind: object, outcome: BaseException | None, traceback: object) -> None:
        recorder.end_fit(outcome)

    return end
