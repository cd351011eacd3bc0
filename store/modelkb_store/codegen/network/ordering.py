"""The order in which code makes the layers of a network and calls them.

A configuration lists layers by their depth. Code reads better branch by branch, and must make
layers in the order of the numbers in their made-up names, which is the order in which the model
was first made: so they get the same names again, and the same draws of random numbers.
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelkb_store.codegen.network.auto_names import numbers_of
from modelkb_store.codegen.network.network import Layer, Network
from modelkb_store.codegen.network.parsing import parse_model
from modelkb_store.errors import CodeGenerationError


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: to make a layer, to call it, or both at once.

    Attributes:
        layer: The layer.
        call: Which of its calls; None if it is only made.
        makes: Whether the layer is made here.
    """

    layer: Layer
    call: int | None
    makes: bool


def steps(network: Network) -> list[Step]:
    """Return what code does for a functional network, in its order.

    Raises:
        CodeGenerationError: A layer is called on what is not there.
    """
    return _Ordering(network).run()


def constructed(model: Network | Layer, prefix: str = "") -> Iterator[tuple[str, Layer | Network]]:
    """Walk layers and networks with their paths, in the order in which code constructs them.

    A network comes after its layers; the path of the outermost is empty.
    """
    if isinstance(model, Layer):
        yield prefix.removesuffix("/"), model
        return
    layers = model.layers
    if model.kind == "functional":
        layers = tuple(step.layer for step in steps(model) if step.makes)
    for layer in layers:
        path = f"{prefix}{layer.name}"
        if layer.network is not None:
            yield from constructed(layer.network, f"{path}/")
        else:
            yield path, layer
    yield prefix.removesuffix("/"), model


def construction_order(model_config: Mapping[str, Any]) -> list[str] | None:
    """Return the paths of a model's layers in the order in which generated code makes them.

    Args:
        model_config: The model as Keras serializes it.

    Returns:
        Paths as in the table ``layers``, without the networks themselves; None for a model
        that is a class of the user's own, or whose configuration cannot be followed.
    """
    try:
        model = parse_model(model_config)
        if isinstance(model, Layer):
            return None
        return [path for path, each in constructed(model) if isinstance(each, Layer)]
    except CodeGenerationError:
        return None


_Node = tuple[int, int]  # a layer's place in the configuration, and its call


@dataclass(slots=True)
class _Ordering:
    """One ordering: always the step that goes on from the last one, else the first that can be."""

    network: Network
    _places: dict[str, int] = field(default_factory=dict)
    _waits: dict[_Node, int] = field(default_factory=dict)
    _users: dict[_Node, list[_Node]] = field(default_factory=lambda: defaultdict(list))
    _name_waits: dict[int, int] = field(default_factory=dict)
    _name_followers: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _made: set[int] = field(default_factory=set)
    _ready: list[_Node] = field(default_factory=list)
    _blocked: dict[int, list[_Node]] = field(default_factory=lambda: defaultdict(list))
    _fresh: list[_Node] = field(default_factory=list)
    _steps: list[Step] = field(default_factory=list)

    def run(self) -> list[Step]:
        layers = self.network.layers
        self._places = {layer.name: place for place, layer in enumerate(layers)}
        self._find_dependencies()
        self._find_order_of_names()
        for node in [node for node, count in self._waits.items() if not count]:
            self._offer(node)
        to_make = [place for place, layer in enumerate(layers) if layer.is_input]
        while True:
            to_make = [place for place in to_make if not self._make_input(place)]
            following = self._next()
            if following is not None:
                self._do(following)
            elif not self._make_alone():
                break
        if len(self._made) < len(layers) or any(self._waits.values()):
            self._complain()
        return self._steps

    def _find_dependencies(self) -> None:
        for place, layer in enumerate(self.network.layers):
            for number, call in enumerate(layer.calls):
                node = (place, number)
                sources = {self._source(layer, ref.layer, ref.call) for ref in call.tensors()}
                if number:
                    sources.add((place, number - 1))
                self._waits[node] = len(sources)
                for source in sources:
                    self._users[source].append(node)

    def _source(self, layer: Layer, name: str, call: int) -> _Node:
        place = self._places.get(name)
        if place is None or call > max(0, len(self.network.layers[place].calls) - 1) or call < 0:
            raise CodeGenerationError(
                f"layer {layer.name!r}",
                f"it is called on call {call} of layer {name!r}, which the model does not have",
                "save the model again with Keras",
            )
        return place, call

    def _find_order_of_names(self) -> None:
        """Let each layer wait for the one with the number before it, if they do not overlap."""
        ranges: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for place, layer in enumerate(self.network.layers):
            numbers: dict[str, list[int]] = defaultdict(list)
            for base, number in numbers_of(layer):
                numbers[base].append(number)
            for base, found in numbers.items():
                ranges[base].append((min(found), max(found), place))
        waits: dict[int, set[int]] = defaultdict(set)
        for found_ranges in ranges.values():
            ordered = sorted(found_ranges)
            for (_, last, before), (first, _, after) in itertools.pairwise(ordered):
                if last < first:
                    waits[after].add(before)
        for after, befores in waits.items():
            self._name_waits[after] = len(befores)
            for before in befores:
                self._name_followers[before].append(after)

    def _offer(self, node: _Node, *, goes_on: bool = False) -> None:
        """Take a call whose inputs are there; it may wait for its layer to be made."""
        place = node[0]
        if place in self._made or not self._name_waits.get(place):
            heapq.heappush(self._ready, node)
            if goes_on:
                self._fresh.append(node)
        else:
            self._blocked[place].append(node)

    def _next(self) -> _Node | None:
        # The first that uses what the last step gave, so that a branch is followed to its end.
        fresh, self._fresh = sorted(self._fresh), []
        if fresh:
            node = fresh[0]
            self._ready.remove(node)
            heapq.heapify(self._ready)
            return node
        return heapq.heappop(self._ready) if self._ready else None

    def _do(self, node: _Node) -> None:
        place, call = node
        layer = self.network.layers[place]
        makes = place not in self._made
        at_once = makes and len(layer.calls) == 1
        if makes and not at_once:
            self._steps.append(Step(layer, None, makes=True))
        self._steps.append(Step(layer, call, makes=at_once))
        if makes:
            self._note_made(place)
        self._note_done(node)

    def _make_input(self, place: int) -> bool:
        if self._name_waits.get(place):
            return False
        self._steps.append(Step(self.network.layers[place], None, makes=True))
        self._note_made(place)
        self._note_done((place, 0))
        return True

    def _make_alone(self) -> bool:
        """Make a layer before it can be called, as others wait for its name."""
        for place, layer in enumerate(self.network.layers):
            if place in self._made or self._name_waits.get(place) or layer.is_input:
                continue
            if layer.is_operation:  # made by its call; so the order of names cannot be kept
                continue
            self._steps.append(Step(layer, None, makes=True))
            self._note_made(place)
            return True
        return self._forget_names()

    def _forget_names(self) -> bool:
        """Let nothing wait for names any more: they do not go with the calls."""
        waiting = [place for place, count in self._name_waits.items() if count]
        for place in waiting:
            self._name_waits[place] = 0
            self._unblock(place)
        return bool(waiting)

    def _note_made(self, place: int) -> None:
        self._made.add(place)
        for after in self._name_followers[place]:
            if self._name_waits[after]:
                self._name_waits[after] -= 1
                if not self._name_waits[after]:
                    self._unblock(after)
        self._unblock(place)

    def _unblock(self, place: int) -> None:
        for node in self._blocked.pop(place, ()):
            self._offer(node)

    def _note_done(self, node: _Node) -> None:
        for user in self._users[node]:
            self._waits[user] -= 1
            if not self._waits[user]:
                self._offer(user, goes_on=True)

    def _complain(self) -> None:
        left = [
            layer.name
            for place, layer in enumerate(self.network.layers)
            if any(self._waits.get((place, number)) for number in range(len(layer.calls)))
        ]
        raise CodeGenerationError(
            f"layer {left[0]!r}" if left else "the model",
            "its inputs depend on its own outputs",
            "save the model again with Keras",
        )
