"""Keras on TensorFlow: steps are graphs, so what they show comes out with their logs."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import keras
import tensorflow as tf

from modelkb_callbacks.frameworks import tensorflow_shuffle
from modelkb_callbacks.frameworks.framework import (
    BackendFacts,
    Framework,
    Phase,
    Reduce,
    Shuffle,
    Tap,
    has_own,
    quietly,
)
from modelkb_callbacks.frameworks.step_watch import the_one_pair, watching
from modelkb_store.ids import canonical_json

# Taken out of the logs before Keras or a callback sees them.
_KEY = "__modelkb__"

Step = Callable[["_GraphTap", Any], Any]
Shown = tuple[list[Any], list[Any]]


class TensorFlowFramework(Framework):
    """See :class:`Framework`."""

    def backend_facts(self) -> BackendFacts:
        build = tf.sysconfig.get_build_info()
        return BackendFacts(
            version=tf.__version__,
            gpus=tuple(_gpu_name(gpu) for gpu in tf.config.list_physical_devices("GPU")),
            cuda_version=build.get("cuda_version"),
            cudnn_version=build.get("cudnn_version"),
            deterministic_ops=_deterministic_ops(),
            inter_op_threads=tf.config.threading.get_inter_op_parallelism_threads(),
            intra_op_threads=tf.config.threading.get_intra_op_parallelism_threads(),
        )

    def keeping_random_state(self) -> AbstractContextManager[Any]:
        return _keeping_eager_seeds()

    def seeding_shuffle(self) -> AbstractContextManager[Shuffle]:
        return tensorflow_shuffle.seeding_shuffle()

    def build(self, model: Any, x: Any) -> None:
        if tf.distribute.has_strategy() or not (_global_seed() is None or _is_of_keras(model)):
            return
        spec = x.element_spec if isinstance(x, tf.data.Dataset) else x
        if isinstance(x, tf.data.Dataset) and isinstance(spec, tuple):
            spec = spec[0]
        from keras.src.backend import compute_output_spec  # there is no public way to it

        # As Keras does it on its other backends.
        compute_output_spec(model, keras.tree.map_structure(_as_symbol, spec), training=False)

    def random_states(self) -> dict[str, str]:
        states = {"tensorflow.seed": _global_seed(), "tensorflow.eager": _eager_seeds()}
        states["tensorflow.generator"] = _global_generator()
        return {name: canonical_json(state) for name, state in states.items() if state is not None}

    def tap_predictions(self, model: Any, reduce: Reduce, *, untraced: bool) -> Tap | None:
        # With XLA, another output can change how operations are fused, and so the bits.
        if model.jit_compile or not _is_plain(model, "test"):
            return None
        step = model.test_step

        def shown_step(tap: _GraphTap, data: Any) -> Any:
            with watching(model) as seen:
                logs = step(data)
            # The batch as well, as there can be only one tap on a graph.
            return _with(
                logs,
                predictions=quietly(lambda: reduce(*the_one_pair(seen))),
                batches=quietly(lambda: tap.batches.flatten_batch(data)),
            )

        return _tap(model, "test", _GraphTap(reduce), shown_step, untraced)

    def tap_batches(self, model: Any, phase: Phase, *, untraced: bool) -> Tap | None:
        if not _is_plain(model, phase):
            return None
        present = getattr(model, f"{phase}_function")
        if isinstance(present, _GraphTap):
            return present.batches
        step = getattr(model, f"{phase}_step")

        def shown_step(tap: _GraphTap, data: Any) -> Any:
            # The step's own inputs as further outputs: no operation is added or changed.
            return _with(step(data), batches=quietly(lambda: tap.batches.flatten_batch(data)))

        tap = _tap(model, phase, _GraphTap(), shown_step, untraced)
        return None if tap is None else tap.batches


class _GraphTap(Tap):
    """Takes what is shown out of a step's logs: its batch and, with a reduction, predictions.

    Attributes:
        batches: Where the batches are shown.
    """

    def __init__(self, reduce: Reduce | None = None) -> None:
        super().__init__(_not_made_yet, reduce)
        self.batches = Tap(_not_made_yet)

    def cover(self, function: Callable[..., Any]) -> None:
        """Take the place of a function that Keras has made."""
        self._function = function

    def __call__(self, *args: Any) -> Any:
        logs = self._function(*args)
        if isinstance(logs, dict) and _KEY in logs:
            shown = logs.pop(_KEY)
            for tap, name in ((self, "predictions"), (self.batches, "batches")):
                if tap.watchers and name in shown:
                    first, second = shown[name]
                    tap.show(list(first), list(second))
        return logs


def _tap(
    model: Any, phase: Phase, tap: _GraphTap, shown_step: Step, untraced: bool
) -> _GraphTap | None:
    """Put a tap in the place of Keras' function, if nothing has been traced into that yet."""
    present = getattr(model, f"{phase}_function")
    if isinstance(present, _GraphTap):
        if present.reduce is not None or tap.reduce is None:
            return present  # from an earlier fit: Keras, too, would use its function again
        tap.batches = present.batches
    if not untraced:
        return None
    attributes = vars(model)
    covered = attributes.get(f"{phase}_step")
    attributes[f"{phase}_step"] = functools.partial(shown_step, tap)
    try:
        getattr(model, f"make_{phase}_function")(force=True)
    finally:
        del attributes[f"{phase}_step"]
        if covered is not None:
            attributes[f"{phase}_step"] = covered
    tap.cover(getattr(model, f"{phase}_function"))
    setattr(model, f"{phase}_function", tap)
    return tap


def _not_made_yet(*_: Any) -> Any:
    raise NotImplementedError


def _is_of_keras(model: Any) -> bool:
    """Return whether no code but Keras' runs in its steps, which draws by seeds of its own."""
    parts = model._flatten_layers()
    lambdas = keras.layers.Lambda
    return all(
        type(part).__module__.startswith("keras.") and not isinstance(part, lambdas)
        for part in parts
    )


def _as_symbol(leaf: Any) -> Any:
    dtype = keras.backend.standardize_dtype(leaf.dtype)
    is_real = dtype.startswith("float")
    shape = (None, *leaf.shape[1:])
    return keras.KerasTensor(shape, dtype=keras.config.floatx() if is_real else dtype)


@contextlib.contextmanager
def _keeping_eager_seeds() -> Iterator[None]:
    """Put back what gives eager operations without a seed of their own one.

    Meanwhile it gives other seeds: an operation is kept, with how far it has drawn, and one
    of the user's with the same seed would go on from there.
    """
    from tensorflow.python.eager import context  # there is no public way to it

    source = getattr(context.context(), "_rng", None)  # from set_random_seed on
    state = None if source is None else source.getstate()
    if source is not None:
        source.seed("modelkb")
    try:
        yield
    finally:
        if source is not None:
            source.setstate(state)


def _global_seed() -> int | None:
    from tensorflow.python.eager import context  # there is no public way to it

    seed = context.global_seed()
    return None if seed is None else int(seed)


def _eager_seeds() -> Any:
    """Return the state of what gives eager operations their seeds, as ``random`` has it."""
    from tensorflow.python.eager import context

    source = getattr(context.context(), "_rng", None)
    return None if source is None else source.getstate()


def _global_generator() -> dict[str, Any] | None:
    """Return the state of ``tf.random.get_global_generator()``, which would make one."""
    from tensorflow.python.ops import stateful_random_ops

    generator = stateful_random_ops.global_generator
    if generator is None:
        return None
    state = [int(number) for number in generator.state.numpy()]
    return {"algorithm": int(generator.algorithm), "state": state}


def _is_plain(model: Any, phase: Phase) -> bool:
    return (
        model.distribute_strategy.num_replicas_in_sync == 1
        and model.steps_per_execution == 1
        and not has_own(model, f"make_{phase}_function")
    )


def _with(logs: Any, **shown: Shown | None) -> Any:
    parts = {name: (tuple(p[0]), tuple(p[1])) for name, p in shown.items() if p is not None}
    return {**logs, _KEY: parts} if isinstance(logs, dict) and parts else logs


def _deterministic_ops() -> bool | None:
    try:
        from tensorflow.python.framework.config import is_op_determinism_enabled
    except ImportError:  # TensorFlow has no public function to ask
        return None
    return bool(is_op_determinism_enabled())


def _gpu_name(gpu: Any) -> str:
    details = tf.config.experimental.get_device_details(gpu)
    return str(details.get("device_name", gpu.name))
