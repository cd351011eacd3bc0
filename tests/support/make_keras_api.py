"""Makes `codegen/keras/api.json`: what the installed Keras' classes and operations take.

Run it when Keras has changed: python tests/support/make_keras_api.py
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
from keras import layers
from keras.src.api_export import get_name_from_symbol

import modelkb_store.codegen.keras

API_FILE = Path(modelkb_store.codegen.keras.__file__).parent / "api.json"

# Where public classes lie, and how they are spelled.
_PLACES = {
    "layers": (keras.layers, "layers"),
    "initializers": (keras.initializers, "keras.initializers"),
    "regularizers": (keras.regularizers, "keras.regularizers"),
    "constraints": (keras.constraints, "keras.constraints"),
    "schedules": (keras.optimizers.schedules, "keras.optimizers.schedules"),
    "optimizers": (keras.optimizers, "keras.optimizers"),
    "losses": (keras.losses, "keras.losses"),
    "metrics": (keras.metrics, "keras.metrics"),
    "quantizers": (keras.quantizers, "keras.quantizers"),
    "dtype_policies": (keras.dtype_policies, "keras.dtype_policies"),
    "random": (keras.random, "keras.random"),
    "callbacks": (keras.callbacks, "keras.callbacks"),
}
# Layers of keras.applications' own, which have no public name.
_PRIVATE = (
    keras.src.applications.convnext.LayerScale,
    keras.src.applications.inception_resnet_v2.CustomScaleLayer,
)
_STRINGS = ("initializers", "regularizers", "constraints")
# Two values for each parameter that a class requires, so that what depends on them shows.
_SAMPLES: dict[str, tuple[Any, Any]] = {
    "alpha": (0.5, 0.25),
    "axes": (1, (1, 2)),
    "boundaries": ([1, 2], [3, 4]),
    "cell": (lambda: layers.LSTMCell(2), lambda: layers.GRUCell(3)),
    "cells": (lambda: [layers.LSTMCell(2)], lambda: [layers.GRUCell(3)]),
    "dims": ((2, 1), (1, 2)),
    "equation": ("ab,bc->ac", "ab,bd->ad"),
    "factor": (0.1, 0.2),
    "filepath": ("a.keras", "b.keras"),
    "fn": (lambda: keras.losses.mean_squared_error, lambda: keras.losses.mean_absolute_error),
    "function": (lambda: keras.activations.relu, lambda: keras.activations.tanh),
    "inner_optimizer": (keras.optimizers.SGD, keras.optimizers.Adam),
    "layer": (lambda: layers.LSTM(2), lambda: layers.GRU(3)),
    "num_bins": (3, 4),
    "output_shape": ((None, 3), (None, 4)),
    "precision": (0.5, 0.6),
    "rate": (0.5, 0.25),
    "recall": (0.5, 0.6),
    "schedule": (lambda: _schedule, lambda: _other_schedule),
    "sensitivity": (0.5, 0.6),
    "specificity": (0.5, 0.6),
    "stddev": (0.1, 0.2),
    "target_class_ids": ([0], [1]),
    "target_shape": ((2, 1), (1, 2)),
    "value_range": ((0.0, 1.0), (0.0, 2.0)),
    "values": ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]),
    "activation": ("relu", "tanh"),
    "initial_learning_rate": (0.1, 0.2),
    "decay_rate": (0.5, 0.6),
    "name": ("a", "b"),
    "sequence_length": (7, 8),
    "height_factor": (0.1, 0.2),
    "width_factor": (0.1, 0.2),
}
# Classes that take one of several arguments, none of which has to be given.
_ONE_OF_SEVERAL = {"Discretization": "num_bins", "CategoryEncoding": "num_tokens"}


# Functions, in the order in which Keras looks for one of which only the name is kept.
_FUNCTIONS = {
    "keras.activations": keras.activations,
    "keras.losses": keras.losses,
    "keras.metrics": keras.metrics,
    "ops": keras.ops,
    "ops.image": keras.ops.image,
    "ops.linalg": keras.ops.linalg,
}


def make_api() -> dict[str, Any]:
    """Return the table: classes by their kind and name, operations, and activations."""
    return {
        "keras_version": keras.__version__,
        "classes": {
            **{kind: _classes(kind) for kind in _PLACES},
            "applications": {
                each.__name__: {
                    **_described(each, "applications", each.__name__),
                    "module": each.__module__,
                }
                for each in _PRIVATE
            },
        },
        "operations": _operations_by_class(),
        "functions": {place: _functions(module) for place, module in _FUNCTIONS.items()},
    }


def write_api(path: Path) -> None:
    """Write the table, one class a line."""
    api = make_api()
    lines = ["{", f'"keras_version": {json.dumps(api["keras_version"])},', '"classes": {']
    for kind, classes in sorted(api["classes"].items()):
        lines.append(f"{json.dumps(kind)}: {{")
        lines += _lines(classes)
        lines.append("},")
    lines[-1] = "}"
    lines += ["},", '"operations": {', *_lines(api["operations"]), "},"]
    lines += ['"functions": {', *_lines(api["functions"], is_sorted=False), "}", "}"]
    path.write_text("\n".join(lines) + "\n")


def _functions(module: Any) -> list[str]:
    found = {name for name, each in vars(module).items() if inspect.isfunction(each)}
    return sorted(found - {"get", "serialize", "deserialize"})


def _lines(table: dict[str, Any], *, is_sorted: bool = True) -> list[str]:
    keys = sorted(table) if is_sorted else list(table)
    found = [f"{json.dumps(key)}: {json.dumps(table[key])}," for key in keys]
    return [*found[:-1], found[-1].removesuffix(",")]


def _classes(kind: str) -> dict[str, Any]:
    module, spelling = _PLACES[kind]
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(dir(module)):
        each = getattr(module, name)
        if not inspect.isclass(each) or not name[0].isupper() or name == "InputSpec":
            continue
        if each.__name__ in found and name != each.__name__:
            continue  # another name of the same
        described = _described(each, kind, f"{spelling}.{name}")
        found[each.__name__] = described
        # In a configuration stands the first of its public names.
        public = get_name_from_symbol(each)
        if public is not None:
            found[public.rpartition(".")[2]] = described
    return found


def _described(each: type[Any], kind: str, spelling: str) -> dict[str, Any]:
    parameters = _parameters(each)
    required = [name for name, default in parameters.items() if default is inspect.Parameter.empty]
    described: dict[str, Any] = {"spelling": spelling, "parameters": list(parameters)}
    if required:
        described["required"] = required
    described["defaults"], same = _default_configuration(each, required)
    if described["defaults"] is None:  # no configuration: what its signature says
        del described["defaults"]
        described["defaults"] = {
            name: _plain(value) for name, value in parameters.items() if name not in required
        }
    if same:
        described["same_as"] = same
    if kind == "layers" and (call := _call_defaults(each)):
        described["call"] = call
    is_abstract = each.__name__ in ("Initializer", "Regularizer", "Constraint")
    if kind in _STRINGS and not required and not is_abstract and (word := _word(kind, each)):
        described["string"] = word
    return described


def _parameters(each: type[Any]) -> dict[str, Any]:
    """Return the constructor's parameters; where it passes others on, those of the class above."""
    found: dict[str, Any] = {}
    for level in each.__mro__:
        constructor = vars(level).get("__init__")
        if constructor is None or level is object:
            continue
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        own: dict[str, Any] = {}
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            # What a class above requires, its subclass gives it.
            if not found or parameter.default is not parameter.empty:
                own.setdefault(parameter.name, parameter.default)
        for name, default in own.items():
            found.setdefault(name, default)
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _sample(name: str, which: int) -> Any:
    value = _SAMPLES.get(name, (3, 5))[which]
    return value() if callable(value) else value


def _default_configuration(
    each: type[Any], required: list[str]
) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Return what get_config() says of an object with all defaults, if that is always the same."""
    if each.__name__ in _ONE_OF_SEVERAL:
        required = [_ONE_OF_SEVERAL[each.__name__]]
    if each.__name__ == "RandomPosterization":
        made_with = [{"factor": 3}, {"factor": 5}]
    else:
        made_with = [{name: _sample(name, which) for name in required} for which in (0, 1)]
    try:
        first, second = (_configuration(each, arguments) for arguments in made_with)
    except Exception:  # noqa: BLE001 - it cannot be made or has no configuration
        return None, {}
    defaults = {key: value for key, value in first.items() if second.get(key, ...) == value}
    defaults = {key: value for key, value in defaults.items() if key not in required}
    if issubclass(each, keras.layers.Layer):
        defaults.pop("name", None)
    if each.__name__ in _ONE_OF_SEVERAL:
        defaults[_ONE_OF_SEVERAL[each.__name__]] = None
    return defaults, _followers(each, made_with[0], required, (first, second), defaults)


def _followers(
    each: type[Any],
    given: dict[str, Any],
    required: list[str],
    configs: tuple[dict[str, Any], dict[str, Any]],
    defaults: dict[str, Any],
) -> dict[str, str]:
    """Return which settings are what another one is, and take these out of the defaults."""
    first, second = configs
    same: dict[str, str] = {}
    for key in first:
        if key in defaults or key in required:
            continue
        for other in required:
            if first.get(other) == first[key] and second.get(other) == second.get(key):
                same[key] = other
    for name in _followed(each, given, first):
        for key in [key for key in defaults if key != name and defaults[key] == first[name]]:
            other = _other_value(first[name])
            try:
                config = _configuration(each, {**given, name: other})
            except Exception:  # noqa: BLE001 - it does not take such a value
                break
            if config.get(key) == config.get(name):
                same[key] = name
                del defaults[key]
    return same


def _configuration(each: type[Any], arguments: dict[str, Any]) -> dict[str, Any]:
    made = each(**arguments)
    found: dict[str, Any] = _plain(keras.saving.serialize_keras_object(made)["config"])
    return found


def _followed(each: type[Any], given: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """Return the parameters that others may take their values from: whole numbers."""
    return [
        name
        for name in _parameters(each)
        if name not in given and _other_value(config.get(name)) is not None
    ]


def _other_value(value: Any) -> Any:
    if isinstance(value, list) and value and all(type(item) is int for item in value):
        return [item + 1 for item in value]
    return value + 1 if type(value) is int else None


def _call_defaults(each: type[Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(each.call).parameters
    except (TypeError, ValueError, AttributeError):
        return {}
    found = {name: parameters[name].default for name in ("training",) if name in parameters}
    return {name: value for name, value in found.items() if isinstance(value, bool)}


def _word(kind: str, each: type[Any]) -> str | None:
    """Return the text that stands for an object with all defaults."""
    module = getattr(keras, kind)
    for word in (keras.src.utils.naming.to_snake_case(each.__name__), each.__name__):
        try:
            made = module.get(word)
        except (ValueError, TypeError, KeyError):
            continue
        if type(made) is each and made.get_config() == each().get_config():
            return word
    return None


def _operations_by_class() -> dict[str, Any]:
    """Return one function for each class: that of its name, if there are several."""
    found: dict[str, Any] = {}
    for key, described in _operations():
        own_name = keras.src.utils.naming.to_snake_case(key.partition(".")[2])
        if key not in found or described["function"].rpartition(".")[2] == own_name:
            found[key] = described
    return found


def _operations() -> Iterator[tuple[str, Any]]:
    """Walk the classes of operations, each with the public function that makes and calls it."""
    folder = Path(keras.src.ops.__file__).parent
    for file in sorted(folder.glob("*.py")):
        if file.name.endswith("_test.py"):
            continue
        for function in ast.parse(file.read_text()).body:
            if isinstance(function, ast.FunctionDef) and (public := _public_name(function)):
                for name, described in _made_in(function, public):
                    yield f"{file.stem}.{name}", described


def _public_name(function: ast.FunctionDef) -> str | None:
    names = []
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "keras_export":
            names += (
                ast.literal_eval(decorator.args[0])
                if not isinstance(decorator.args[0], ast.Constant)
                else [decorator.args[0].value]
            )
    names = [name.removeprefix("keras.") for name in names if name.startswith("keras.ops.")]
    plain = [name for name in names if name.count(".") == 1]
    return (plain or names or [None])[0]


def _made_in(function: ast.FunctionDef, public: str) -> Iterator[tuple[str, Any]]:
    for node in ast.walk(function):
        made = _operation_called_by(node)
        if made is None:
            continue
        parameters = _signature(function)
        module = keras.src.ops
        yield (
            made.func.id,
            {
                "function": public,
                "parameters": parameters,
                "constructor": _constructor(function, made, module),
                "call": [ast.unparse(arg) for arg in node.args],
                **_fixed(function, made, module),
                **(
                    {"call_keywords": {k.arg: ast.unparse(k.value) for k in node.keywords}}
                    if node.keywords
                    else {}
                ),
            },
        )


def _operation_called_by(node: ast.AST) -> Any:
    """Return what makes the operation that is called: `Op(..).symbolic_call(x)`, or `Op(..)(x)`."""
    made: Any = node.func if isinstance(node, ast.Call) else None
    if isinstance(made, ast.Attribute) and made.attr == "symbolic_call":
        made = made.value
    if not isinstance(made, ast.Call) or not isinstance(made.func, ast.Name):
        return None
    return None if _find_class(keras.src.ops, made.func.id) is None else made


def _signature(function: ast.FunctionDef) -> dict[str, Any]:
    """Return the parameters with their defaults; null stands in a list for one without."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[Any] = [None] * (len(positional) - len(arguments.defaults))
    defaults += [[_literal(each)] for each in arguments.defaults]
    found = {each.arg: default for each, default in zip(positional, defaults, strict=True)}
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found[each.arg] = None if default is None else [_literal(default)]
    return found


def _literal(node: ast.expr) -> Any:
    try:
        return _plain(ast.literal_eval(node))
    except ValueError:
        return ast.unparse(node)


def _fixed(function: ast.FunctionDef, made: ast.Call, ops: Any) -> dict[str, Any]:
    """Return the constructor's arguments that the function does not pass on, with their values."""
    assert isinstance(made.func, ast.Name)
    owner = _find_class(ops, made.func.id)
    passed = _constructor(function, made, ops)
    defaults = {
        name: _plain(default)
        for name, default in (_parameters(owner) if owner is not None else {}).items()
        if name not in passed and name != "name" and default is not inspect.Parameter.empty
    }
    return {"fixed": defaults} if defaults else {}


def _constructor(function: ast.FunctionDef, made: ast.Call, ops: Any) -> dict[str, str]:
    """Return for each constructor argument the function's argument that it is, if it is one."""
    assert isinstance(made.func, ast.Name)
    owner = _find_class(ops, made.func.id)
    names = list(_parameters(owner)) if owner is not None else []
    pairs = [*zip(names, made.args, strict=False)]
    pairs += [(keyword.arg or "", keyword.value) for keyword in made.keywords]
    arguments = {each.arg for each in [*function.args.args, *function.args.kwonlyargs]}
    return {
        name: value.id
        for name, value in pairs
        if isinstance(value, ast.Name) and value.id in arguments
    }


def _find_class(ops: Any, name: str) -> type[Any] | None:
    for module in vars(ops).values():
        if inspect.ismodule(module) and inspect.isclass(getattr(module, name, None)):
            found: type[Any] = getattr(module, name)
            return found
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return getattr(value, "name", None) or str(value)


def _schedule(epoch: int) -> float:
    return 0.1


def _other_schedule(epoch: int) -> float:
    return 0.2


if __name__ == "__main__":
    write_api(API_FILE)
