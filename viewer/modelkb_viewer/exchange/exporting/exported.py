"""What has become of an experiment that was exported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exported:
    """One experiment in another tool's form.

    Attributes:
        experiment_id: The experiment.
        place: The file, folder or address where it is.
        was_there: Whether it was there before, and nothing was written.
        left_out: What could not be taken along, and why, as sentences.
    """

    experiment_id: str
    place: str
    was_there: bool = False
    left_out: tuple[str, ...] = ()
