"""Trying models: several experiments on the same input, each in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelkb_store import Experiment, Store
from modelkb_store.errors import ModelKBError
from modelkb_viewer.content.checkpoint_choices import checkpoint_choices, parse_checkpoint
from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.given import Given, prepare, together
from modelkb_viewer.prediction.input_spec import InputSpec, input_specs, names_of
from modelkb_viewer.prediction.predictor import Predictor
from modelkb_viewer.prediction.prepared import Prepared, without_values
from modelkb_viewer.prediction.reading import Reading, output_facts, read_outputs
from modelkb_viewer.prediction.recording import TriedPredictions

_MOST_OFFERED = 200


@dataclass(frozen=True, slots=True)
class Tried:
    """What one experiment made of an input.

    Attributes:
        experiment_id: The experiment.
        name: Its name.
        checkpoint: The checkpoint, before people.
        specs: What its model takes.
        prepared: How the inputs were prepared, without their values.
        readings: Its outputs; none if something went wrong.
        samples: What the samples are called.
        seconds: How long the prediction took, without loading.
        backend: What computed it, where this is not what it was trained on.
        problem: What went wrong; None if nothing did.
        not_recorded: Why the prediction could not be recorded; None if it was.
    """

    experiment_id: str
    name: str
    checkpoint: str
    specs: tuple[InputSpec, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    readings: tuple[Reading, ...] = ()
    samples: tuple[str, ...] = ()
    seconds: float = 0.0
    backend: str | None = None
    problem: str | None = None
    not_recorded: str | None = None


def offered_experiments(store: Store, experiment: Experiment) -> dict[str, str]:
    """Return the ids and names of experiments to try beside one: the latest of its project."""
    rows = store.experiment_table(experiment.project, order_by="-started_at", limit=_MOST_OFFERED)
    ids, names = rows["experiment_id"].to_pylist(), rows["name"].to_pylist()
    return {
        each: _shown_name(name, each.rpartition("-")[2])
        for each, name in zip(ids, names, strict=True)
        if each != experiment.id
    }


def _shown_name(name: str, short_id: str) -> str:
    """Return a name that no other experiment has: those that nobody gave end with the id."""
    return name if name.endswith(short_id) else f"{name} ({short_id})"


def prepare_inputs(
    experiment: Experiment, given: Mapping[str, Given]
) -> tuple[list[InputSpec], list[Prepared]]:
    """Bring what was given to what the model of an experiment takes.

    Args:
        experiment: The experiment.
        given: What was given, by the label of the input that it was given for, in order.

    Raises:
        InputError: It cannot be; says what was received and what is expected.
    """
    specs = input_specs(experiment)
    if len(specs) != len(given):
        problem = f"there are {len(given)}"
        raise InputError("These inputs", problem, f"{len(specs)} of them")
    labels = [spec.label for spec in specs]
    by_label = set(labels) == set(given)
    in_order = [given[label] for label in labels] if by_label else list(given.values())
    return specs, [prepare(each, spec) for each, spec in zip(in_order, specs, strict=True)]


def try_experiment(
    experiment: Experiment,
    checkpoint: str | None,
    given: Mapping[str, Given],
    predictor: Predictor,
    tried: TriedPredictions | None,
) -> Tried:
    """Predict, and record that it was tried; what goes wrong is in the result.

    Args:
        experiment: The experiment.
        checkpoint: The name of a checkpoint, as :func:`checkpoint_choices` has it. Where the
            experiment has none of this name it is its default one.
        given: As for :func:`prepare_inputs`.
        predictor: Predicts.
        tried: Records; None to record nothing.
    """
    name, shown = experiment.record.name, "latest checkpoint"
    try:
        choices = checkpoint_choices(experiment)
        chosen = checkpoint if checkpoint in choices else next(iter(choices), None)
        shown = choices.get(chosen or "", shown)
        specs, prepared = prepare_inputs(experiment, given)
        inputs = together(prepared)
        predicted = predictor.predict(experiment, parse_checkpoint(chosen), inputs, names_of(specs))
        readings = read_outputs(output_facts(experiment), predicted)
    except (ModelKBError, OSError) as error:
        return Tried(experiment.id, name, shown, problem=str(error))
    not_recorded = None
    try:
        if tried is not None:
            tried.add(experiment, inputs, predicted)
    except (ModelKBError, OSError) as error:
        not_recorded = str(error)
    recorded_on = experiment.environment().get("backend")
    longest = max(prepared, key=lambda each: len(each.samples))
    return Tried(
        experiment.id,
        name,
        shown,
        specs=tuple(specs),
        prepared=tuple(map(without_values, prepared)),
        readings=tuple(readings),
        samples=longest.samples,
        seconds=predicted.seconds,
        backend=None if predicted.backend == recorded_on else predicted.backend,
        not_recorded=not_recorded,
    )
