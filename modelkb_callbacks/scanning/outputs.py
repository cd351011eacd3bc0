"""What a model gives out and how it is judged, as far as the source tells."""

from __future__ import annotations

from dataclasses import dataclass

from modelkb_callbacks.scanning.canonical_names import last_part
from modelkb_callbacks.scanning.findings import Findings
from modelkb_callbacks.scanning.layer_calls import element_sites, output_of
from modelkb_callbacks.scanning.origins import LayerSite
from modelkb_callbacks.scanning.values import Arguments, Constant, External, Made, Network, Value

_SHORT = {
    "bce": "binary_crossentropy",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}
_WITH_UNITS = ("Dense", "Conv1D", "Conv2D", "Conv3D", "Convolution2D")


@dataclass(frozen=True, slots=True)
class Output:
    """The end of a model.

    Attributes:
        activation: Its activation; ``linear`` where none is given.
        units: How many numbers it gives for a sample; None if unknown.
    """

    activation: str
    units: int | None


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss of Keras.

    Attributes:
        name: Its name, in the form of a function.
        from_logits: Whether it takes logits; None if unknown.
    """

    name: str
    from_logits: bool | None


def snake(name: str) -> str:
    """Return the name of a loss or metric as Keras' functions are spelled.

    Example:
        >>> snake("SparseCategoricalCrossentropy")
        'sparse_categorical_crossentropy'
    """
    spelled = "".join(f"_{each.lower()}" if each.isupper() else each for each in name)
    spelled = spelled.lstrip("_")
    return _SHORT.get(spelled, spelled)


def loss_of(value: Value) -> Loss | None:
    """Return a loss of Keras, None if it is none or not known."""
    if isinstance(value, Constant) and isinstance(value.value, str):
        return Loss(snake(value.value), False)
    if isinstance(value, External) and value.name.startswith("keras."):
        return Loss(snake(last_part(value.name)), False)
    if isinstance(value, Made) and value.name.startswith("keras.losses."):
        return Loss(snake(last_part(value.name)), _from_logits(value.arguments))
    return None


def _from_logits(arguments: Arguments) -> bool | None:
    if arguments.rest is not None:
        return None
    value = arguments.value("from_logits", position=0)
    if value is None:
        return False
    known = isinstance(value, Constant) and isinstance(value.value, bool)
    return bool(value.value) if known and isinstance(value, Constant) else None


def output_of_network(network: Network, findings: Findings) -> Output | None:
    """Return how a model ends, None if that is not certain."""
    site = output_of(network)
    made = _made_at(site, findings)
    if made is None:
        return None
    kind = last_part(made.name)
    if kind == "Softmax":
        return Output("softmax", _units_before(network, findings))
    if kind == "Activation":
        activation = _activation(made.arguments, 0)
        # A linear one, often there to cast, passes on what comes before it.
        if activation is None or activation == "linear":
            return None
        return Output(activation, _units_before(network, findings))
    if kind not in _WITH_UNITS:
        return None
    activation = _activation(made.arguments, 1 if kind == "Dense" else None)
    return Output(activation, _units(made)) if activation else None


def _made_at(site: LayerSite | None, findings: Findings) -> Made | None:
    """Return the layer made at a place if all rounds make it alike."""
    rounds = findings.layers.get(site, []) if site is not None else []
    if not rounds or not isinstance(rounds[0], Made):
        return None
    first = rounds[0]
    alike = all(
        isinstance(each, Made)
        and _activation(each.arguments, 1) == _activation(first.arguments, 1)
        and _units(each) == _units(first)
        for each in rounds
    )
    return first if alike else None


def _activation(arguments: Arguments, position: int | None) -> str | None:
    if arguments.rest is not None:
        return None
    value = arguments.value("activation", position=position)
    if value is None:
        return "linear"
    if isinstance(value, Constant):
        return "linear" if value.value is None else str(value.value)
    return last_part(value.name) if isinstance(value, External) else None


def _units(made: Made) -> int | None:
    if last_part(made.name) != "Dense":
        return None
    value = made.arguments.value("units", "output_dim", position=0)
    known = isinstance(value, Constant) and isinstance(value.value, int)
    return int(str(value.value)) if known and isinstance(value, Constant) else None


def _units_before(network: Network, findings: Findings) -> int | None:
    if network.kind != "sequential" or len(network.elements) < 2:
        return None
    sites = element_sites(network.elements[-2].value)
    made = _made_at(sites[0], findings) if len(sites) == 1 else None
    return _units(made) if made is not None else None
