"""What the token of one project can learn of other projects, and do to them: nothing."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from modelkb_store import Store
from modelkb_store.log.entry import Action, columns_of, encode_entry
from modelkb_store.schemas import SCHEMAS
from modelkb_viewer.tokens import Scope

HIDDEN = "merger-model"


@pytest.fixture
def admin(ask_as: Any) -> TestClient:
    client: TestClient = ask_as(Scope.ADMIN)
    return client


@pytest.fixture
def mine(ask_as: Any) -> TestClient:
    client: TestClient = ask_as(Scope.WRITE, "mine")
    return client


def recorded(
    ask: TestClient, project: str, name: str, *, rate: float = 0.1, ends: bool = True
) -> str:
    new = {"project": project, "name": name, "hyperparameters": {"rate": rate}}
    run = str(ask.post("/experiments", json=new).json()["experiment_id"])
    points = [{"metric": "loss", "epoch": epoch, "value": 0.5} for epoch in range(3)]
    ask.post(f"/experiments/{run}/metrics", json={"points": points})
    if ends:
        ask.post(f"/experiments/{run}/end", json={})
    return run


@pytest.fixture
def hidden(admin: TestClient) -> str:
    """An experiment of another project."""
    return recorded(admin, "secret", HIDDEN)


def is_untouched(admin: TestClient, run: str) -> bool:
    document = admin.get(f"/experiments/{run}").json()
    curve = admin.get(f"/experiments/{run}/metrics").json()
    return (document.get("project"), document.get("name"), len(curve)) == ("secret", HIDDEN, 3)


def forged_log(store: Path, run: str) -> bytes:
    record = dataclasses.replace(Store(store).experiment(run).record, name="hijacked")
    begin = {"experiment_id": run, "segment": 0, "begun": time.time(), "is_sent": True}
    return (
        encode_entry(Action.BEGIN, "", begin)
        + encode_entry(Action.CUT, "", {"epoch": 0})
        + encode_entry(Action.PUT, "experiments", columns_of("experiments", [record]))
    )


@pytest.mark.parametrize("further", ["", "-0123456789"])
@pytest.mark.parametrize("ends", [True, False])
def test_no_log_changes_an_experiment_of_another_project(
    admin: TestClient, mine: TestClient, store: Path, further: str, ends: bool
) -> None:
    run = recorded(admin, "secret", HIDDEN, ends=ends)
    path, project = f"/logs/{run}{further}", {"project": "mine"}
    lines = forged_log(store, run)
    put = mine.put(f"{path}/0", params={**project, "offset": 0}, content=lines)
    assert put.status_code == 409, put.text
    sealed = mine.post(f"{path}/0/seal", params=project, json={"size": 0})
    assert sealed.status_code == 409
    assert mine.post(f"{path}/end", params=project, json={"sizes": {}}).status_code == 409
    assert is_untouched(admin, run)
    assert mine.get("/experiments").json()["total"] == 0


def test_no_log_takes_the_place_of_a_deleted_experiment_of_another_project(
    admin: TestClient, mine: TestClient, store: Path, hidden: str
) -> None:
    lines = forged_log(store, hidden)
    admin.delete(f"/experiments/{hidden}")
    params: dict[str, Any] = {"project": "mine", "offset": 0}
    assert mine.put(f"/logs/{hidden}/0", params=params, content=lines).status_code == 409
    admin.post(f"/experiments/{hidden}/restore")
    assert is_untouched(admin, hidden)


def imported(ask: TestClient, store: Path, run: str, as_id: str) -> Any:
    row = Store(store).table("experiments", "secret", SCHEMAS["experiments"].names).to_pylist()[0]
    metadata = {"modelkb.experiment_ids": json.dumps([as_id])}
    schema = SCHEMAS["experiments"].with_metadata(metadata)
    rows = pa.Table.from_pylist([{**row, "experiment_id": as_id, "name": "bait"}], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(rows)
    return ask.put(
        "/imports/experiments/rows",
        params={"project": "mine"},
        content=sink.getvalue().to_pybytes(),
        headers={"Content-Type": "application/vnd.apache.arrow.stream"},
    )


def test_no_import_changes_an_experiment_of_another_project(
    admin: TestClient, mine: TestClient, store: Path, hidden: str
) -> None:
    assert imported(mine, store, hidden, hidden).status_code == 409
    assert imported(mine, store, hidden, "20260102-030405500-0123456789").status_code == 204
    assert is_untouched(admin, hidden)
    assert mine.get("/experiments").json()["total"] == 1


@pytest.mark.parametrize("prefix", ["x/", "../", "x\\", " "])
def test_nothing_is_imported_whose_id_is_a_path(
    admin: TestClient, mine: TestClient, store: Path, hidden: str, prefix: str
) -> None:
    answer = imported(mine, store, hidden, f"{prefix}{hidden}")
    assert answer.status_code == 422
    assert "no id" in answer.json()["detail"]
    assert is_untouched(admin, hidden)


def test_no_hint_tells_of_other_projects(mine: TestClient, hidden: str) -> None:
    recorded(mine, "mine", "own")
    for wanted in (HIDDEN, HIDDEN[:-1], hidden, hidden[:-1], hidden[-10:], "2026-nothing"):
        for path in ("", "/lineage", "/reproductions", "/metrics", "/events", "/artifacts"):
            answer = mine.get(f"/experiments/{wanted}{path}")
            assert answer.status_code == 404, (wanted, path, answer.text)
            assert_silent(answer.text, wanted, hidden)
        for answer in (
            mine.post(f"/experiments/{wanted}/predictions", json={"inputs": [1]}),
            mine.get("/comparison", params={"experiments": f"{wanted},own"}),
            mine.patch(f"/experiments/{wanted}", json={"notes": "x"}),
            mine.delete(f"/experiments/{wanted}"),
        ):
            assert answer.status_code == 404
            assert_silent(answer.text, wanted, hidden)


def assert_silent(text: str, asked: str, hidden: str) -> None:
    """Pass if an answer tells no more of the hidden experiment than was asked."""
    told = text.replace(asked, "")
    assert HIDDEN not in told
    assert hidden not in told
    assert "secret" not in told


def test_what_is_unique_in_ones_project_is_found(
    mine: TestClient, experiment_id: str, hidden: str
) -> None:
    own = recorded(mine, "mine", HIDDEN)
    for wanted in (HIDDEN, own[:4]):
        assert mine.get(f"/experiments/{wanted}").json()["experiment_id"] == own
    another = recorded(mine, "mine", "another")
    answer = mine.get(f"/experiments/{own[:4]}")
    assert answer.status_code == 409
    assert own in answer.text
    assert another in answer.text
    assert hidden not in answer.text
    assert experiment_id not in answer.text


@pytest.mark.parametrize("function", ["same_architecture", "same_data", "shares_weights"])
def test_no_query_relates_to_other_projects(mine: TestClient, hidden: str, function: str) -> None:
    recorded(mine, "mine", "own")
    for wanted in (HIDDEN, HIDDEN[:-1], hidden):
        for where in (f"{function}('{wanted}')", f"differs('{wanted}', only='rate')"):
            for answer in (
                mine.get("/experiments", params={"where": where}),
                mine.post("/selections", json={"where": where}),
                mine.post("/selections/ids", json={"where": where}),
                mine.get("/projects/mine/what-works", params={"where": where}),
            ):
                assert answer.status_code == 404, answer.text
                assert_silent(answer.text, wanted, hidden)


def test_an_administrator_relates_projects(
    admin: TestClient, mine: TestClient, hidden: str
) -> None:
    own = recorded(mine, "mine", "own", rate=0.2)
    where = f"differs('{HIDDEN}', only='rate')"
    found = admin.get("/experiments", params={"project": "mine", "where": where}).json()
    assert [item["experiment_id"] for item in found["items"]] == [own]


def test_nothing_else_tells_of_other_projects(
    admin: TestClient, mine: TestClient, store: Path, hidden: str
) -> None:
    own = recorded(mine, "mine", "own")
    assert mine.get("/deleted-experiments").status_code == 403
    assert mine.post(f"/experiments/{hidden}/restore").status_code == 403
    assert mine.get("/projects/secret/what-works").status_code == 403
    rows = mine.post("/selections/rows", json={"experiment_ids": [hidden, own]}).json()
    assert [row["experiment_id"] for row in rows] == [own]
    for table in SCHEMAS:
        assert_silent(mine.post(f"/tables/{table}", json={}).text, own, hidden)
        asked = {"where": {"experiment_id": [hidden]}}
        if "experiment_id" in SCHEMAS[table].names:
            assert mine.post(f"/tables/{table}", json=asked).json() == []
        answer = mine.post(f"/tables/{table}", json={"project": "secret"})
        assert answer.status_code == 403


def test_lineage_does_not_tell_of_other_projects(
    admin: TestClient, mine: TestClient, store: Path, hidden: str
) -> None:
    own = recorded(mine, "mine", "own")
    record = Store(store).experiment(hidden).record
    child = "20260102-030405500-0123456789"
    changes = {"parent_experiment_id": own, "reproduces_experiment_id": own}
    record = dataclasses.replace(record, experiment_id=child, name=HIDDEN, **changes)
    begin = {"experiment_id": child, "segment": 0, "begun": time.time(), "is_sent": True}
    lines = encode_entry(Action.BEGIN, "", begin)
    lines += encode_entry(Action.PUT, "experiments", columns_of("experiments", [record]))
    params: dict[str, Any] = {"project": "secret", "offset": 0}
    assert admin.put(f"/logs/{child}/0", params=params, content=lines).status_code == 200
    assert child in admin.get(f"/experiments/{own}/lineage").text
    for path in ("lineage", "reproductions"):
        assert_silent(mine.get(f"/experiments/{own}/{path}").text, own, child)
