"""Colours of experiments, told apart by colour-blind readers, on light and dark ground."""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt

# The qualitative colours of Okabe and Ito (Color Universal Design, 2008), less black and yellow,
# which are lost on a dark or a light ground; a grey is added.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C8C8C")
# Where there are more experiments than colours, the pattern of the line tells them apart.
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
# Seen on a light and on a dark ground.
GREY = "#7f7f7f"


def metric_colour(field: str, title: str) -> alt.Color:
    """Return a ramp of colours for a column of numbers, grey for what has none.

    Its ends are cut off: the darkest colours are lost on a dark ground, the palest on a light one.

    Args:
        field: The column; what is special in the name of a field is escaped.
        title: What it is called.
    """
    ramp = alt.Scale(scheme=alt.SchemeParams(name="viridis", extent=[0.25, 0.9]))
    legend = alt.Legend(
        orient="bottom", format="~g", gradientLength=220, gradientOpacity=1, titleLimit=300
    )
    colour: alt.Color = alt.Color(f"{field}:Q", title=title, scale=ramp, legend=legend)
    return colour


def experiment_colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each experiment, by its place: the same list, the same colours.

    Example:
        >>> experiment_colours(["first", "second"])
        {'first': '#0072B2', 'second': '#E69F00'}
    """
    unique = dict.fromkeys(names)
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(unique)}


def experiment_dashes(names: Iterable[str]) -> dict[str, list[int]]:
    """Return a pattern of the line for each experiment: another once all colours are used."""
    unique = dict.fromkeys(names)
    return {name: DASHES[place // len(COLOURS) % len(DASHES)] for place, name in enumerate(unique)}
