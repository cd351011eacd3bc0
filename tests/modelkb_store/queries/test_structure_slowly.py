"""Chains, counts and depths of layers are those that one finds by trying all of them."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest

from held_tables import HeldTables, TableBuilder
from modelkb_store.queries.selection import select_experiments

_CLASSES = ["Conv2D", "Dense", "Dropout"]
_Row = tuple[str, str, list[str], dict[str, Any] | None]


@dataclass
class _Layer:
    path: str
    class_name: str
    units: int
    before: list[_Layer]
    parent: _Layer | None
    children: list[_Layer]


class _Architecture:
    """A random model, in which models may be nested, and what is true of it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.layers: list[_Layer] = []
        self._fill("", None, rng.randint(1, 5), levels=2)
        self._after: dict[str, list[_Layer]] = defaultdict(list)
        for layer in self.layers:
            for source in layer.before:
                self._after[source.path].append(layer)
        self.real = [layer for layer in self.layers if not self._is_passed(layer)]

    def _fill(self, prefix: str, parent: _Layer | None, count: int, levels: int) -> None:
        rng = self._rng
        inputs = [
            self._add(f"{prefix}in{i}", "InputLayer", [], parent)
            for i in range(rng.choice([1, 1, 2]))
        ]
        ready = list(inputs)
        for number in range(max(count, len(inputs))):
            path = f"{prefix}l{number}"
            # Each input is used, and else mostly what came last.
            first = inputs[number] if number < len(inputs) else rng.choice(ready[-2:])
            before = list({s.path: s for s in (first, rng.choice(ready))}.values())
            nested = levels > 0 and rng.random() < 0.3
            layer = self._add(
                path, "Functional" if nested else rng.choice(_CLASSES), before, parent
            )
            if nested:
                self._fill(f"{path}/", layer, rng.randint(1, 3), levels - 1)
            ready.append(layer)

    def _add(
        self, path: str, class_name: str, before: list[_Layer], parent: _Layer | None
    ) -> _Layer:
        layer = _Layer(path, class_name, self._rng.randrange(4), before, parent, [])
        self.layers.append(layer)
        if parent is not None:
            parent.children.append(layer)
        return layer

    @staticmethod
    def _is_passed(layer: _Layer) -> bool:
        return layer.class_name in ("InputLayer", "Functional")

    def rows(self) -> list[_Row]:
        return [
            (
                layer.path,
                layer.class_name,
                [source.path.rpartition("/")[2] for source in layer.before],
                None if layer.class_name == "Functional" else {"units": layer.units},
            )
            for layer in self.layers
        ]

    def _entered(self, layer: _Layer) -> list[_Layer]:
        if layer.class_name == "InputLayer":
            return [e for after in self._after[layer.path] for e in self._entered(after)]
        if layer.children:
            inputs = [c for c in layer.children if c.class_name == "InputLayer"]
            return [entered for one in inputs for entered in self._entered(one)]
        return [layer]

    def next_of(self, layer: _Layer) -> list[_Layer]:
        after = [e for sibling in self._after[layer.path] for e in self._entered(sibling)]
        if not self._after[layer.path] and layer.parent is not None:
            after += self.next_of(layer.parent)
        return after

    def all_after(self, layer: _Layer) -> set[str]:
        found: set[str] = set()
        waiting = [layer]
        while waiting:
            for after in self.next_of(waiting.pop()):
                if after.path not in found:
                    found.add(after.path)
                    waiting.append(after)
        return found

    def depth(self) -> int:
        def below(layer: _Layer) -> int:
            return 1 + max(map(below, self.next_of(layer)), default=0)

        return max(map(below, self.real))

    def has(self, parts: list[_Part], arrows: list[str]) -> bool:
        directly = {x.path: {y.path for y in self.next_of(x)} for x in self.real}
        later = {x.path: self.all_after(x) for x in self.real}
        return any(
            all(part.fits(layer) for part, layer in zip(parts, layers, strict=True))
            and all(
                two.path in (directly if arrow == "->" else later)[one.path]
                for arrow, one, two in zip(arrows, layers, layers[1:], strict=False)
            )
            for layers in itertools.product(self.real, repeat=len(parts))
        )


@dataclass
class _Part:
    classes: list[str]
    at_least: int | None

    def fits(self, layer: _Layer) -> bool:
        return layer.class_name in self.classes and layer.units >= (self.at_least or 0)

    def __str__(self) -> str:
        condition = "" if self.at_least is None else f"(units >= {self.at_least})"
        names = " | ".join(self.classes)
        return f"({names}){condition}" if len(self.classes) > 1 else f"{names}{condition}"


def _part(rng: random.Random) -> _Part:
    return _Part(rng.sample(_CLASSES, rng.choice([1, 1, 2])), rng.choice([None, None, 1, 2]))


_RNG = random.Random(7)
ARCHITECTURES = {f"a{number:02d}": _Architecture(_RNG) for number in range(60)}
PATTERNS = [
    (
        [_part(_RNG) for _ in range(length)],
        [_RNG.choice(["->", "->>"]) for _ in range(length - 1)],
    )
    for length in [1, 2, 2, 3] * 15
]


@pytest.fixture(scope="module")
def tables() -> HeldTables:
    builder = TableBuilder()
    for architecture_id, architecture in ARCHITECTURES.items():
        builder.architecture(architecture_id, architecture.rows())
        builder.experiment(
            f"run-{architecture_id}", architecture_id=architecture_id, model_id=architecture_id
        )
        builder.add("models", model_id=architecture_id, architecture_id=architecture_id)
    builder.experiment("run-without-model")
    return builder.tables()


def _chosen(tables: HeldTables, where: str) -> list[str]:
    chosen = select_experiments(tables, where=where)["experiment_id"].to_pylist()
    return [experiment_id.removeprefix("run-") for experiment_id in chosen]


@pytest.mark.parametrize("number", range(len(PATTERNS)))
def test_chains(tables: HeldTables, number: int) -> None:
    parts, arrows = PATTERNS[number]
    text = str(parts[0]) + "".join(
        f" {arrow} {part}" for arrow, part in zip(arrows, parts[1:], strict=True)
    )

    found = _chosen(tables, f"has({text})")

    assert found == [key for key, model in ARCHITECTURES.items() if model.has(parts, arrows)]


@pytest.mark.parametrize("seed", range(12))
def test_counts(tables: HeldTables, seed: int) -> None:
    rng = random.Random(seed)
    part, least = _part(rng), rng.randrange(4)

    found = _chosen(tables, f"count({part}) > {least}")

    assert found == [
        key
        for key, model in ARCHITECTURES.items()
        if sum(part.fits(layer) for layer in model.real) > least
    ]


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 8])
def test_depths(tables: HeldTables, depth: int) -> None:
    for operator, holds in (("=", int.__eq__), (">", int.__gt__), ("<=", int.__le__)):
        found = _chosen(tables, f"model.depth {operator} {depth}")
        assert found == [key for key, model in ARCHITECTURES.items() if holds(model.depth(), depth)]
