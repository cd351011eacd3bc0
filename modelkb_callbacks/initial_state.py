"""What a training starts from: its weights, and the states of the random generators."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from modelkb_callbacks import architecture
from modelkb_callbacks.checkpointing import Checkpointing
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.lineage import Lineage, weights_id
from modelkb_callbacks.random_states import RandomState, random_states
from modelkb_callbacks.saved_weights import has_weights
from modelkb_callbacks.starts_from_seed import fresh_starts_from_seed, starts_from_seed
from modelkb_store.ids import canonical_json
from modelkb_store.records import RandomStateRecord
from modelkb_store.writer import ExperimentWriter

_log = logging.getLogger(__name__)

SHUFFLE = "tensorflow.shuffle"


class InitialState:
    """Records what one experiment starts from, so that it can be started there again.

    A block starts where it begins, and once more where its first ``fit`` does, which then counts.

    Args:
        writer: The experiment in the store.
        guard: Runs each step.
        framework: The backend.
        checkpointing: Keeps the weights.
        lineage: What becomes of the weights.
        resumes: Whether the experiment began earlier; then what is known of it stays.
    """

    def __init__(
        self,
        writer: ExperimentWriter,
        guard: Guard,
        framework: Framework,
        checkpointing: Checkpointing,
        lineage: Lineage,
        *,
        resumes: bool = False,
    ) -> None:
        self._writer = writer
        self._guard = guard
        self._framework = framework
        self._checkpointing = checkpointing
        self._lineage = lineage
        self._is_known = resumes

    def begin_block(self, model: Any) -> None:
        """Record it as a block begins, if there is a model yet."""
        if model is not None and not self._is_known:
            self._record(model, FitCall())

    def begin_fit(self, model: Any, call: FitCall) -> None:
        """Record it as the first ``fit`` begins; later ones start from what that one has made.

        Args:
            model: The model that is trained.
            call: The arguments of ``fit``, as far as they are known.
        """
        self._guard.run("identify the weights", lambda: self._lineage.identify(model))
        if self._is_known:
            return
        self._is_known = True
        if not has_weights(model) and self._checkpointing.keeps_start:
            self._guard.run("see the weights of the start", lambda: self._build(model, call))
        self._record(model, call)

    def _build(self, model: Any, call: FitCall) -> None:
        """Let a model have weights that TensorFlow would make in the first step, if they matter."""
        seed = self._writer.experiment.seed
        if seed is not None and fresh_starts_from_seed(model, seed):
            return
        try:
            self._framework.build(model, call.training_data()[0])
        except Exception as error:  # noqa: BLE001 - only Keras' own step may know how
            _log.debug("could not build the model", exc_info=error)
        if not has_weights(model):
            self._guard.problems.append(
                "the weights of the start were not kept: the model is built by its first step"
            )

    def _record(self, model: Any, call: FitCall) -> None:
        self._guard.run("record the random states", lambda: self._record_states(model, call))
        if has_weights(model):
            self._record_weights(model)

    def _record_weights(self, model: Any) -> None:
        self._guard.run("identify the weights", lambda: self._identify(model))
        self._guard.run("keep the weights of the start", lambda: self._keep(model))

    def _record_states(self, model: Any, call: FitCall) -> None:
        states = random_states(model, self._framework, call.random_states)
        if call.shuffle.seed is not None:
            states.append(RandomState(SHUFFLE, canonical_json(call.shuffle.seed)))
        experiment_id = self._writer.experiment.experiment_id
        self._writer.write_random_states(
            [RandomStateRecord(experiment_id, each.generator, each.state) for each in states]
        )

    def _identify(self, model: Any) -> None:
        self._writer.set(initial_weights_id=weights_id(model))

    def _keep(self, model: Any) -> None:
        experiment = self._writer.experiment
        is_fresh = experiment.seed is not None and experiment.parent_experiment_id is None
        if not (is_fresh and _starts_from(model, experiment.seed)):
            self._checkpointing.begin(model)


def _starts_from(model: Any, seed: int | None) -> bool:
    """Return whether it is certain that a script gets the weights by the seed."""
    config, _ = architecture.model_config(model)
    order = None if config is None else _construction_order(config)
    is_of_layers = "layers" in ((config or {}).get("config") or {})
    return (order is not None or not is_of_layers) and starts_from_seed(model, seed, order)


def _construction_order(config: dict[str, Any]) -> Sequence[str] | None:
    from modelkb_store.codegen.network.ordering import construction_order  # not for every run

    return construction_order(config)
