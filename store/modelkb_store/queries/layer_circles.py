"""Circles of layers, which come about where a layer is used in several places."""

from __future__ import annotations

import numpy as np

from modelkb_store.text_column import Codes


def circle_of(nodes: Codes, starts: Codes, targets: Codes) -> Codes:
    """Return for each node the smallest one that it leads to and that leads back to it.

    Tarjan's algorithm without recursion. Circles are rare, so Python is fast enough.

    Args:
        nodes: The nodes to look at, each with all that it leads to.
        starts: Where the edges of each node of the graph begin, and where the last ones end.
        targets: Where edges end.
    """
    first_of = np.arange(len(starts) - 1)
    after, begins = targets.tolist(), starts.tolist()
    seen: dict[int, int] = {}
    lowest: dict[int, int] = {}
    open_nodes: dict[int, None] = {}
    for root in nodes.tolist():
        if root in seen:
            continue
        way = [(root, begins[root])]
        while way:
            node, edge = way.pop()
            if node not in seen:
                seen[node] = lowest[node] = len(seen)
                open_nodes[node] = None
            if edge < begins[node + 1]:
                way.append((node, edge + 1))
                target = after[edge]
                if target not in seen:
                    way.append((target, begins[target]))
                elif target in open_nodes:
                    lowest[node] = min(lowest[node], seen[target])
                continue
            if lowest[node] == seen[node]:
                _close(node, open_nodes, first_of)
            if way:
                lowest[way[-1][0]] = min(lowest[way[-1][0]], lowest[node])
    return first_of


def _close(node: int, open_nodes: dict[int, None], first_of: Codes) -> None:
    """Take a circle off the open nodes: all that were opened since its first one."""
    members: list[int] = []
    while not members or members[-1] != node:
        members.append(open_nodes.popitem()[0])
    first_of[members] = min(members)
