"""A network as a class: its layers made in ``__init__``, called in ``forward``."""

from __future__ import annotations

import ast
import builtins
import json
import keyword
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.keras.naming import identifier, with_readable_names
from modelkb_store.codegen.network.auto_names import auto_number, snake_case
from modelkb_store.codegen.network.masks import without_implicit_masks
from modelkb_store.codegen.network.network import Layer, Network, TensorRef
from modelkb_store.codegen.network.ordering import steps
from modelkb_store.codegen.torch.class_text import class_text
from modelkb_store.codegen.torch.code import call, literal
from modelkb_store.codegen.torch.draft import Draft, Shared
from modelkb_store.codegen.torch.registry import writer_of
from modelkb_store.codegen.torch.shapes import input_shape, tensor_shapes
from modelkb_store.codegen.torch.site import Site, values_in
from modelkb_store.codegen.torch.structures import at, flat, is_plain, paths, rebuilt
from modelkb_store.codegen.torch.taken_masks import TakenMasks
from modelkb_store.codegen.torch.value import Shape, Value
from modelkb_store.codegen.torch.wishes import wishes_of
from modelkb_store.errors import CodeGenerationError

_KERAS_MODELS = ("Functional", "Model", "Sequential")
IMPORTED = ("torch", "nn", "F", "math", "self", "layers", "h5py", "io", "zipfile", "Path")


@dataclass(slots=True)
class ModelWriter:
    """Writes a model and those inside it, each as a class of its own.

    Attributes:
        shared: What the classes have together.
    """

    shared: Shared
    _names: dict[str, str] = field(default_factory=dict)

    def class_of(self, network: Network, raw: Mapping[str, Any], shapes: list[Shape | None]) -> str:
        """Write the class of a network, once for all that are the same; return its name.

        Args:
            network: The network.
            raw: Its configuration as Keras wrote it.
            shapes: The shapes of its inputs, as far as they are known from outside.
        """
        if network.class_name not in _KERAS_MODELS:
            raise CodeGenerationError(
                f"model {network.name!r}",
                f"{network.class_name!r} is a class of your own",
                "write code for Keras, or make it of keras.Model(inputs, outputs)",
            )
        key = json.dumps([str(network), str(shapes)])
        if key not in self._names:
            name = self.shared.free_name(_class_name(network))
            self._names[key] = name
            if network.kind == "functional":
                network = without_implicit_masks(network)
            _ClassWriter(self, network, raw, name).write(shapes)
        return self._names[key]


@dataclass(slots=True)
class _ClassWriter:
    models: ModelWriter
    network: Network
    raw: Mapping[str, Any]
    name: str
    draft: Draft = field(init=False)
    places: Mapping[str, str] = field(init=False)
    _values: dict[tuple[str, int], list[Value]] = field(default_factory=dict)
    _raws: dict[str, Any] = field(default_factory=dict)
    _masks: TakenMasks = field(default_factory=TakenMasks)

    def write(self, shapes: list[Shape | None]) -> None:
        self.draft = Draft(self.models.shared)
        self.places = _places(self.network)
        entries = self.raw.get("layers") or [] if isinstance(self.raw, Mapping) else []
        self._raws = {str(_entry_name(each)): each["config"] for each in entries}
        functional = self.network.kind == "functional"
        result = self._write_functional(shapes) if functional else self._write_sequential(shapes)
        self._finish(result)

    def _write_functional(self, shapes: list[Shape | None]) -> ast.expr:
        known = tensor_shapes(self.raw)
        wishes = wishes_of(self.network)
        refs = list(flat(self.network.inputs))
        given = dict(zip((ref.layer for ref in refs), shapes, strict=False))
        self._begin([self.network.layer(ref.layer) for ref in refs], given)
        for step in steps(self.network):
            layer = step.layer
            if step.call is None or layer.is_input:
                continue
            asked = layer.calls[step.call]
            filled = self._filled((asked.args, asked.kwargs or {}))
            args, kwargs = self._masks.without_taken(layer, step.call, filled)
            made = self._write_layer(layer, self.draft, self.places[layer.name], args, kwargs)
            kept = []
            for number, value in enumerate(made):
                shape = known.get(TensorRef(layer.name, step.call, number))
                wish = wishes.get((layer.name, step.call), layer.name)
                kept.append(self._kept(value, shape, wish))
            self._values[layer.name, step.call] = kept
        return self._result(self.network.outputs)

    def _write_sequential(self, shapes: list[Shape | None]) -> ast.expr:
        layers = list(self.network.layers)
        begin = layers.pop(0) if layers and layers[0].is_input else None
        shape = shapes[0] if shapes and shapes[0] is not None else input_shape(self.network)
        dtype = begin.config.get("dtype") if begin is not None else None
        value = Value(self._argument("inputs"), shape, dtype=dtype if dtype else None)
        for layer in layers:
            place = self.places[layer.name]
            made = self._write_layer(layer, self.draft, place, (value,), {})
            if len(made) != 1:
                raise CodeGenerationError(
                    f"layer {layer.name!r}", "it gives several tensors", "save the model again"
                )
            value = self._kept(made[0], None, layer.name)
        return self._as_keras(value) if self.network.layers else value.node

    def _begin(self, inputs: list[Layer], given: Mapping[str, Shape | None]) -> None:
        """Write what comes in: one argument for each input, or one structure."""
        structure = self.network.inputs
        if is_plain(structure):
            nodes = [
                self._argument("inputs" if len(inputs) == 1 else layer.name) for layer in inputs
            ]
        else:
            whole = self._argument("inputs")
            nodes = [
                self.draft.assign(at(whole, path), layer.name, named=True)
                for path, layer in zip(paths(structure), inputs, strict=True)
            ]
        for node, layer in zip(nodes, inputs, strict=True):
            shape = given.get(layer.name) or input_shape(layer)
            dtype = layer.config.get("dtype")
            value = Value(node, shape, dtype=dtype if isinstance(dtype, str) else None)
            self._values[layer.name, 0] = [value]

    _arguments: list[str] = field(default_factory=list)

    def _argument(self, wish: str) -> ast.Name:
        # An assignment for now, so that the names of arguments are chosen like all others.
        node = self.draft.assign(ast.Constant(None), wish, named=True)
        self._arguments.append(node.id)
        return node

    def _filled(self, structure: Any) -> Any:
        """Put values in the place of tensors."""
        if isinstance(structure, TensorRef):
            made = self._values[structure.layer, structure.call]
            if structure.output >= len(made):
                raise CodeGenerationError(
                    f"layer {structure.layer!r}", "it has too few outputs", "save it again"
                )
            return made[structure.output]
        if isinstance(structure, Mapping):
            return {str(key): self._filled(each) for key, each in structure.items()}
        if isinstance(structure, (list, tuple)):
            return type(structure)(self._filled(each) for each in structure)
        return structure

    def _write_layer(
        self,
        layer: Layer,
        draft: Draft,
        place: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> list[Value]:
        site = Site(layer, draft, place, args, kwargs, self._write_layer)
        if layer.network is not None:
            return self._write_model(site, layer.network)
        made = writer_of(site)(site)
        return made if isinstance(made, list) else [made]

    def _write_model(self, site: Site, network: Network) -> list[Value]:
        """Write the call of a model inside the model."""
        if site.kwargs.get("training") is True:
            site.refuse("it is called with training=True, which in PyTorch holds for whole modules")
        values = [site.last(each) for each in values_in((site.args, site.kwargs))]
        if any(each.mask is not None for each in values):
            site.refuse("masks do not go into models inside a model")
        raw = self._raws.get(site.layer.name, site.layer.config)
        class_name = self.models.class_of(network, raw, [each.shape for each in values])
        module = site.module(call(class_name), "load_model")
        nodes: list[ast.expr] = [each.node for each in values]
        structure = network.inputs
        if network.kind == "functional" and not is_plain(structure):
            nodes = [rebuilt(structure, iter(nodes))]
        made = call(module, *nodes)
        if network.kind == "sequential" or isinstance(network.outputs, TensorRef):
            return [Value(made)]
        kept = site.assign(made)
        return [Value(at(kept, path)) for path in paths(network.outputs)]

    def _kept(self, value: Value, shape: Shape | None, wish: str) -> Value:
        """Keep a value in a variable of its own."""
        node = value.node
        if not isinstance(node, ast.Name):
            node = self.draft.assign(node, wish)
        if value.first and shape is not None and len(shape) != len(value.shape or ()):
            shape = None
        mask = value.mask
        if mask is not None and not isinstance(mask, ast.Name):
            mask = self.draft.assign(mask, "mask", named=True)
        return Value(node, shape or value.shape, value.first, mask, value.dtype)

    def _as_keras(self, value: Value) -> ast.expr:
        layer = self.network.layers[0]
        return Site(layer, self.draft, "", (), {}, self._write_layer).last(value).node

    def _result(self, outputs: Any) -> ast.expr:
        if isinstance(outputs, TensorRef):
            return self._as_keras(self._filled(outputs))
        if isinstance(outputs, Mapping):
            keys: list[ast.expr | None] = [literal(str(key)) for key in outputs]
            return ast.Dict(keys, [self._result(each) for each in outputs.values()])
        return ast.List([self._result(each) for each in outputs])

    def _finish(self, result: ast.expr) -> None:
        taken = {*self.models.shared.taken, *self.models.shared.pieces, *IMPORTED}
        arguments = [ast.Name(each) for each in self._arguments]
        self.draft.wishes.lasting |= set(self._arguments)
        last = ast.Return(ast.Tuple([result, *arguments]))
        with_readable_names([*self.draft.forward, last], self.draft.wishes, taken)
        body = [*self.draft.forward[len(arguments) :], ast.Return(result)]
        text = class_text(self.name, self.draft, [each.id for each in arguments], body)
        self.models.shared.classes.append(text)


def _places(network: Network) -> dict[str, str]:
    """Return where Keras' file has each layer: by its class, and a number from the second on."""
    numbers: Counter[str] = Counter()
    places = {}
    for layer in network.layers:
        if layer.is_operation:
            places[layer.name] = f"operation {layer.name}"
            continue
        class_name = layer.class_name
        if layer.network is not None:
            class_name = "Sequential" if layer.network.kind == "sequential" else "Functional"
        base = snake_case(class_name)
        places[layer.name] = f"{base}_{numbers[base]}" if numbers[base] else base
        numbers[base] += 1
    return places


def _class_name(network: Network) -> str:
    """Return a name for the class; `Model` for what Keras named by itself."""
    if auto_number(network.name, network.class_name) or network.name.startswith("functional"):
        return "Model"
    words = identifier(network.name).strip("_").split("_")
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return f"{name}Model" if keyword.iskeyword(name) or hasattr(builtins, name) else name


def _entry_name(entry: Mapping[str, Any]) -> Any:
    return entry.get("name") or entry["config"].get("name")
