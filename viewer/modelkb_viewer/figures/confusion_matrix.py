"""A confusion matrix as a picture: true classes in rows, predicted ones in columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

Matrix = npt.NDArray[np.float64]

# A picture of more cells than these is slow; then only those that hold something are drawn.
_MOST_CELLS = 20_000
_HEIGHT_OF_LABELS, _GREATEST_HEIGHT = 190, 560
_CELL_HEIGHT = 44
_BETWEEN_BLUE_AND_ORANGE = "#f2f0eb"
# From hardly anything to a dark blue: classes without samples stay pale, also in dark mode.
_BLUES = ["#f1f6fc", "#9ecae1", "#3182bd", "#08306b"]
_LONGEST_LABEL_PIXELS = 110
# The letters of a cell are of this size where there is room, and left out below the smallest.
_LARGEST_LETTERS, _SMALLEST_LETTERS = 14, 8
_WIDTH_OF_A_DIGIT = 0.62


def confusion_matrix_figure(matrix: pd.DataFrame, *, shares: bool = False) -> alt.LayerChart:
    """Return a confusion matrix as a picture that is as wide as its place.

    Labels are thinned out and values are written into the cells only where they fit; pointing at
    a cell tells all of it.

    Args:
        matrix: Counts, as of :meth:`modelkb_store.Experiment.confusion_matrix`.
        shares: Whether the colours and cells show the share of the row's samples, instead of
            their count.

    Example:
        >>> confusion_matrix_figure(run.confusion_matrix(), shares=True)
    """
    counts = matrix.to_numpy(dtype=float)
    rows = row_shares(counts)
    cells = _cells(matrix, count=counts, share=rows)
    shown = rows if shares else counts
    cells["shown"] = shown[cells["row"], cells["column"]]
    # A class with few samples, and few mistakes, are to be seen beside large numbers.
    scale = alt.Scale(type="sqrt", range=_BLUES, domain=[0, max(1e-9, float(shown.max(initial=0)))])
    strength = np.sqrt(cells["shown"] / max(1e-9, float(shown.max(initial=0))))
    cells["ink"] = np.where(strength > 0.6, "white", "black")
    cells["text"] = _texts(cells["shown"], is_share=shares)
    title = "Share of the true class" if shares else "Samples"
    tooltip = [
        alt.Tooltip("true:N", title="True class"),
        alt.Tooltip("predicted:N", title="Predicted class"),
        alt.Tooltip("count:Q", title="Samples", format=",d"),
        alt.Tooltip("share:Q", title="Share of the true class", format=".2%"),
    ]
    value_format = ".0%" if shares else ",d"
    return _picture(
        cells, matrix, scale, title, tooltip, value_format=value_format, ground=_BLUES[0]
    )


def confusion_difference_figure(first: pd.DataFrame, second: pd.DataFrame) -> alt.LayerChart:
    """Return by how much the shares of one matrix are larger than those of another.

    Args:
        first: Counts of one run; its class names are shown.
        second: Counts of the other run, of as many classes.

    Returns:
        In percentage points: where it is more, the first run puts more of the true class there.

    Raises:
        ValueError: They are not of as many classes.
    """
    if first.shape != second.shape:
        raise ValueError(f"{len(first)} classes cannot be compared with {len(second)}")
    shares = [row_shares(each.to_numpy(dtype=float)) for each in (first, second)]
    points = 100 * (shares[0] - shares[1])
    cells = _cells(first, points=points, first=shares[0], second=shares[1])
    largest = max(1.0, float(np.abs(points).max(initial=0)))
    cells["shown"] = cells["points"]
    cells["ink"] = np.where(cells["points"].abs() > 0.6 * largest, "white", "black")
    cells["text"] = ["" if abs(each) < 0.5 else f"{each:+.0f}" for each in cells["points"]]
    # Blue and orange are told apart by colour-blind people; the sign is written, too.
    scale = alt.Scale(scheme="blueorange", domain=[-largest, largest], domainMid=0)
    tooltip = [
        alt.Tooltip("true:N", title="True class"),
        alt.Tooltip("predicted:N", title="Predicted class"),
        alt.Tooltip("first:Q", title="First run", format=".2%"),
        alt.Tooltip("second:Q", title="Second run", format=".2%"),
        alt.Tooltip("points:Q", title="Percentage points", format="+.2f"),
    ]
    return _picture(
        cells,
        first,
        scale,
        "Percentage points",
        tooltip,
        value_format="+.0f",
        ground=_BETWEEN_BLUE_AND_ORANGE,
    )


def row_shares(counts: Matrix) -> Matrix:
    """Return the shares of each row's samples; zeros for a class without any."""
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.zeros_like(counts)
    np.divide(counts, sums, out=shares, where=sums > 0)
    return shares


def class_labels(names: Iterable[object]) -> list[str]:
    """Return texts for classes, each another one, also where names are the same."""
    texts = [str(name) for name in names]
    uses, seen = Counter(texts), Counter[str]()
    labels = []
    for text in texts:
        seen[text] += 1
        labels.append(f"{text} ({seen[text]})" if uses[text] > 1 else text)
    return labels


def _cells(matrix: pd.DataFrame, **values: Matrix) -> pd.DataFrame:
    """Return a row per cell, or per cell that holds something where there are too many."""
    size = len(matrix)
    rows, columns = np.divmod(np.arange(size * size), max(1, size))
    cells: pd.DataFrame = pd.DataFrame({"row": rows, "column": columns})
    for name, each in values.items():
        cells[name] = each.reshape(-1)
    if len(cells) > _MOST_CELLS:
        weight = cells[list(values)].abs().max(axis=1)
        cells = cells.loc[weight[weight > 0].nlargest(_MOST_CELLS).index].reset_index(drop=True)
    labels = np.array([*class_labels(matrix.index), ""], dtype=object)
    cells["true"], cells["predicted"] = labels[cells["row"]], labels[cells["column"]]
    return cells


def _texts(values: pd.Series, *, is_share: bool) -> list[str]:
    """Return what stands in cells; nothing for nothing, so that mistakes are seen."""
    if is_share:
        return ["" if value == 0 else f"{100 * value:.0f}%" for value in values]
    return ["" if value == 0 else f"{value:.0f}" for value in values]


def _picture(
    cells: pd.DataFrame,
    matrix: pd.DataFrame,
    scale: alt.Scale,
    title: str,
    tooltip: list[alt.Tooltip],
    *,
    value_format: str,
    ground: str,
) -> alt.LayerChart:
    labels, size = class_labels(matrix.index), max(1, len(matrix))
    height = _HEIGHT_OF_LABELS + min(_CELL_HEIGHT * size, _GREATEST_HEIGHT)
    longest_label = max(map(len, labels), default=0)
    lies = longest_label < 5 or longest_label * size < 60
    x = alt.X(
        "predicted:N",
        sort=labels,
        scale=alt.Scale(domain=labels),
        title="Predicted class",
        axis=_axis(0 if lies else -45),
    )
    y = alt.Y(
        "true:N",
        sort=labels,
        scale=alt.Scale(domain=labels),
        title="True class",
        axis=_axis(0),
    )
    legend = alt.Legend(title=title, orient="top", format=value_format, gradientLength=160)
    base = alt.Chart(cells).encode(x=x, y=y, tooltip=tooltip)
    squares = base.mark_rect().encode(color=alt.Color("shown:Q", scale=scale, legend=legend))
    if size > _GREATEST_HEIGHT // (_SMALLEST_LETTERS + 2):
        return _layered(height, ground, squares)
    # How large letters can be depends on the width that the picture is given.
    longest = max((len(text) for text in cells["text"]), default=1) or 1
    fits = f"min({_LARGEST_LETTERS}, height / {size} * 0.7, "
    fits += f"width / {size} / {longest * _WIDTH_OF_A_DIGIT + 0.4:.2f})"
    ink = alt.condition("datum.ink === 'white'", alt.value("white"), alt.value("black"))
    values = base.mark_text(
        baseline="middle",
        fontSize=alt.expr(fits),
        opacity=alt.expr(f"{fits} < {_SMALLEST_LETTERS} ? 0 : 1"),
    ).encode(text="text:N", color=ink)
    return _layered(height, ground, squares, values)


def _axis(angle: float) -> alt.Axis:
    return alt.Axis(
        labelAngle=angle, labelOverlap=True, labelLimit=_LONGEST_LABEL_PIXELS, ticks=False
    )


def _layered(height: int, ground: str, *layers: alt.Chart) -> alt.LayerChart:
    # Behind cells that are not drawn, and between cells of a pixel or two.
    view = alt.ViewBackground(fill=ground)
    chart: alt.LayerChart = alt.layer(*layers).properties(height=height, view=view)
    return chart
