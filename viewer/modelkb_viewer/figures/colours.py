"""Colours of experiments, told apart by colour-blind readers, on light and dark ground."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# The qualitative colours of Okabe and Ito (Color Universal Design, 2008), less black and yellow,
# which are lost on a dark or a light ground; a grey is added.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C8C8C")
# Where there are more experiments than colours, the pattern of the line tells them apart.
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
# From few to much, also where red and green look the same.
SEQUENTIAL: Final = "viridis"
# From less over nothing to more.
DIVERGING: Final = "blueorange"


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
