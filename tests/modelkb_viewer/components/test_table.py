from __future__ import annotations

import io

import pandas as pd
from streamlit.testing.v1 import AppTest

from modelkb_viewer.components.table import csv_of, parquet_of

FRAME = pd.DataFrame(
    {"name": ["a, b", 'say "c"'], "value": [0.1, None], "tags": [["x", "y"], []]},
    index=[7, 8],
)


def test_a_download_has_all_that_is_shown_and_no_index() -> None:
    again = pd.read_csv(io.BytesIO(csv_of(FRAME)))
    assert list(again.columns) == ["name", "value", "tags"]
    assert list(again["name"]) == list(FRAME["name"])

    again = pd.read_parquet(io.BytesIO(parquet_of(FRAME)))
    assert list(again.columns) == ["name", "value", "tags"]
    assert again["value"].iloc[0] == 0.1
    assert list(again["tags"].iloc[0]) == ["x", "y"]


def test_a_table_has_a_menu_with_both() -> None:
    script = """
import pandas as pd
from modelkb_viewer.components.table import show_table

show_table(pd.DataFrame({"a": [1, 2]}), "Some rows", key="rows")
"""
    page = AppTest.from_string(script, default_timeout=60).run()

    assert page.dataframe[0].value["a"].tolist() == [1, 2]
    assert [button.label for button in page.get("download_button")] == ["CSV", "Parquet"]
