"""The part of a user's program that makes the data of a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataSlice:
    """The statements that made the data of one call of ``fit``, or an experiment's block.

    Attributes:
        text: Python that computes the same data and assigns them to ``fit_data``, a dictionary
            by the names of the arguments of ``fit``; what ``evaluate`` is given afterwards, to
            ``evaluate_data``. Of a block, the block as it stands with what it needs, but for
            what makes the model; ``experiment_model = <model_name>`` comes right before it.
        arguments: The expression for each data argument that the call gave; ``*`` and ``**``
            for what it gave by stars.
        problems: What could not be followed, for people.
        line: The line of the call in its source.
        reads_command_line: Whether the text reads the command line.
        reads_environment: Whether it reads environment variables.
        environment_names: Those that it reads by constant names.
        reads_other_variables: Whether it may read more, by names that only a run knows.
        model_name: What a block calls the model, which the text does not make; None for ``fit``.
    """

    text: str
    arguments: Mapping[str, str]
    problems: tuple[str, ...] = ()
    line: int = 0
    reads_command_line: bool = False
    reads_environment: bool = False
    environment_names: tuple[str, ...] = ()
    reads_other_variables: bool = False
    model_name: str | None = None
