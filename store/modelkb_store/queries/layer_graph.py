"""Which layer follows which, over all architectures at once: arrays of edges."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelkb_store.queries.layer_circles import circle_of
from modelkb_store.text_column import Codes

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LayerGraph:
    """Edges between layers, which are numbers from 0.

    Attributes:
        count: How many layers there are.
        sources: Where the edges begin, sorted.
        targets: Where they end.
        models: Which layers are nested models, in whose place their own layers count.
    """

    count: int
    sources: Codes
    targets: Codes
    models: Mask | None = None

    def next_of(self, layers: Mask) -> Mask:
        """Return the layers that directly follow some layers."""
        found = np.zeros(self.count, bool)
        found[self.targets[layers[self.sources]]] = True
        return found

    def all_after(self, layers: Mask) -> Mask:
        """Return the layers that follow some layers directly or later."""
        found = np.zeros(self.count, bool)
        new = np.flatnonzero(layers)
        while new.size:
            new = np.unique(self.targets[self._edges_from(new)])
            new = new[~found[new]]
            found[new] = True
        return found

    def ranks(self) -> Codes:
        """Return how many layers are on the longest way that ends with each.

        A layer that is used several times may be on a circle. A way can go through all layers
        of a circle, and each counts once.
        """
        counted = np.ones(self.count, bool) if self.models is None else ~self.models
        sizes = counted.astype(np.int64)
        ranks, done = self._longest_ways(sizes)
        if done.all():
            return ranks
        circles = circle_of(np.flatnonzero(~done), self._starts, self.targets)
        sizes = np.bincount(circles[counted], minlength=self.count)
        sources, targets = circles[self.sources], circles[self.targets]
        between = sources != targets
        keys = np.unique(sources[between] * self.count + targets[between])
        contracted = LayerGraph(self.count, keys // self.count, keys % self.count)
        return contracted._longest_ways(sizes)[0][circles]

    def _longest_ways(self, sizes: Codes) -> tuple[Codes, Mask]:
        """Return the layers on the longest way to each, and which no circle is before."""
        waiting = np.bincount(self.targets, minlength=self.count)
        ranks = sizes.copy()
        done = np.zeros(self.count, bool)
        ready = np.flatnonzero(waiting == 0)
        while ready.size:
            done[ready] = True
            edges = self._edges_from(ready)
            sources, targets = self.sources[edges], self.targets[edges]
            np.maximum.at(ranks, targets, ranks[sources] + sizes[targets])
            after, times = np.unique(targets, return_counts=True)
            waiting[after] -= times
            ready = after[waiting[after] == 0]
        return ranks, done

    @functools.cached_property
    def _starts(self) -> Codes:
        starts: Codes = np.searchsorted(self.sources, np.arange(self.count + 1))
        return starts

    def _edges_from(self, layers: Codes) -> Codes:
        """Return the positions of the edges that begin at some layers."""
        starts, ends = self._starts[layers], self._starts[layers + 1]
        lengths = ends - starts
        offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
        edges: Codes = np.repeat(starts, lengths) + np.arange(lengths.sum()) - offsets
        return edges


def linked(
    sources: Codes,
    targets: Codes,
    parents: Codes,
    *,
    inputs: Mask,
    opaque: Mask,
    wrappers: Mask,
) -> LayerGraph:
    """Link layers over the borders of nested models.

    An edge to a model goes to the model and to its first layers, one from it comes from it
    and from its last ones. Input layers are passed through.

    Args:
        sources: Edges between layers that are in the same model: where they begin.
        targets: Where they end.
        parents: For each layer the one that holds it, -1 for none.
        inputs: Which layers are input layers.
        opaque: Which layers hold others that are not to be linked.
        wrappers: Which layers hold others that are all in the same place.
    """
    count = len(parents)
    first, last = np.ones(count, bool), np.ones(count, bool)
    first[targets] = last[sources] = False
    inner = np.flatnonzero(parents >= 0)
    hidden = opaque | (_orderless(parents, inputs, first & last) & ~wrappers)
    inner = inner[~hidden[parents[inner]]]
    holders = np.zeros(count, bool)
    holders[parents[inner]] = True
    # A model has two doors beside itself: one before its first and one after its last layers.
    entry, leave = np.arange(count) + count, np.arange(count) + 2 * count
    into, out = inner[first[inner]], inner[last[inner]]
    edges = [
        (sources, targets),
        (sources[holders[targets]], entry[targets[holders[targets]]]),
        (leave[sources[holders[sources]]], targets[holders[sources]]),
        _both(leave, entry, sources, targets, holders),
        (entry[parents[into]], into),
        (entry[parents[into]][holders[into]], entry[into[holders[into]]]),
        (out, leave[parents[out]]),
        (leave[out[holders[out]]], leave[parents[out]][holders[out]]),
    ]
    doors = np.concatenate([inputs, np.ones(2 * count, bool)])
    begin, end = (np.concatenate(side) for side in zip(*edges, strict=True))
    begin, end = _without_doors(begin, end, doors)
    models = np.zeros(count, bool)
    models[parents[inner[~inputs[inner]]]] = True
    return LayerGraph(count, begin, end, models)


def _both(
    leave: Codes, entry: Codes, sources: Codes, targets: Codes, holders: Mask
) -> tuple[Codes, Codes]:
    chosen = holders[sources] & holders[targets]
    return leave[sources[chosen]], entry[targets[chosen]]


def _orderless(parents: Codes, inputs: Mask, alone: Mask) -> Mask:
    """Return which layers hold several, none of which follows another."""
    inner = parents >= 0
    real = inner & ~inputs
    size = len(parents)
    several = np.bincount(parents[real], minlength=size) > 1
    ordered = np.bincount(parents[inner & ~alone], minlength=size) > 0
    return several & ~ordered


def _without_doors(begin: Codes, end: Codes, doors: Mask) -> tuple[Codes, Codes]:
    """Replace each way through doors by an edge from layer to layer."""
    for _ in range(100):  # as deep as models are nested; a circle of doors alone leads nowhere
        through = doors[end] & ~doors[begin]
        if not through.any():
            break
        onward = LayerGraph(len(doors), *_sorted_edges(begin, end, len(doors)))
        starts, ends = onward._starts[end[through]], onward._starts[end[through] + 1]
        before = np.repeat(begin[through], ends - starts)
        after = onward.targets[onward._edges_from(end[through])]
        begin = np.concatenate([begin[~through], before])
        end = np.concatenate([end[~through], after])
        begin, end = _sorted_edges(begin, end, len(doors))
    real = ~doors[begin] & ~doors[end]
    return _sorted_edges(begin[real], end[real], len(doors))


def _sorted_edges(begin: Codes, end: Codes, width: int) -> tuple[Codes, Codes]:
    keys = np.sort(begin * width + end)  # faster here than np.unique, which hashes
    keys = keys[np.diff(keys, prepend=-1) > 0]
    return keys // width, keys % width
