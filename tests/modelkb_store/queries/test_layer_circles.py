from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from modelkb_store.queries.layer_circles import circle_of
from modelkb_store.queries.layer_graph import LayerGraph


def _graph(count: int, edges: list[tuple[int, int]]) -> LayerGraph:
    pairs = np.array(sorted(set(edges)), np.int64).reshape(-1, 2)
    return LayerGraph(count, pairs[:, 0], pairs[:, 1])


def _reach(count: int, edges: list[tuple[int, int]]) -> np.ndarray:
    reach = np.eye(count, dtype=bool)
    for source, target in edges:
        reach[source, target] = True
    for middle, source, target in itertools.product(range(count), repeat=3):
        reach[source, target] |= reach[source, middle] & reach[middle, target]
    return reach


@pytest.mark.parametrize("seed", range(40))
def test_circles_are_what_leads_back(seed: int) -> None:
    rng = random.Random(seed)
    count = rng.randint(1, 9)
    edges = [(rng.randrange(count), rng.randrange(count)) for _ in range(rng.randint(0, 14))]
    graph, reach = _graph(count, edges), _reach(count, edges)

    found = circle_of(np.arange(count), graph._starts, graph.targets)

    both = reach & reach.T
    assert found.tolist() == [int(np.flatnonzero(both[node])[0]) for node in range(count)]


@pytest.mark.parametrize(
    ("count", "edges", "ranks"),
    [
        (3, [(0, 1), (1, 2)], [1, 2, 3]),
        (3, [(0, 1), (0, 2), (1, 2)], [1, 2, 3]),
        (2, [(0, 0), (0, 1)], [1, 2]),  # a layer that is called on what it gave
        (3, [(0, 1), (1, 0), (0, 2)], [2, 2, 3]),  # dense, relu, the same dense, softmax
        (5, [(0, 1), (1, 2), (2, 1), (2, 3), (3, 4)], [1, 3, 3, 4, 5]),
        (1, [], [1]),
        (0, [], []),
    ],
)
def test_a_circle_counts_its_layers_once(
    count: int, edges: list[tuple[int, int]], ranks: list[int]
) -> None:
    assert _graph(count, edges).ranks().tolist() == ranks


def test_what_is_not_linked_does_not_matter() -> None:
    alone = _graph(3, [(0, 1), (1, 0), (0, 2)])
    beside = _graph(103, [(0, 1), (1, 0), (0, 2), *((n, n + 1) for n in range(3, 102))])

    assert beside.ranks()[:3].tolist() == alone.ranks().tolist()
