"""Settings in a configuration: whether they are the defaults, and what to pass to get them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelkb_store.codegen.keras import api
from modelkb_store.codegen.keras.api import KerasClass
from modelkb_store.codegen.network.auto_names import auto_number

# Kept as a range around zero, but passed as a number.
_SYMMETRIC = frozenset(
    (("RandomRotation", "factor"), ("RandomShear", "x_factor"), ("RandomShear", "y_factor"))
)
_USUAL_HISTORY = 1024


def is_usual_name(described: KerasClass, name: Any) -> bool:
    """Return whether an object has this name without being given it.

    Those of layers are chosen by whoever has all layers in view.
    """
    if described.kind == "layers" or name is None or name == described.defaults.get("name"):
        return True
    is_numbered = described.kind == "optimizers" and auto_number(str(name), described.name)
    return bool(is_numbered)


def as_given(class_name: str, parameter: str, value: Any) -> Any:
    """Return what to pass to a constructor, so that its configuration has a value.

    Example:
        >>> as_given("RandomRotation", "factor", [-0.1, 0.1])
        0.1
    """
    if (class_name, parameter) in _SYMMETRIC and _is_around_zero(value):
        return value[1]
    if (class_name, parameter) == ("BatchNormalization", "axis") and _is_single(value):
        return value[0]  # as Keras 2 kept it
    return value


def same_for_all_axes(value: Any) -> Any:
    """Return the one number of all axes, and of both their sides, if there is just one."""
    if not isinstance(value, (list, tuple)) or not value:
        return value
    if all(isinstance(each, (list, tuple)) for each in value):
        sides = [side for each in value for side in each]
        return sides[0] if all(side == sides[0] for side in sides) else value
    return value[0] if all(each == value[0] for each in value) else value


def policy_name(value: Any) -> str | None:
    """Return the name of a plain dtype policy, however it is written; None of any other.

    Example:
        >>> policy_name({"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}})
        'mixed_float16'
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and value.get("class_name") in ("DTypePolicy", "Policy"):
        name = (value.get("config") or {}).get("name")
        return name if isinstance(name, str) else None
    return None


def quantized_policy_name(value: Mapping[str, Any]) -> str | None:
    """Return the name that stands for a quantized dtype policy, if one does.

    Example:
        >>> config = {"mode": "int8", "source_name": "float32"}
        >>> quantized_policy_name({"class_name": "QuantizedDTypePolicy", "config": config})
        'int8_from_float32'
    """
    config = value["config"]
    is_usual = config.get("amax_history_length", _USUAL_HISTORY) == _USUAL_HISTORY
    names = config.get("mode"), config.get("source_name")
    if value["class_name"] not in ("QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy"):
        return None
    if not is_usual or not all(isinstance(name, str) for name in names):
        return None
    return "_from_".join(map(str, names))


def same_setting(default: Any, value: Any) -> bool:
    """Return whether a setting is the default, also where an older Keras wrote it in fewer words.

    Example:
        >>> same_setting(
        ...     {"module": "keras.initializers", "class_name": "Zeros", "config": {}},
        ...     {"class_name": "Zeros", "config": {}},
        ... )
        True
    """
    return same_value(_in_short(default), _in_short(value))


def same_value(first: Any, second: Any) -> bool:
    """Return whether two values are the same in JSON, where tuples are lists and 1 is not True."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(
            same_value(first[key], second[key]) for key in first
        )
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(same_value, first, second))
    return type(first) is type(second) and bool(first == second)


def _in_short(value: Any) -> Any:
    """Return an object of Keras as its class and what of its configuration is not the default."""
    if not isinstance(value, Mapping) or not isinstance(value.get("config"), Mapping):
        return value
    described = api.find_class(value.get("module"), str(value.get("class_name")))
    if described is None:
        return value
    config = {
        key: item
        for key, item in value["config"].items()
        if not (key in described.defaults and same_setting(described.defaults[key], item))
    }
    return {"class_name": described.spelling, "config": config}


def _is_around_zero(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(isinstance(each, (int, float)) for each in value)
        and value[0] == -value[1]
        and value[1] > 0
    )


def _is_single(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 1
