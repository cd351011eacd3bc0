"""A network as a straight-line program: one statement for each layer that is made or called."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.keras.naming import FLOWING, Wishes, identifier
from modelkb_store.codegen.keras.spelling import Spelling
from modelkb_store.codegen.network.network import Layer, Network, TensorRef, tensors_in
from modelkb_store.codegen.network.ordering import Step, steps
from modelkb_store.codegen.network.outputs import output_path

# What a value is called that is needed later, by the class of what takes it up again.
_WISHES_BY_USER = {"Add": "residual", "Concatenate": "skip", "Multiply": "scale"}


@dataclass(slots=True)
class Program:
    """The body of a function that makes a network.

    Attributes:
        statements: One assignment for each value, every variable assigned once.
        result: What the function returns.
        wishes: What variables would like to be called.
    """

    statements: list[ast.stmt] = field(default_factory=list)
    result: ast.expr = field(default_factory=lambda: ast.Constant(None))
    wishes: Wishes = field(default_factory=Wishes)


def functional_program(network: Network, spelling: Spelling) -> Program:
    """Write a functional network.

    Args:
        network: The network, without masks that Keras passes on by itself.
        spelling: Writes layers and models.

    Raises:
        CodeGenerationError: A layer cannot be written.
    """
    return _Writer(network, spelling).write()


@dataclass(slots=True)
class _Writer:
    network: Network
    spelling: Spelling
    program: Program = field(default_factory=Program)
    _variables: dict[tuple[str, int], str] = field(default_factory=dict)
    _made: dict[str, str] = field(default_factory=dict)
    _by_name: dict[str, Layer] = field(default_factory=dict)
    _outputs_seen: dict[tuple[str, int], int] = field(default_factory=dict)

    def write(self) -> Program:
        self._by_name = {layer.name: layer for layer in self.network.layers}
        self._look_at_outputs()
        ordered = steps(self.network)
        self._wish(ordered)
        for step in ordered:
            self._write_step(step)
        self.program.result = self.spelling.model_call(
            self.network, self._structure(self.network.inputs), self._outputs()
        )
        return self.program

    def _look_at_outputs(self) -> None:
        refs = [
            ref for layer in self.network.layers for call in layer.calls for ref in call.tensors()
        ]
        ends = self.network.inputs, self.network.outputs  # an input may be used by nothing
        for ref in [*refs, *tensors_in(ends)]:
            key = ref.layer, ref.call
            self._outputs_seen[key] = max(ref.output, self._outputs_seen.get(key, 0))

    def _write_step(self, step: Step) -> None:
        layer = step.layer
        if layer.is_input:
            self._assign((layer.name, 0), self.spelling.input(layer), layer)
        elif step.call is None:
            variable = self._variable(f"{layer.name}_layer")
            self._made[layer.name] = variable
            self.program.wishes.always[variable] = identifier(layer.name)
            self.program.wishes.lasting.add(variable)
            self._add(variable, self.spelling.layer(layer))
        else:
            call = layer.calls[step.call]
            args = [self._expression(each, layer) for each in call.args]
            kwargs = {
                name: self._expression(value, layer)
                for name, value in self.spelling.given(layer, call.kwargs or {}).items()
            }
            self._assign((layer.name, step.call), self._call(step, args, kwargs), layer)

    def _call(
        self, step: Step, args: Sequence[ast.expr], kwargs: Mapping[str, ast.expr]
    ) -> ast.expr:
        layer = step.layer
        if layer.is_operation:
            return self.spelling.operation(layer, args, kwargs)
        made = self._made.get(layer.name)
        function = ast.Name(made) if made else self.spelling.layer(layer)
        keywords = [ast.keyword(name, value) for name, value in kwargs.items()]
        return ast.Call(function, list(args), keywords)

    def _expression(self, value: Any, layer: Layer) -> ast.expr:
        if isinstance(value, TensorRef):
            return self._tensor(value)
        if isinstance(value, (list, tuple)) and any(tensors_in(value)):
            return ast.List([self._expression(each, layer) for each in value])
        if isinstance(value, Mapping) and any(tensors_in(value)):
            keys: list[ast.expr | None] = [ast.Constant(str(key)) for key in value]
            return ast.Dict(keys, [self._expression(each, layer) for each in value.values()])
        return self.spelling.value(value, layer)

    def _tensor(self, ref: TensorRef) -> ast.expr:
        expression: ast.expr = ast.Name(self._variables[ref.layer, ref.call])
        layer = self._by_name[ref.layer]
        highest = self._outputs_seen[ref.layer, ref.call]
        for index in output_path(layer, ref.call, ref.output, highest):
            expression = ast.Subscript(expression, ast.Constant(index))
        return expression

    def _structure(self, value: Any) -> ast.expr:
        if isinstance(value, TensorRef):
            return self._tensor(value)
        if isinstance(value, Mapping):
            keys: list[ast.expr | None] = [ast.Constant(str(key)) for key in value]
            return ast.Dict(keys, [self._structure(each) for each in value.values()])
        return ast.List([self._structure(each) for each in value])

    def _outputs(self) -> ast.expr:
        value = self._structure(self.network.outputs)
        if isinstance(value, ast.Name) and value.id not in self._input_variables():
            self.program.wishes.always[value.id] = "outputs"
        return value

    def _input_variables(self) -> set[str]:
        return {self._variables[layer.name, 0] for layer in self.network.layers if layer.is_input}

    def _assign(self, key: tuple[str, int], expression: ast.expr, layer: Layer) -> None:
        variable = self._variable(f"{layer.name}_{key[1]}" if key[1] else layer.name)
        self._variables[key] = variable
        wish = self._wishes_of_calls.get(key)
        if wish is not None:
            kind = self.program.wishes.always if layer.is_input else self.program.wishes.kept
            kind[variable] = wish
        self._add(variable, expression)

    def _add(self, variable: str, expression: ast.expr) -> None:
        self.program.statements.append(ast.Assign([ast.Name(variable)], expression))

    def _variable(self, name: str) -> str:
        """Return a variable of its own; what it is called in the end is chosen later."""
        return f"v{len(self.program.statements)}_{identifier(name)}"

    _wishes_of_calls: dict[tuple[str, int], str] = field(default_factory=dict)

    def _wish(self, ordered: Sequence[Step]) -> None:
        """Choose what values are called that are needed after the next step."""
        done = [step for step in ordered if step.call is not None]
        places = {(step.layer.name, step.call): place for place, step in enumerate(done)}
        last: dict[tuple[str, int], tuple[int, Layer]] = {}
        for place, step in enumerate(done):
            for ref in step.layer.calls[step.call or 0].tensors():
                last[ref.layer, ref.call] = place, step.layer
        inputs = [layer for layer in self.network.layers if layer.is_input]
        for layer in inputs:
            self._wishes_of_calls[layer.name, 0] = (
                "inputs" if len(inputs) == 1 else identifier(layer.name)
            )
        for key, (place, user) in last.items():
            if key in places and place > places[key] + 1:
                self._wishes_of_calls[key] = self._wish_of(key[0], user)

    def _wish_of(self, name: str, user: Layer) -> str:
        if len(self._by_name[name].calls) > 1:  # the layer itself is called so
            return FLOWING
        return _WISHES_BY_USER.get(user.class_name) or identifier(name)
