from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from modelkb_store import SCHEMAS, Store

ARROW = "application/vnd.apache.arrow.stream"
OF_EXPERIMENT = [name for name, schema in SCHEMAS.items() if "experiment_id" in schema.names]


@pytest.mark.parametrize("table", OF_EXPERIMENT)
def test_a_table_is_that_of_the_experiment(
    ask: TestClient, experiment_id: str, store: Path, table: str
) -> None:
    answer = ask.get(f"/experiments/{experiment_id}/tables/{table}", headers={"Accept": ARROW})
    found = pa.ipc.open_stream(answer.content).read_all()
    assert found.equals(Store(store).experiment(experiment_id).table(table))


def test_a_curve_is_chosen_by_its_name_in_keras_history(
    ask: TestClient, experiment_id: str
) -> None:
    rows = ask.get(f"/experiments/{experiment_id}/metrics", params={"name": "val_loss"}).json()
    assert rows
    assert {(row["split"], row["metric"]) for row in rows} == {("validation", "loss")}


def test_the_confusion_matrix_has_names(ask: TestClient, experiment_id: str, store: Path) -> None:
    document = ask.get(f"/experiments/{experiment_id}/confusion-matrix").json()
    expected = Store(store).experiment(experiment_id).confusion_matrix()
    assert document["class_names"] == list(map(str, expected.columns))
    assert document["counts"] == expected.to_numpy().tolist()
    missing = ask.get(f"/experiments/{experiment_id}/confusion-matrix", params={"split": "none"})
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "part", ["environment", "datasets/train", "datasets/validation", "model", "implementation"]
)
def test_what_is_recorded_once_is_a_document(
    ask: TestClient, experiment_id: str, part: str
) -> None:
    document = ask.get(f"/experiments/{experiment_id}/{part}").json()
    assert document["created_at"].startswith("2026-")


def test_an_unknown_split_is_refused(ask: TestClient, experiment_id: str) -> None:
    assert ask.get(f"/experiments/{experiment_id}/datasets/test").status_code == 422


PARTS = {
    "batch-metrics": "batch_metrics",
    "epochs": "epochs",
    "evaluations": "evaluations",
    "hyperparameters": "hyperparameters",
    "metrics": "metrics",
    "predictions": "predictions",
    "resources": "resources",
}


@pytest.mark.parametrize(("part", "table"), PARTS.items())
def test_a_part_is_its_table(
    ask: TestClient, experiment_id: str, store: Path, part: str, table: str
) -> None:
    answer = ask.get(f"/experiments/{experiment_id}/{part}", headers={"Accept": ARROW})
    found = pa.ipc.open_stream(answer.content).read_all()
    assert found.equals(Store(store).experiment(experiment_id).table(table))


def test_many_rows_come_in_parts(ask: TestClient, experiment_id: str) -> None:
    path = f"/experiments/{experiment_id}/metrics"
    every = ask.get(path).json()
    parts = []
    for offset in range(0, 12, 4):
        answer = ask.get(path, params={"offset": offset, "limit": 4})
        assert answer.headers["Modelkb-Total-Rows"] == str(len(every)) == "9"
        parts.append(answer.json())
    assert [len(part) for part in parts] == [4, 4, 1]
    assert [row for part in parts for row in part] == every
    assert ask.get(path, params={"offset": 9}).json() == []
    assert ask.get(path, params={"offset": 1 << 62, "limit": 1}).json() == []
