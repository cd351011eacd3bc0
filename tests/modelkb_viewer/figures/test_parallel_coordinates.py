from __future__ import annotations

import pandas as pd

from modelkb_viewer.figures.parallel_coordinates import parallel_coordinates_figure


def test_a_line_per_experiment_across_the_axes_in_their_order() -> None:
    points = pd.DataFrame(
        {
            "experiment": ["a", "a", "b", "b"],
            "axis": ["rate", "val_accuracy"] * 2,
            "position": [0.0, 1.0, -0.12, 0.0],
            "shown": ["0.1", "0.9", "(not set)", "0.8"],
            "metric": [0.9, 0.9, 0.8, 0.8],
        }
    )
    ticks = pd.DataFrame({"axis": ["rate"], "position": [0.0], "shown": ["0.1"]})
    said = parallel_coordinates_figure(points, ticks, ["rate", "val_accuracy"]).to_dict()
    lines, _, texts, _ = said["layer"]
    assert lines["encoding"]["x"]["sort"] == ["rate", "val_accuracy"]
    assert lines["encoding"]["detail"]["field"] == "experiment"
    assert lines["encoding"]["color"]["title"] == "val_accuracy"
    # What has no value is on the picture, too.
    assert lines["encoding"]["y"]["scale"]["domain"][0] < -0.12
    assert texts["encoding"]["text"]["field"] == "shown"
