"""Notes that say which experiment some weights came out of, found by the weights alone."""

from __future__ import annotations

import json
from dataclasses import dataclass

from modelkb_store import atomic_file
from modelkb_store.errors import CorruptFileError
from modelkb_store.ids import canonical_json
from modelkb_store.layout import Layout


@dataclass(frozen=True, slots=True)
class TrainedNote:
    """The experiment that some weights came out of."""

    project: str
    experiment_id: str


def write_trained_note(layout: Layout, weights_id: str, note: TrainedNote) -> None:
    """Note where weights came out of; if another experiment had the same, it stays.

    Args:
        layout: The store.
        weights_id: An id of the weights by their content.
        note: The experiment that ends with them.
    """
    path = layout.trained_file(weights_id)
    if not path.exists():
        facts = {"project": note.project, "experiment_id": note.experiment_id}
        atomic_file.write_bytes(path, f"{canonical_json(facts)}\n".encode())


def read_trained_note(layout: Layout, weights_id: str) -> TrainedNote | None:
    """Return the experiment that weights came out of, or None if none is known.

    Raises:
        CorruptFileError: The note is damaged.
    """
    path = layout.trained_file(weights_id)
    try:
        facts = json.loads(path.read_bytes())
        return TrainedNote(str(facts["project"]), str(facts["experiment_id"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptFileError(path, error) from error
