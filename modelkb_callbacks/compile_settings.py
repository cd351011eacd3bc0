"""How a model was compiled, as hyperparameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from modelkb_callbacks.constructor_settings import constructor_defaults, constructor_settings
from modelkb_callbacks.learning_rate import used_optimizer
from modelkb_callbacks.plain_values import name_of, plain
from modelkb_store.shortest_float import shortest_float

_METRICS = ("metrics", "weighted_metrics")
_NO_SETTINGS = ("name", "dtype", "fn")


def compile_settings(model: Any) -> Iterator[tuple[str, Any]]:
    """Walk names and values of all that ``compile`` was given, defaults of Keras included.

    Losses and metrics are named; where their settings differ from the defaults they follow,
    such as ``loss.label_smoothing`` or ``metrics.top_k.k``.

    Args:
        model: The compiled model.
    """
    yield from _of_optimizer(model)
    config = getattr(getattr(model, "_compile_config", None), "config", {})
    config = {**config, **metrics_of_earlier_compile(model)}
    yield from _named("loss", getattr(model, "loss", None))
    for name in _METRICS:
        yield from _named(name, config.get(name))
    if config.get("loss_weights") is not None:
        yield "loss_weights", plain(config["loss_weights"])
    if getattr(model, "compiled", False):
        for name in ("run_eagerly", "steps_per_execution", "jit_compile"):
            if (value := getattr(model, name, None)) is not None:
                yield name, plain(value)
    policy = _policy_name(model)
    if policy is not None:
        yield "dtype_policy", policy


def metrics_of_earlier_compile(model: Any) -> dict[str, Any]:
    """Return metrics that Keras still logs where a later ``compile`` was given none.

    Example:
        >>> model.compile("sgd", "mse", metrics=["mae"])
        >>> model.compile("adam", "mse")
        >>> metrics_of_earlier_compile(model)
        {'metrics': ['mae']}
    """
    config = getattr(getattr(model, "_compile_config", None), "config", {})
    kept = getattr(model, "_compile_metrics", None)
    if any(config.get(name) is not None for name in _METRICS):
        return {}
    found = {name: getattr(kept, f"_user_{name}", None) for name in _METRICS}
    return {name: value for name, value in found.items() if value is not None}


def _of_optimizer(model: Any) -> Iterator[tuple[str, Any]]:
    optimizer = used_optimizer(model)
    if optimizer is None:
        return
    yield "optimizer", type(optimizer).__name__
    for name, value in optimizer_settings(optimizer).items():
        if value is not None and name != "name":
            short = _shorten(value)
            yield (name, short) if name == "learning_rate" else (f"optimizer.{name}", short)
    outer = model.optimizer
    if outer is not optimizer:
        for name in ("initial_scale", "dynamic_growth_steps"):
            yield f"loss_scale.{name}", plain(getattr(outer, name, None))
    if _policy_name(model) == "mixed_float16":
        # Also where the user wrapped the optimizer: Keras then leaves it as it is.
        yield "auto_scale_loss", outer is not optimizer


def _policy_name(model: Any) -> str | None:
    """Return the name of the model's dtype policy, such as ``mixed_float16``."""
    name = getattr(getattr(model, "dtype_policy", None), "name", None)
    return None if name is None else str(name)


def optimizer_settings(optimizer: Any) -> dict[str, Any]:
    """Return an optimizer's configuration, also with a schedule that has none of its own."""
    try:
        return dict(optimizer.get_config())
    except Exception:  # noqa: BLE001 - a schedule of the user's without get_config
        schedule = getattr(optimizer, "_learning_rate", None)
        described = {
            "class_name": type(schedule).__name__,
            "config": constructor_settings(schedule),
        }
        others = {**constructor_settings(optimizer), "name": None}
        return {**others, "learning_rate": described}


def _shorten(value: Any) -> Any:
    if isinstance(value, float):
        return shortest_float(value)
    if isinstance(value, dict):
        # A function is serialized with its code.
        if value.get("class_name") == "__lambda__":
            return "<lambda>"
        return {name: _shorten(item) for name, item in value.items()}
    return value


def _named(name: str, structure: Any) -> Iterator[tuple[str, Any]]:
    """Walk the names of losses or metrics, and their settings that are not the defaults."""
    if structure is None:
        return
    yield name, keras.tree.map_structure(_short_name, structure)
    for item in keras.tree.flatten(structure):
        prefix = name if item is structure else f"{name}.{_short_name(item)}"
        for setting, value in _changed_settings(item).items():
            yield f"{prefix}.{setting}", value


def _short_name(item: Any) -> str | None:
    if item is None or isinstance(item, str):
        return item
    name = getattr(item, "__name__", None) or getattr(item, "name", None)
    return str(name) if isinstance(name, str) else name_of(item)


def _changed_settings(item: Any) -> dict[str, Any]:
    """Return the settings of a loss or metric object that are not its class's defaults."""
    if not isinstance(item, (keras.losses.Loss, keras.metrics.Metric)):
        return {}
    # Keras' own get_config knows most of them, and what is passed to a function the rest.
    # One of the user's is not called.
    settings = constructor_settings(item)
    if type(item).get_config.__module__.partition(".")[0] == "keras":
        settings.update(plain({**item.get_config(), **vars(item).get("_fn_kwargs", {})}))
    defaults = constructor_defaults(type(item))
    return {
        name: _shorten(value)
        for name, value in settings.items()
        if name in defaults and name not in _NO_SETTINGS and value != plain(defaults[name])
    }
