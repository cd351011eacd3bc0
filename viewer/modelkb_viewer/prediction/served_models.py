"""Models that are asked again and again: what is known of each is looked up once for many."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from modelkb_store import Experiment, Store
from modelkb_viewer.prediction.input_spec import InputSpec, input_specs
from modelkb_viewer.prediction.predictor import ModelState, backend_of, revision_of
from modelkb_viewer.prediction.reading import OutputFacts, evaluation_rows

_MOST = 256


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What is needed of an experiment to predict with its model.

    Attributes:
        experiment: The experiment.
        specs: What its model takes.
        state: The model as it can be loaded.
        facts: What its outputs are.
    """

    experiment: Experiment
    specs: tuple[InputSpec, ...]
    state: ModelState
    facts: OutputFacts


@dataclass(frozen=True, slots=True)
class _Lasting:
    """What the ids of an experiment's data, model and environment stand for."""

    specs: tuple[InputSpec, ...]
    backend: str
    compile_config: str | None
    class_names: tuple[str, ...]


class ServedModels:
    """Looks up models; what cannot change is kept of those asked for last. Threads may share it.

    Args:
        most: Of how many it is kept.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Lasting] = OrderedDict()

    def look_up(self, store: Store, experiment_id: str) -> ServedModel:
        """Return a model as it is now.

        Raises:
            ExperimentNotFoundError, AmbiguousIdError: See :meth:`Store.experiment`.
            ArtifactNotFoundError: It was not recorded what the model takes, or no checkpoint.
        """
        experiment = store.experiment(experiment_id)
        lasting = self._lasting(store, experiment)
        return ServedModel(
            experiment,
            lasting.specs,
            ModelState(experiment.id, lasting.backend, revision_of(experiment)),
            OutputFacts(evaluation_rows(experiment), lasting.compile_config, lasting.class_names),
        )

    def _lasting(self, store: Store, experiment: Experiment) -> _Lasting:
        row = experiment.record
        ids = (row.dataset_id, row.architecture_id, row.model_id, row.environment_id)
        key = (store.uri, experiment.id, *ids)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = _Lasting(
            tuple(input_specs(experiment)),
            backend_of(experiment),
            experiment.model().get("compile_config"),
            tuple(experiment.dataset().get("class_names") or ()),
        )
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found
