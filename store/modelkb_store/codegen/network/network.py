"""What a model's configuration says, as a graph of layers and their calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# All other layers say in their configuration whether they are trained.
_LAYERS_THAT_ARE_NOT_TRAINED = frozenset(
    (
        *("Discretization", "HashedCrossing", "InputLayer", "Pipeline"),
        *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
    )
)


@dataclass(frozen=True, slots=True)
class TensorRef:
    """A tensor of a network: what one call of a layer gave.

    Attributes:
        layer: The layer's name.
        call: Which of its calls in this network, from 0.
        output: Which of the tensors that the call gave, from 0.
    """

    layer: str
    call: int
    output: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer: JSON values, lists and dictionaries with :class:`TensorRef` in them."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None

    def tensors(self) -> Iterator[TensorRef]:
        """Walk the tensors that the layer is called on."""
        yield from tensors_in(self.args)
        yield from tensors_in(self.kwargs)


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer, or an operation such as ``keras.ops.mean``, with its calls.

    Attributes:
        name: Its name.
        class_name: The name of its class.
        module: Where Keras finds the class; None in Keras' older files.
        registered_name: The name that a user's class is registered by.
        config: What its ``get_config()`` gave.
        build_config: Shapes that it was built with; None if it was not.
        calls: Its calls in the network, in their order; none in a sequential one.
        network: What it is made of, where it is a sequential or functional model.
    """

    name: str
    class_name: str
    module: str | None
    registered_name: str | None
    config: Mapping[str, Any]
    build_config: Mapping[str, Any] | None = None
    calls: tuple[Call, ...] = ()
    network: Network | None = None

    @property
    def is_input(self) -> bool:
        """Whether it stands for an input of the network."""
        return self.class_name == "InputLayer"

    @property
    def is_operation(self) -> bool:
        """Whether it is an operation, not a layer: it then has no dtype and no state."""
        if self.module is not None:
            return self.module.startswith("keras.src.ops")
        is_layer = "trainable" in self.config or self.class_name in _LAYERS_THAT_ARE_NOT_TRAINED
        return self.network is None and not is_layer

    @property
    def entry(self) -> dict[str, Any]:
        """The layer as Keras serializes objects."""
        return {
            "module": self.module,
            "class_name": self.class_name,
            "config": self.config,
            "registered_name": self.registered_name,
        }


@dataclass(frozen=True, slots=True)
class Network:
    """A sequential or functional model.

    Attributes:
        name: Its name.
        class_name: ``Sequential``, ``Functional`` or a class of the user's.
        kind: How it is put together.
        layers: Its layers, inputs included, in the order of the configuration.
        inputs: Its inputs, in the structure that it was made with; None if sequential.
        outputs: The same of its outputs.
        config: All else of its configuration: ``trainable``, ``dtype``, ..
        module: Where Keras finds the class.
        registered_name: The name that a user's class is registered by.
        source: The whole configuration that it was read from.
    """

    name: str
    class_name: str
    kind: Literal["sequential", "functional"]
    layers: tuple[Layer, ...]
    inputs: Any
    outputs: Any
    config: Mapping[str, Any]
    module: str | None = None
    registered_name: str | None = None
    source: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def layer(self, name: str) -> Layer:
        """Return the layer of a name.

        Raises:
            KeyError: There is none.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)


def tensors_in(value: Any) -> Iterator[TensorRef]:
    """Walk the tensors in a structure of lists and dictionaries."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, TensorRef):
            yield each
        elif isinstance(each, Mapping):
            pending += reversed(list(each.values()))
        elif isinstance(each, (list, tuple)):
            pending += reversed(each)
