"""The models that a source puts together, and the classes of models."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from modelkb_callbacks.scanning.findings import Findings
from modelkb_callbacks.scanning.layer_calls import element_sites
from modelkb_callbacks.scanning.origins import INPUT, LayerSite
from modelkb_callbacks.scanning.resolving import Notes, position_of
from modelkb_callbacks.scanning.scan import ScannedModel
from modelkb_callbacks.scanning.values import Network, Opaque

Place = tuple[int, int, int]
Calls = dict[tuple[int, int], ast.AST]
Placed = tuple[tuple[int, int], ScannedModel]


def models(findings: Findings, notes: Notes) -> list[ScannedModel]:
    """Return the records of all models, in the order of the source."""
    found: list[Placed] = []
    in_networks: set[LayerSite] = set()
    calls = _innermost(findings.sinks)
    for node, networks in findings.networks.items():
        if all(network.is_part for network in networks):
            continue
        layers = _layers(networks, calls, notes)
        in_networks.update(layers)
        first = networks[0]
        names = tuple(site.name for site in layers)
        found.append(
            (position_of(node), ScannedModel(first.kind, first.name, names, position_of(node)[0]))
        )
    for node, reason in findings.unknown_layers.items():
        notes.add(node, f"a layer known only in a run: {reason}")
    for cls in findings.model_classes:
        sites = _sorted(findings.class_sites.get(cls.node, {}), calls, notes)
        names = tuple(site.name for site in sites if site not in in_networks)
        place = position_of(cls.node)
        found.append((place, ScannedModel("subclass", cls.name, names, place[0])))
    return [record for _, record in sorted(found, key=lambda each: each[0])]


def _layers(networks: list[Network], calls: Calls, notes: Notes) -> list[LayerSite]:
    """Return the layers of all rounds through one call, each site once."""
    if networks[0].kind == "sequential":
        return _elements(networks, notes)
    if networks[0].kind == "application":
        return []
    sites = {
        origin
        for network in networks
        for origin in network.origins
        if isinstance(origin, LayerSite)
    }
    return _sorted(dict.fromkeys(sites), calls, notes)


def _elements(networks: list[Network], notes: Notes) -> list[LayerSite]:
    """Go by the place where a layer is put in and the place where it is made."""
    order: list[Place] = []
    chosen: dict[Place, set[LayerSite]] = {}
    items: dict[Place, ast.AST] = {}
    for network in networks:
        _note_unknown(network, notes)
        placed = [
            ((id(item.site), sites[0].line, sites[0].column), item.site, sites)
            for item in network.elements
            if (sites := element_sites(item.value))
        ]
        items.update({place: site for place, site, _ in placed})
        _merge(order, [place for place, _, _ in placed], items)
        for place, _, sites in placed:
            chosen.setdefault(place, set()).update(sites)
    layers = []
    for place in order:
        names = sorted({site.name for site in chosen[place]})
        if len(names) == 1:
            layers.append(min(chosen[place]))
        else:
            notes.add(items[place], "one of several layers: " + ", ".join(names))
    return layers


def _note_unknown(network: Network, notes: Notes) -> None:
    for item in network.elements:
        if not isinstance(item.value, Opaque):
            continue
        if INPUT not in item.value.origins:
            notes.add(item.site, f"layers known only in a run: {item.value.reason}")


def _merge(order: list[Place], places: list[Place], items: dict[Place, ast.AST]) -> None:
    """Put what another round adds behind what it comes behind there, as in the source."""
    own = set(places)
    at = 0
    for place in places:
        if place not in order:
            here = position_of(items[place])
            while at < len(order) and order[at] not in own and position_of(items[order[at]]) < here:
                at += 1
            order.insert(at, place)
        at = order.index(place) + 1


def _sorted(sites: dict[LayerSite, None], calls: Calls, notes: Notes) -> list[LayerSite]:
    """Sort by place; of a place whose class depends on a condition nothing is said."""
    by_place: dict[tuple[int, int], list[LayerSite]] = {}
    for site in sites:
        by_place.setdefault((site.line, site.column), []).append(site)
    chosen = []
    for (line, column), group in sorted(by_place.items()):
        if len(group) == 1:
            chosen.append(group[0])
            continue
        names = ", ".join(sorted(site.name for site in group))
        node = calls.get((line, column)) or ast.Pass(lineno=line, col_offset=column)
        notes.add(node, f"one of several layers: {names}")
    return chosen


def _innermost(nodes: Iterable[ast.AST]) -> Calls:
    """Return by its place the shortest of the calls that start there: `LSTM(8)(x)`."""
    calls: Calls = {}
    for node in nodes:
        known = calls.get(position_of(node))
        if known is None or _end_of(node) < _end_of(known):
            calls[position_of(node)] = node
    return calls


def _end_of(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)
