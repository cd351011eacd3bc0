from __future__ import annotations

import pandas as pd

from modelkb_viewer.figures.probabilities import MOST_BARS, probability_bars


def test_the_most_likely_are_bars_in_their_order() -> None:
    likely = pd.DataFrame({"Class": range(30), "Probability": [1 / (n + 2) for n in range(30)]})
    figure = probability_bars(likely).to_dict()
    (data,) = figure["datasets"].values()
    assert [row["Class"] for row in data] == [str(number) for number in range(MOST_BARS)]
    assert figure["layer"][0]["encoding"]["y"]["sort"] == [row["Class"] for row in data]
