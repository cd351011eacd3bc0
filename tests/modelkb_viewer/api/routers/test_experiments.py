from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from modelkb_store import Store

ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"


def test_a_page_says_how_many_there_are(ask: TestClient, experiment_id: str) -> None:
    page = ask.get("/experiments", params={"limit": 0}).json()
    assert page == {"items": [], "total": 1, "offset": 0}
    (row,) = ask.get("/experiments", params={"project": "digits"}).json()["items"]
    assert row["experiment_id"] == experiment_id
    assert {name.partition(".")[0] for name in row} >= {"params", "metrics"}


def test_rows_are_those_of_the_store_in_every_format(ask: TestClient, store: Path) -> None:
    expected = Store(store).experiments()
    arrow = ask.get("/experiments", headers={"Accept": ARROW})
    assert arrow.headers["content-type"] == ARROW
    found = pa.ipc.open_stream(arrow.content).read_all().to_pandas()
    pd.testing.assert_frame_equal(found, expected)
    parquet = ask.get("/experiments", headers={"Accept": f"{PARQUET}, */*"})
    pd.testing.assert_frame_equal(pq.read_table(io.BytesIO(parquet.content)).to_pandas(), expected)


def test_the_query_language_chooses(ask: TestClient) -> None:
    none = ask.get("/experiments", params={"where": "metrics.val_loss > 1e9"})
    assert none.json()["total"] == 0


def test_what_is_wrong_with_a_query_is_shown(ask: TestClient) -> None:
    answer = ask.get("/experiments", params={"where": "metrics.loss >"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "metrics.loss >" in answer.json()["detail"]


@pytest.mark.parametrize("parameters", [{"limit": -1}, {"limit": "many"}, {"offset": -1}])
def test_invalid_parameters_are_named(ask: TestClient, parameters: dict[str, object]) -> None:
    answer = ask.get("/experiments", params=parameters)
    assert answer.status_code == 422
    (invalid,) = answer.json()["errors"]
    assert invalid["location"] == f"query.{next(iter(parameters))}"


def test_one_is_found_by_a_part_of_its_id(ask: TestClient, experiment_id: str) -> None:
    document = ask.get(f"/experiments/{experiment_id[-10:]}").json()
    assert document["experiment_id"] == experiment_id
    assert document["hyperparameters"]


def test_an_unknown_one_is_missing(ask: TestClient) -> None:
    answer = ask.get("/experiments/nothing")
    assert answer.status_code == 404
    assert "nothing" in answer.json()["detail"]


def test_tags_and_notes_are_edited(ask: TestClient, experiment_id: str, store: Path) -> None:
    change = {"tags": ["best", "baseline"], "notes": "as in the paper"}
    assert ask.patch(f"/experiments/{experiment_id}", json=change).status_code == 200
    record = Store(store).experiment(experiment_id).record
    assert (record.tags, record.notes) == (("best", "baseline"), "as in the paper")
    assert ask.patch(f"/experiments/{experiment_id}", json={"name": "x"}).status_code == 422


def test_one_is_deleted_and_restored(ask: TestClient, experiment_id: str) -> None:
    assert ask.delete(f"/experiments/{experiment_id}").status_code == 204
    assert ask.get(f"/experiments/{experiment_id}").status_code == 404
    restored = ask.post(f"/experiments/{experiment_id}/restore")
    assert restored.json()["experiment_id"] == experiment_id
    assert ask.get("/experiments").json()["total"] == 1
    assert ask.post(f"/experiments/{experiment_id}/restore").status_code == 404
