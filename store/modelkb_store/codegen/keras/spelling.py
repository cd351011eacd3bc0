"""How the layers and models of one model are written."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelkb_store.codegen.keras.api import call_defaults
from modelkb_store.codegen.keras.operations import operation_call
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.network.auto_names import auto_number
from modelkb_store.codegen.network.network import Layer, Network


@dataclass(slots=True)
class Spelling:
    """Writes the parts of a model as expressions.

    Attributes:
        speller: Writes values and objects.
        build: Returns the expression that makes a nested model.
    """

    speller: Speller
    build: Callable[[Network], ast.expr]

    def name(self, part: Layer | Network) -> str | None:
        """Return the name to write for a layer or model; None where Keras finds it itself."""
        number = auto_number(part.name, part.class_name)
        return None if number is not None and number[0] in self.speller.left_out else part.name

    def layer(self, layer: Layer) -> ast.expr:
        """Write the expression that makes a layer, or a nested model."""
        if layer.network is not None:
            return self.build(layer.network)
        return self.speller.construct(layer.entry, _where(layer), name=self.name(layer))

    def input(self, layer: Layer) -> ast.expr:
        """Write ``keras.Input(...)``."""
        return self.speller.input_call(layer.config, _where(layer), name=self.name(layer))

    def operation(
        self, layer: Layer, args: Sequence[ast.expr], kwargs: Mapping[str, ast.expr]
    ) -> ast.expr:
        """Write the call of an operation such as ``keras.ops.mean``, or an operator."""
        if self.name(layer) is not None:
            self.speller.problems.append(
                f"operation {layer.name!r} gets another name: operations cannot be named"
            )
        return operation_call(self.speller, layer.entry, args, kwargs, _where(layer))

    def value(self, value: Any, layer: Layer) -> ast.expr:
        """Write a value that a layer is called with."""
        return self.speller.value(value, _where(layer))

    def given(self, layer: Layer, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call that are not what Keras passes by itself."""
        defaults = {} if layer.is_operation else call_defaults(layer.class_name)
        return {
            name: value
            for name, value in kwargs.items()
            if layer.is_operation or (value is not None and defaults.get(name) != value)
        }

    def model_call(self, network: Network, inputs: ast.expr, outputs: ast.expr) -> ast.expr:
        """Write ``keras.Model(inputs, outputs, name=...)``."""
        keywords = self.name_keyword(network)
        return ast.Call(self.class_of(network, "Model"), [inputs, outputs], keywords)

    def class_of(self, network: Network, usual: str) -> ast.expr:
        """Write the class of a model: Keras' own, or one of the user's."""
        if network.class_name in ("Functional", "Model", "Sequential"):
            self.speller.names_used.add("keras")
            return ast.Attribute(ast.Name("keras"), usual)
        return self.speller.own_class(network.class_name, network.registered_name, network.name)

    def name_keyword(self, network: Network) -> list[ast.keyword]:
        """Write ``name=...`` where it is needed."""
        name = self.name(network)
        return [] if name is None else [ast.keyword("name", ast.Constant(name))]


def _where(layer: Layer) -> str:
    return f"layer {layer.name!r}"
