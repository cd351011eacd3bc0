from __future__ import annotations

import pandas as pd

from modelkb_viewer.figures.importance_bars import importance_figure


def test_bars_that_may_be_chance_are_said_in_words() -> None:
    frame = pd.DataFrame(
        {
            "hyperparameter": ["rate", "seed"],
            "importance": [0.6, 0.01],
            "chance": 0.1,
            "groups": 4,
            "runs": 40,
        }
    )
    said = importance_figure(frame).to_dict()
    bars, _, rule = said["layer"]
    rows = pd.DataFrame(said["datasets"][bars["data"]["name"]])
    assert rows["says"].tolist() == ["More than chance", "May be chance"]
    assert bars["encoding"]["y"]["sort"] == ["rate", "seed"]
    assert rule["encoding"]["x"]["field"] == "chance"
