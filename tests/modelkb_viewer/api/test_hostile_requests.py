"""What is sent with bad intent: each is refused with a status and a reason, and changes nothing."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from modelkb_store.log.entry import Action, encode_entry
from modelkb_store.schemas import SCHEMAS
from modelkb_store.server.server_target import EXPERIMENTS_KEY
from modelkb_viewer.tokens import Scope

Ask = Callable[..., TestClient]
PROBLEM = "application/problem+json"
NAMES = ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "..\\..\\x", "%00", "a%00b", "%0a", "x" * 5000,
         "%ff%fe", "C:", "%F0%9F%92%A3" * 50]  # fmt: skip


def files_of(store: Path) -> dict[str, bytes]:
    """Return what lies in the store and beside it, but for the audit log."""
    return {
        str(path): path.read_bytes()
        for path in store.parent.rglob("*")
        if path.is_file() and "audit" not in path.parts
    }


def check_refused(answer: Any, *statuses: int) -> None:
    assert answer.status_code in (statuses or (400, 404, 405, 422)), answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["detail"]
    assert "root:" not in answer.text


@pytest.mark.parametrize("name", NAMES)
def test_names_in_paths(ask: TestClient, store: Path, name: str) -> None:
    before = files_of(store)
    for method, path in (
        ("GET", f"/experiments/{name}"),
        ("DELETE", f"/experiments/{name}"),
        ("GET", f"/experiments/{name}/architecture"),
        ("GET", f"/experiments/x/tables/{name}"),
        ("GET", f"/experiments/x/artifacts/{name}"),
        ("GET", f"/experiments/x/checkpoints/{name}/weights"),
        ("POST", f"/tables/{name}"),
        ("PUT", f"/imports/{name}/rows?project=digits"),
        ("PUT", f"/logs/{name}/0?project=digits&offset=0"),
        ("PUT", f"/logs/x/{name}?project=digits&offset=0"),
        ("DELETE", f"/tokens/{name}"),
    ):
        json_body = {"json": {}} if method == "POST" else {}
        check_refused(ask.request(method, path, **json_body))
    assert files_of(store) == before


@pytest.mark.parametrize("project", ["", "\0", "a\nb", "x" * 5000, "\ud7ff\u202e\u0007"])
def test_names_of_projects(ask: TestClient, store: Path, project: str) -> None:
    before = files_of(store)
    line = encode_entry(Action.END, "", {})
    query = {"project": project, "offset": "0"}
    check_refused(ask.put("/logs/x/0", params=query, content=line))
    rows = arrow(SCHEMAS["projects"].empty_table())
    check_refused(ask.put("/imports/projects/shared", params=query, content=rows), 400, 422)
    assert files_of(store) == before


@pytest.mark.parametrize("project", ["..", "../../x", "..\\x", ".", "CON", "a/b", "%2e%2e"])
def test_a_project_may_be_called_so_and_lies_in_the_store(
    ask: TestClient, store: Path, project: str
) -> None:
    outside = {path for path in store.parent.rglob("*") if store not in path.parents}
    rows = pa.table({"created_at": [None], "owner": ["x"], "application": [None],
                     "description": [None]}).cast(SCHEMAS["projects"])  # fmt: skip
    query = {"project": project}
    answer = ask.put("/imports/projects/shared", params=query, content=arrow(rows))
    assert answer.status_code in (204, 400)
    assert {path for path in store.parent.rglob("*") if store not in path.parents} == outside
    if answer.status_code == 204:
        assert project in [each["project"] for each in ask.get("/projects").json()]


def arrow(rows: pa.Table, codec: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_stream(sink, rows.schema, options=options) as writer:
        writer.write_table(rows)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def metrics(experiment_id: str, count: int = 3) -> pa.Table:
    schema = SCHEMAS["metrics"]
    columns = {field.name: pa.nulls(count, field.type) for field in schema}
    columns["experiment_id"] = pa.array([experiment_id] * count)
    rows = pa.table(columns, schema=schema)
    ids = json.dumps([experiment_id]).encode()
    return rows.replace_schema_metadata({EXPERIMENTS_KEY: ids})


def repeated(rows: pa.Table) -> pa.Table:
    """One long text, which many rows refer to."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows.num_rows), ["x" * 100])
    place = rows.column_names.index("metric")
    return rows.set_column(place, "metric", text)


def nulls(rows: pa.Table) -> pa.Table:
    """A column that takes no bytes, however many rows it says that it has."""
    place = rows.column_names.index("value")
    return rows.set_column(place, "value", pa.nulls(rows.num_rows))


def hostile_rows(kind: str, experiment_id: str) -> bytes:
    good = arrow(metrics(experiment_id))
    parquet = io.BytesIO()
    pq.write_table(metrics(experiment_id), parquet)
    shifted = bytearray(good)
    shifted[len(good) // 2 : len(good) // 2 + 64] = b"\xff" * 64
    return {
        "nothing": b"",
        "text": b"experiment_id,epoch\nx,1\n",
        "parquet": parquet.getvalue(),
        "cut parquet": parquet.getvalue()[:-20],
        "parquet magic": b"PAR1" + b"\xff" * 1000 + b"PAR1",
        "cut": good[: len(good) // 2],
        "other bytes": bytes(shifted),
        "huge lengths": b"\xff\xff\xff\xff\xff\xff\xff\x7f" + b"\0" * 100,
        "negative length": b"\xff\xff\xff\xff\x80\x00\x00\x00" + b"\0" * 100,
        "other columns": arrow(pa.table({"x": [1]})),
        "other experiments": arrow(metrics("x").replace_schema_metadata({EXPERIMENTS_KEY: b"[]"})),
        "metadata": arrow(metrics("x").replace_schema_metadata({EXPERIMENTS_KEY: b"[" * 9999})),
        "pickle": pickle.dumps({"a": 1}),
        "repeated": arrow(repeated(metrics(experiment_id))),
        "nothing but nulls": arrow(nulls(metrics(experiment_id))),
        "compressed": arrow(metrics(experiment_id, 1_000_000), "zstd"),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["nothing", "text", "parquet", "cut parquet", "parquet magic", "cut", "other bytes",
     "huge lengths", "negative length", "other columns", "other experiments", "metadata", "pickle",
     "compressed"],
)  # fmt: skip
def test_rows_that_are_none(ask: TestClient, store: Path, experiment_id: str, kind: str) -> None:
    before = files_of(store)
    content = hostile_rows(kind, experiment_id)
    answer = ask.put("/imports/metrics/rows?project=digits", content=content)
    check_refused(answer, 422)
    assert files_of(store) == before


@pytest.mark.parametrize(
    "content",
    [b"\n", b"x\n", b"00000000 [\"add\"]\n", b"\xff" * 100 + b"\n", b"[" * 100_000 + b"\n",
     b"1" * (33 << 20) + b"\n", encode_entry(Action.END, "", {})],
    ids=["blank", "text", "checksum", "bytes", "deep", "long", "no beginning"],
)  # fmt: skip
def test_lines_that_are_none(ask: TestClient, store: Path, content: bytes) -> None:
    before = files_of(store)
    answer = ask.put("/logs/20260101-000000000-0123456789/0?project=digits&offset=0",
                     content=content)  # fmt: skip
    check_refused(answer, 422)
    assert files_of(store) == before


def npy(array: Any) -> bytes:
    sink = io.BytesIO()
    np.save(sink, array)
    return sink.getvalue()


def hostile_input(kind: str) -> tuple[str, bytes]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("x.npy", bytes(10 << 20))
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }"
    declared = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    code = b"{'descr': __import__('os').system('touch stolen'), 'shape': ()}"
    return {
        "pickle": ("application/x-npy", pickle.dumps([1])),
        "npy of objects": ("application/x-npy", npy(np.array([{"a": 1}], object))),
        "npz bomb": ("application/x-npy", archive.getvalue()),
        "npz bomb as picture": ("image/png", archive.getvalue()),
        "declared shape": ("application/x-npy", declared),
        "code in a header": (
            "application/x-npy", b"\x93NUMPY\x01\x00" + len(code).to_bytes(2, "little") + code,
        ),
        "cut npy": ("application/x-npy", npy(np.zeros((3, 4)))[:-1]),
        "keras archive": ("application/zip", archive.getvalue()),
        "no picture": ("image/png", b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
        "deep json": ("application/json", b'{"inputs": ' + b"[" * 100_000),
        "ragged json": ("application/json", b'{"inputs": [[1, 2], [3]]}'),
        "other json": ("application/json", b'{"inputs": [[{"a": 1}]]}'),
        "not json": ("application/json", b"\xff\xfe"),
    }[kind]  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    ["pickle", "npy of objects", "npz bomb", "npz bomb as picture", "declared shape",
     "code in a header", "cut npy", "keras archive", "no picture", "deep json", "ragged json",
     "other json", "not json"],
)  # fmt: skip
def test_inputs_that_do_harm(
    ask: TestClient, store: Path, experiment_id: str, kind: str, tmp_path: Path
) -> None:
    media_type, content = hostile_input(kind)
    answer = ask.post(
        f"/experiments/{experiment_id}/predictions",
        content=content,
        headers={"Content-Type": media_type},
    )
    check_refused(answer, 400, 415)
    assert not list(tmp_path.rglob("stolen"))


def test_deep_and_odd_documents(ask: TestClient, ask_as: Ask) -> None:
    admin = ask_as(Scope.ADMIN)
    for content in (b"[" * 200_000, b'{"query": ' * 50_000, b"\xff", b"nan", b"1e999",
                    b'{"query": "\\ud800"}', b'{"query": 1' + b"0" * 10_000 + b"}"):  # fmt: skip
        answer = admin.post("/sql", content=content, headers={"Content-Type": "application/json"})
        check_refused(answer, 400, 422)
    assert ask.get("/health").status_code == 200
