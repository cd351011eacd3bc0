"""What a source says, as records."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ScannedDataset:
    """A call that loads data.

    Attributes:
        loader: Canonical name of what is called, such as ``keras.datasets.mnist.load_data``.
        name: The dataset's name.
        source: Its path or address.
        line: Where it is loaded.
    """

    loader: str
    name: str | None
    source: str | None
    line: int


@dataclass(frozen=True, slots=True)
class ScannedModel:
    """A model that is put together, or a class of models.

    Attributes:
        kind: ``sequential``, ``functional``, ``subclass``, ``application`` or ``other``.
        name: Its name, its class, or the variable that it is bound to.
        layers: Classes of its layers, in the order of the source.
        line: Where it is made.
    """

    kind: str
    name: str | None
    layers: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class ScannedCompile:
    """A call of ``compile``; what is not written, or not known without a run, is None."""

    optimizer: str | None
    learning_rate: float | None
    loss: str | list[str] | None
    metrics: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class ScannedFit:
    """A call of ``fit``; what is not written, or not known without a run, is None."""

    epochs: int | None
    batch_size: int | None
    validation_split: float | None
    callbacks: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An expression whose value only a run can tell."""

    expression: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ScanWarning:
    """Something in the source that is probably a mistake."""

    code: str
    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What a source says, found without running it.

    Attributes:
        datasets: Where data is loaded.
        models: The models, in the order of the source.
        compile: The calls of ``compile``, in that order.
        fit: The calls of ``fit``, in that order.
        hyperparameters: Constants that a training depends on, by name; one of several values
            is ``{"any_of": [...]}``.
        imports: Modules imported.
        unresolved: What only a run can tell.
        warnings: Probable mistakes.
    """

    datasets: tuple[ScannedDataset, ...] = ()
    models: tuple[ScannedModel, ...] = ()
    compile: tuple[ScannedCompile, ...] = ()
    fit: tuple[ScannedFit, ...] = ()
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    warnings: tuple[ScanWarning, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: dictionaries and lists of them."""
        return {name: _listed(value) for name, value in asdict(self).items()}


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_listed(key): _listed(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_listed(each) for each in value]
    if isinstance(value, str):  # a lone surrogate has no UTF-8
        return value.encode(errors="replace").decode()
    return value
