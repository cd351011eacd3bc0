"""What the store has of one experiment, as the generator of its script needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelkb_store.errors import ArtifactNotFoundError
from modelkb_store.records import ExperimentRecord

if TYPE_CHECKING:
    from modelkb_store.experiment import Experiment

INITIAL = "initial"


@dataclass(frozen=True, slots=True)
class Setting:
    """A hyperparameter: its value, and where it was seen."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One experiment.

    Attributes:
        project: The project that holds it.
        record: Its row.
        settings: Its hyperparameters by name.
        environment: Its row of ``environments``, with ``distributions`` and ``variables`` as
            mappings; empty if that is not known.
        implementation: Its row of ``implementations``, or nothing.
        compile_config: How it was compiled, as Keras serializes it, or None.
        model_config: The model as Keras serializes it, or None.
        model_class: The module and name of the model's class.
        random_states: The states of the generators at the start, by their names; none of a run
            that its seed alone lets begin.
        splits: The splits of the data that it was evaluated on.
        has_initial_weights: Whether the weights at the start were kept.
        input_shape: The shape of the model's inputs with the number of samples, or a list of such;
            None if it is not known.
    """

    project: str
    record: ExperimentRecord
    settings: Mapping[str, Setting] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    implementation: Mapping[str, Any] = field(default_factory=dict)
    compile_config: Mapping[str, Any] | None = None
    model_config: Mapping[str, Any] | None = None
    random_states: Mapping[str, Any] = field(default_factory=dict)
    splits: frozenset[str] = frozenset()
    has_initial_weights: bool = False
    input_shape: Any = None

    @property
    def backend(self) -> str:
        """The backend's name; TensorFlow where it is not known, as for Keras itself."""
        return str(self.environment.get("backend") or "tensorflow")

    def of_source(self, source: str) -> dict[str, Any]:
        """Return the values of the hyperparameters of one source."""
        return {name: each.value for name, each in self.settings.items() if each.source == source}

    def text(self, column: str) -> str:
        """Return a text of the implementation; an empty one if there is none."""
        return str(self.implementation.get(column) or "")


def read_recorded(experiment: Experiment) -> Recorded:
    """Read all that a script is made of."""
    rows = experiment.table("hyperparameters").to_pylist()
    kinds = experiment.table("checkpoints")["kind"].to_pylist()
    compile_config = experiment.model().get("compile_config")
    return Recorded(
        project=experiment.project,
        record=experiment.record,
        settings={
            row["name"]: Setting(json.loads(row["value"]), row["source"] or "") for row in rows
        },
        environment=experiment.environment(),
        implementation=experiment.implementation(),
        compile_config=json.loads(compile_config) if compile_config else None,
        model_config=_model_config(experiment),
        random_states=_random_states(experiment) if INITIAL in kinds else {},
        splits=frozenset(experiment.table("evaluations")["split"].to_pylist()),
        has_initial_weights=INITIAL in kinds,
        input_shape=_input_shape(experiment),
    )


def _random_states(experiment: Experiment) -> dict[str, Any]:
    rows = experiment.table("random_states").to_pylist()
    return {row["generator"]: json.loads(row["state"]) for row in rows}


def _input_shape(experiment: Experiment) -> Any:
    inputs = json.loads(experiment.dataset("train").get("inputs") or "[]")
    shapes = [[None, *each["shape"]] for each in inputs if each.get("shape") is not None]
    if not shapes or len(shapes) < len(inputs):
        return None
    return shapes[0] if len(shapes) == 1 else shapes


def _model_config(experiment: Experiment) -> dict[str, Any] | None:
    try:
        return experiment.architecture().model_config
    except ArtifactNotFoundError:
        return None
