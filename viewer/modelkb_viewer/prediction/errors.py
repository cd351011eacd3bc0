"""What can go wrong between an input and its prediction, said to people."""

from __future__ import annotations

from collections.abc import Sequence

from modelkb_store.errors import ModelKBError
from modelkb_viewer.permissions import HOW_TO_ALLOW


class InputError(ModelKBError, ValueError):
    """An input cannot be brought to what the model takes."""

    def __init__(self, what: str, problem: str, expected: str) -> None:
        super().__init__(f"{what} cannot be used: {problem}. Expected: {expected}.")


class PredictionError(ModelKBError, RuntimeError):
    """The prediction process could not predict; the text says why."""


class RecordedCodeError(PredictionError, PermissionError):
    """A model can be loaded only with code that was recorded, and running it is not allowed.

    Attributes:
        reason: What Keras said without that code.
    """

    def __init__(self, experiment_id: str, reason: str) -> None:
        super().__init__(
            f"The model of experiment {experiment_id} needs code that was recorded from its "
            f"script, or a Lambda layer, and running such code is not allowed here. "
            f"{HOW_TO_ALLOW} Keras said: {reason}"
        )
        self.reason = reason


class ModelRebuildError(PredictionError):
    """A recorded model cannot be made again."""

    def __init__(self, experiment_id: str, reason: str, missing: Sequence[str] = ()) -> None:
        unknown = f" What was not recorded: {'; '.join(missing)}." if missing else ""
        super().__init__(
            f"The model of experiment {experiment_id} could not be made again. "
            f"Keras said: {reason}{unknown}"
        )


class PredictionTimeoutError(PredictionError, TimeoutError):
    """A prediction took longer than it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The prediction took longer than {seconds:g} seconds and was stopped. Try it with "
            "fewer samples."
        )


class PredictionProcessError(PredictionError):
    """The prediction process ended in the middle of its work."""

    def __init__(self, exit_code: int | None) -> None:
        how = "" if exit_code is None else f" (exit code {exit_code})"
        super().__init__(
            f"The process that makes predictions ended while it worked{how}; most often the model "
            "needs more memory than there is. The next prediction starts a new one."
        )


class BackendMissingError(PredictionError):
    """No backend of Keras is installed beside the viewer."""

    def __init__(self, backend: str) -> None:
        super().__init__(
            f"The experiment was recorded on {backend}, and neither it nor another backend of "
            f"Keras is installed here. Install one with `pip install 'modelkb[{backend}]'`."
        )
