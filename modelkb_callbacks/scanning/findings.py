"""What was met while a program was followed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias

from modelkb_callbacks.scanning.origins import LayerSite, Origin
from modelkb_callbacks.scanning.values import (
    Argument,
    Arguments,
    Class,
    Function,
    Instance,
    Mapping,
    Network,
    Value,
)

# Of an optimizer its learning rate, of a model (or its id) its optimizer; replaced, never changed.
Rates: TypeAlias = dict[tuple[object, str], Argument]


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """A call that was met.

    Attributes:
        node: The call.
        receiver: What its method belongs to.
        arguments: Its arguments.
        is_shadow: Whether it was met only in a branch that is not taken.
        rates: The learning rates that optimizers had then.
    """

    node: ast.Call
    receiver: Value
    arguments: Arguments
    is_shadow: bool
    rates: Rates = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class LoadEvent:
    """A call that loads data.

    Attributes:
        node: The call.
        loader: Canonical name of what is called.
        name: The dataset's name.
        source: Path or address.
        path_node: The expression of the source, if it was not known.
        reason: Why it was not.
        needs_use: Whether it counts only if the data goes into a training.
    """

    node: ast.Call
    loader: str
    name: str | None
    source: str | None
    path_node: ast.expr | None = None
    reason: str = ""
    needs_use: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """A name or an attribute that was bound.

    Attributes:
        kind: ``variable``, ``attribute``, ``argument`` (of a function) or ``option`` (of the
            command line).
        name: The name.
        place: The definition of the function or class; None for the module.
        value: What it was bound to.
        line: Where.
    """

    kind: str
    name: str
    place: object | None
    value: Value
    line: int


@dataclass(slots=True, eq=False)
class Findings:
    """What was met while a program was followed.

    Attributes:
        compiles: Calls of ``compile`` on a model.
        fits: Calls of ``fit`` on a model.
        evaluations: Calls of ``evaluate`` on a model.
        loads: Calls that load data.
        own_data: Calls of the source's own generators and PyDatasets.
        trained_on: What a script's own loops train on was made from.
        no_data: Parts of files that turned out to be weights or a configuration of a model.
        shuffles: Calls that shuffle or split, by what they are: the call and its line.
        seeds: Lines of calls that set a seed.
        own_loops: Calls that train in a loop of the script's own.
        networks: Models put together, by call.
        model_classes: Classes of models.
        class_sites: Layers made by the code of a class.
        layers: What was made at a site.
        unknown_layers: Calls that may make or be a layer, which one only a run can tell, and why.
        consumed: Layers that belong to a model inside of a class.
        sinks: Calls whose arguments matter for a training.
        bindings: Names bound.
        call_sites: Calls of a function that were followed.
        imports: Modules imported.
        set_outside: Attributes of modules and their like that are set here, by whole name.
        made_in: Classes whose code makes an object that may turn out to be a layer.
        flags: The flags of absl.
        functions: Functions defined.
        instances: The first object of each class.
    """

    compiles: list[Event] = field(default_factory=list)
    fits: list[Event] = field(default_factory=list)
    evaluations: list[Event] = field(default_factory=list)
    loads: list[LoadEvent] = field(default_factory=list)
    own_data: dict[ast.AST, list[LoadEvent]] = field(default_factory=dict)
    trained_on: set[Origin] = field(default_factory=set)
    no_data: set[Origin] = field(default_factory=set)
    shuffles: list[tuple[str, Event]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    own_loops: list[ast.Call] = field(default_factory=list)
    networks: dict[ast.AST, list[Network]] = field(default_factory=dict)
    model_classes: list[Class] = field(default_factory=list)
    class_sites: dict[ast.AST, dict[LayerSite, None]] = field(default_factory=dict)
    layers: dict[LayerSite, list[Value]] = field(default_factory=dict)
    unknown_layers: dict[ast.AST, str] = field(default_factory=dict)
    consumed: set[LayerSite] = field(default_factory=set)
    sinks: set[ast.AST] = field(default_factory=set)
    bindings: list[Binding] = field(default_factory=list)
    call_sites: dict[ast.AST, set[ast.AST]] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    set_outside: dict[str, Value] = field(default_factory=dict)
    made_in: dict[LayerSite, ast.AST] = field(default_factory=dict)
    flags: Mapping = field(default_factory=lambda: Mapping({}))
    functions: list[Function] = field(default_factory=list)
    instances: dict[ast.AST, Instance] = field(default_factory=dict)
