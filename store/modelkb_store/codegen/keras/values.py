"""Values of a Keras configuration as Python expressions.

Everything becomes a node of Python's `ast`: texts stay string constants whatever is in them,
and names are checked to be identifiers.
"""

from __future__ import annotations

import ast
import keyword
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from modelkb_store.codegen.keras import api
from modelkb_store.codegen.keras.api import KerasClass
from modelkb_store.codegen.keras.settings import (
    as_given,
    is_usual_name,
    policy_name,
    quantized_policy_name,
    same_for_all_axes,
    same_setting,
)
from modelkb_store.codegen.keras.special_values import is_special, special_value
from modelkb_store.codegen.network.auto_names import auto_number
from modelkb_store.codegen.network.inner_layers import is_mirrored, unprefixed
from modelkb_store.codegen.network.network import Network
from modelkb_store.codegen.network.parsing import is_network, parse_model
from modelkb_store.errors import CodeGenerationError
from modelkb_store.shortest_float import shortest_float

_MOST_POSITIONAL = 3
# Settings of Keras' that are one number for all axes, if it is the same for all.
_BY_AXIS = frozenset(
    ("kernel_size", "strides", "pool_size", "dilation_rate", "size", "padding", "cropping")
)
# A class of Keras' that takes any arguments, and passes them on.
_TAKES_MORE = "MeanMetricWrapper"
_HOLDS_A_PROGRAM = frozenset(("FlaxLayer", "JaxLayer", "TorchModuleWrapper"))
# What the constructor of every layer takes.
BASE_SETTINGS = ("name", "trainable", "dtype")


class Speller:
    """Writes values as expressions.

    Args:
        default_dtype: The global dtype policy; layers of this policy do not say so.
        definitions: The names of classes and functions of the user's that will be defined.
        left_out: The bases of names that Keras makes up again by itself.

    Attributes:
        names_used: Names that must be imported: ``keras``, ``layers``, ``ops``, ``np``.
        problems: What could not be written exactly, for people.
        definitions: The names of classes and functions of the user's that will be defined.
        left_out: The bases of names that Keras makes up again by itself.
        build: Returns the expression that makes a model inside a layer; None where there is none.
    """

    def __init__(
        self,
        *,
        default_dtype: str = "float32",
        definitions: Collection[str] = (),
        left_out: Collection[str] = (),
    ) -> None:
        self.names_used: set[str] = set()
        self.problems: list[str] = []
        self._default_dtype = default_dtype
        self.definitions = frozenset(definitions)
        self.left_out = frozenset(left_out)
        self.build: Callable[[Network], ast.expr] | None = None

    def value(self, value: object, where: str) -> ast.expr:
        """Write any value of a configuration.

        Args:
            value: As JSON has it.
            where: What it belongs to, for errors.

        Raises:
            CodeGenerationError: It cannot be written.
        """
        if value is None or isinstance(value, (bool, int, str)):
            return ast.Constant(value)
        if isinstance(value, float):
            return number(value)
        if isinstance(value, (list, tuple)):
            return self._sequence(value, where)
        if isinstance(value, Mapping):
            return self._mapping(value, where)
        raise CodeGenerationError(where, f"it holds a {type(value).__name__}", "leave it out")

    def construct(
        self,
        entry: Mapping[str, Any],
        where: str,
        *,
        name: str | None = None,
        replaced: Mapping[str, ast.expr] | None = None,
    ) -> ast.Call:
        """Write the call that makes an object; arguments that are the defaults are left out.

        Args:
            entry: The object as Keras serializes it.
            where: What it belongs to, for errors.
            name: The name to give it; None leaves that to Keras.
            replaced: Expressions to write in place of the values of some arguments.

        Raises:
            CodeGenerationError: A class that is not known, or a value that cannot be written.
        """
        described = api.find_class(entry.get("module"), str(entry["class_name"]))
        config = entry.get("config") or {}
        if described is None or entry["class_name"] in self.definitions:
            return self._construct_own(entry, config, where, name)
        given = self._given(described, config, where, replaced or {})
        if name is not None and "name" in described.parameters:
            given["name"] = ast.Constant(name)
        return _call(self.spelled(described.spelling), described.required, given)

    def input_call(self, config: Mapping[str, Any], where: str, *, name: str | None) -> ast.Call:
        """Write ``keras.Input(...)`` for an input layer's configuration."""
        shape = config.get("batch_shape", config.get("batch_input_shape"))
        if not isinstance(shape, (list, tuple)):
            raise CodeGenerationError(where, "its shape was not saved", "save the model again")
        keywords: dict[str, ast.expr] = {"shape": self.shape(shape[1:], where)}
        if shape[:1] not in ([None], (None,)):
            keywords["batch_size"] = self.value(shape[0], where)
        dtype = config.get("dtype")
        if isinstance(dtype, Mapping):
            dtype = dtype["config"]["name"]
        if dtype not in (None, "float32"):
            keywords["dtype"] = self.value(dtype, where)
        for flag in ("sparse", "ragged", "optional"):
            if config.get(flag):
                keywords[flag] = ast.Constant(True)
        if name is not None:
            keywords["name"] = ast.Constant(name)
        return _call(self.spelled("keras.Input"), (), keywords)

    def shape(self, value: object, where: str) -> ast.expr:
        """Write a shape, or a structure of shapes."""
        if isinstance(value, (list, tuple)) and all(
            each is None or isinstance(each, int) for each in value
        ):
            return ast.Tuple([self.value(each, where) for each in value])
        if isinstance(value, (list, tuple)):
            return ast.List([self.shape(each, where) for each in value])
        if isinstance(value, Mapping):
            keys: list[ast.expr | None] = [ast.Constant(str(key)) for key in value]
            return ast.Dict(keys, [self.shape(each, where) for each in value.values()])
        return self.value(value, where)

    def own_class(self, class_name: str, registered_name: str | None, where: str) -> ast.expr:
        """Write a class or function of the user's own, by its name.

        Raises:
            CodeGenerationError: Its source was not recorded.
        """
        name = class_name.rpartition(">")[2]  # `package>Name`, as older files have it
        if name in self.definitions and is_name(name):
            return ast.Name(name)
        known = registered_name or class_name
        raise CodeGenerationError(
            where,
            f"its class or function {known!r} is not Keras' own, and its source is not recorded",
            "write code for a recorded experiment that has its source, or use Keras' own",
        )

    def spelled(self, spelling: str) -> ast.expr:
        """Write a dotted name, and note that its first part is needed."""
        first, *rest = spelling.split(".")
        self.names_used.add(first)
        expression: ast.expr = ast.Name(first)
        for part in rest:
            expression = ast.Attribute(expression, part)
        return expression

    def _given(
        self,
        described: KerasClass,
        config: Mapping[str, Any],
        where: str,
        replaced: Mapping[str, ast.expr],
    ) -> dict[str, ast.expr]:
        """Return the arguments that have to be written, in the order of the parameters."""
        if described.name in _HOLDS_A_PROGRAM:
            raise CodeGenerationError(
                where,
                f"it is a {described.name}, which holds a program of another framework",
                "use layers of Keras, or a class of your own, whose source is recorded",
            )
        given: dict[str, ast.expr] = {}
        for parameter in described.parameters:
            if parameter in replaced:
                given[parameter] = replaced[parameter]
            elif parameter in config and not self._is_default(described, parameter, config):
                value = as_given(described.name, parameter, config[parameter])
                given[parameter] = self._argument(described, parameter, value, where)
        if described.name == _TAKES_MORE:  # what its function takes
            more = [key for key in config if key not in described.parameters and is_name(key)]
            given.update({key: self.value(config[key], where) for key in more})
        return given

    def _is_default(self, described: KerasClass, parameter: str, config: Mapping[str, Any]) -> bool:
        value = config[parameter]
        if parameter == "backward_layer" and is_mirrored(config):
            return True
        if parameter == "num_bins" and config.get("bin_boundaries") is not None:
            return True  # they were learned, and cannot be given with their number
        if parameter == "name":
            return is_usual_name(described, value)
        if parameter == "dtype":
            return self._is_usual_dtype(described, value)
        if parameter in described.same_as:
            return bool(config.get(described.same_as[parameter]) == value)
        return parameter in described.defaults and same_setting(
            described.defaults[parameter], value
        )

    def _is_usual_dtype(self, described: KerasClass, value: Any) -> bool:
        default = policy_name(described.defaults.get("dtype"))
        if value is None:
            return True
        name = policy_name(value)
        if described.kind != "layers":
            return name == default
        return name == (self._default_dtype if default in (None, "float32") else default)

    def _argument(self, described: KerasClass, parameter: str, value: Any, where: str) -> ast.expr:
        if described.kind == "optimizers" and isinstance(value, float):
            return number(shortest_float(value))
        if parameter == "dtype":
            return self._dtype(value, where)
        if parameter in _BY_AXIS:
            return self._by_axis(value, where)
        if parameter.endswith("activation"):
            return self._activation(value, where)
        if parameter in ("function", "fn"):
            is_name_alone = isinstance(value, str)  # as Keras 2 kept it
            return (self._named_function if is_name_alone else self._function)(value, where)
        return self.value(value, where)

    def _by_axis(self, value: Any, where: str) -> ast.expr:
        return self.value(same_for_all_axes(value), where)

    def _dtype(self, value: Any, where: str) -> ast.expr:
        name = policy_name(value)
        return ast.Constant(name) if name is not None else self.value(value, where)

    def _function(self, value: Any, where: str) -> ast.expr:
        if isinstance(value, Mapping) and value.get("class_name") == "function":
            return self._named_function(str(value.get("config")), where, value.get("module"))
        if isinstance(value, (list, tuple)):  # code, as Keras 2 stored that of a lambda
            raise _no_source(where)
        return self.value(value, where)

    def _named_function(self, name: str, where: str, module: str | None = None) -> ast.expr:
        plain = name.rpartition(">")[2]  # without the package that it is registered in
        if plain not in self.definitions:
            spelling = api.find_function(name, module)
            if spelling is not None:
                return self.spelled(spelling)
        return self.own_class(plain, name, where)

    def _activation(self, value: Any, where: str) -> ast.expr:
        if not isinstance(value, str):
            return self._function(value, where)
        if api.is_activation(value) and value not in self.definitions:
            return ast.Constant(value)
        return self._named_function(value, where)

    def _sequence(self, value: Sequence[Any], where: str) -> ast.expr:
        parts = [self.value(each, where) for each in value]
        is_shape = 0 < len(value) <= 5 and all(
            each is None or (isinstance(each, int) and not isinstance(each, bool)) for each in value
        )
        pairs = bool(value) and all(isinstance(part, ast.Tuple) for part in parts)
        return ast.Tuple(parts) if is_shape or pairs else ast.List(parts)

    def _mapping(self, value: Mapping[str, Any], where: str) -> ast.expr:
        class_name = value.get("class_name")
        if class_name == "__lambda__":
            raise _no_source(where)
        if is_special(value):
            return special_value(self, value, where)
        if class_name == "function" and "config" in value:
            return self._named_function(str(value["config"]), where, value.get("module"))
        if isinstance(class_name, str) and isinstance(value.get("config"), Mapping):
            return self._object(value, where)
        keys: list[ast.expr | None] = [self.value(key, where) for key in value]
        return ast.Dict(keys, [self.value(each, where) for each in value.values()])

    def _object(self, value: Mapping[str, Any], where: str) -> ast.expr:
        """Write an object inside another: its text where that says it all."""
        described = api.find_class(value.get("module"), str(value["class_name"]))
        config = value["config"]
        if described is None:
            return self._model(value) or self.construct(value, where)
        policy = policy_name(value) or quantized_policy_name(value)
        if described.kind == "dtype_policies" and policy is not None:
            return ast.Constant(policy)
        made = self.construct(value, where, name=self._inner_name(described, config))
        if described.string is not None and not made.args and not made.keywords:
            return ast.Constant(described.string)
        return made

    def _model(self, value: Mapping[str, Any]) -> ast.expr | None:
        """Write a model inside a layer, such as one that is distributed over time."""
        if self.build is None or not is_network(value):
            return None
        network = parse_model(value)
        return self.build(network) if isinstance(network, Network) else None

    def _inner_name(self, described: KerasClass, config: Mapping[str, Any]) -> str | None:
        """Return the name to write for a layer inside another."""
        if described.kind != "layers" or not isinstance(config.get("name"), str):
            return None
        name = unprefixed(config["name"])
        number = auto_number(name, described.name)
        return None if number is not None and number[0] in self.left_out else name

    def _construct_own(
        self, entry: Mapping[str, Any], config: Any, where: str, name: str | None
    ) -> ast.Call:
        """Write an object of a class of the user's: its configuration is what it is made with."""
        made = self.own_class(str(entry["class_name"]), entry.get("registered_name"), where)
        if not isinstance(config, Mapping):
            raise CodeGenerationError(
                where, "its configuration is no dictionary", "mend get_config"
            )
        given: dict[str, ast.expr] = {}
        for key, value in config.items():
            if not is_name(key):
                raise CodeGenerationError(
                    where, f"its get_config() has {key!r}, which is no argument", "rename it"
                )
            if key not in BASE_SETTINGS:
                given[key] = self._own_value(value, where)
        if config.get("trainable") is False:
            given["trainable"] = ast.Constant(False)
        if policy_name(config.get("dtype")) not in (None, self._default_dtype):
            given["dtype"] = self._dtype(config["dtype"], where)
        if name is not None and "name" in config:
            given["name"] = ast.Constant(name)
        return _call(made, (), given)

    def _own_value(self, value: Any, where: str) -> ast.expr:
        """Write what a class of the user's is given: its lists stay lists, as Keras gives them."""
        if isinstance(value, (list, tuple)):
            return ast.List([self._own_value(each, where) for each in value])
        return self.value(value, where)


def number(value: float) -> ast.expr:
    """Write a number; those that are not finite as ``float("inf")``."""
    if math.isfinite(value):
        return ast.Constant(value)
    return ast.Call(ast.Name("float"), [ast.Constant(str(value))], [])


def is_name(text: object) -> bool:
    """Return whether a text can stand as a name in Python."""
    return isinstance(text, str) and text.isidentifier() and not keyword.iskeyword(text)


def _call(function: ast.expr, required: Sequence[str], given: Mapping[str, ast.expr]) -> ast.Call:
    """Write a call: the first arguments, if they are required, by position."""
    positional: list[ast.expr] = []
    for name, (parameter, value) in zip(required, given.items(), strict=False):
        if parameter != name or len(positional) == _MOST_POSITIONAL:
            break
        positional.append(value)
    rest = list(given.items())[len(positional) :]
    return ast.Call(function, positional, [ast.keyword(name, value) for name, value in rest])


def _no_source(where: str) -> CodeGenerationError:
    return CodeGenerationError(
        where,
        "it holds a lambda, of which only compiled code is kept",
        "give the layer a function with a name, so that its source is recorded",
    )
