"""Lineage as a graph in the language of Graphviz."""

from __future__ import annotations

from modelkb_viewer.content.lineage import Lineage, Relative

# Dark letters on pale boxes are read on a light and on a dark ground.
_SELF, _OTHER, _UNKNOWN = "#fde2b3", "#dbe9f6", "#e6e6e6"
_LINE = "#8c8c8c"
_LONGEST_NAME = 40


def lineage_graph(lineage: Lineage) -> str:
    """Return a graph from left to right; recorded names are texts in it, and nothing else."""
    here = [each for each in lineage.relatives if each.generation == 0]
    number = {each.experiment_id: place for place, each in enumerate(lineage.relatives)}
    lines = [
        "digraph {",
        "rankdir=LR; bgcolor=transparent;",
        f'node [shape=box, style="rounded,filled", color="{_LINE}", fontcolor="#1a1a1a", '
        'fontname="sans-serif", fontsize=12];',
        f'edge [color="{_LINE}", fontcolor="{_LINE}", fontname="sans-serif", fontsize=11];',
    ]
    lines += [_node(each, number[each.experiment_id], each in here) for each in lineage.relatives]
    for pairs, how in ((lineage.trained_further, "solid"), (lineage.done_again, "dashed")):
        word = "trained further" if how == "solid" else "done again"
        lines += [
            f'n{number[first]} -> n{number[second]} [style={how}, label="{word}"];'
            for first, second in pairs
        ]
    return "\n".join([*lines, "}"])


def _node(relative: Relative, number: int, is_here: bool) -> str:
    colour = _SELF if is_here else _OTHER if relative.name is not None else _UNKNOWN
    name = relative.name if relative.name is not None else "not in this store"
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}.."
    short = relative.experiment_id.rpartition("-")[2]
    text = "\\n".join(_escaped(part) for part in (name, short) if part)
    width = ", penwidth=2.5" if is_here else ""
    return f'n{number} [label="{text}", fillcolor="{colour}"{width}];'


def _escaped(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line.replace("\\", "\\\\").replace('"', '\\"')
