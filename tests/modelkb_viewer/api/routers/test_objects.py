from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from starlette.testclient import TestClient

from modelkb_store import Store
from modelkb_store.architecture_file import read_architecture
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import architecture_file, pack_file
from modelkb_store.records import ArtifactRecord
from modelkb_store.weights.pack import pack_id
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.tokens import Scope
from small_experiment import STARTED, experiment_record, record_complete_experiment

Ask = Callable[..., TestClient]
PROBLEM = "application/problem+json"


def objects(store: Path) -> list[str]:
    return [info.path for info in LocalFiles(store).list("objects")]


def everything(store: Path) -> dict[str, bytes]:
    """Return what lies in the store and beside it, but for the audit log."""
    return {
        str(path): path.read_bytes()
        for path in store.parent.rglob("*")
        if path.is_file() and "audit" not in path.parts
    }


def test_files_of_content_come_and_go(ask: TestClient, store: Path) -> None:
    for path in objects(store):
        content = (store / path).read_bytes()
        assert ask.get(f"/{path}").content == content
        assert ask.head(f"/{path}").status_code == 200
        part = ask.get(f"/{path}", headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, content[2:6])
        (store / path).unlink()
        assert ask.get(f"/{path}").status_code == 404
        assert ask.put(f"/{path}", content=content).status_code == 204
        assert (store / path).read_bytes() == content


@pytest.mark.parametrize(
    "path",
    [
        "files/../../format.json",
        "files/%2e%2e/%2e%2e/format.json",
        "files/..%2f..%2fformat.json",
        "%2e%2e/format.json",
        "files/ab/../../../tokens/0123456789.json",
        "files/..\\..\\format.json",
        "files/..%5c..%5cformat.json",
        "files/ab/%00",
        "files/ab/x%00.h5",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "files//etc/passwd",
        "files/ab/" + "a" * 300,
        "files/ab/.hidden",
        "tokens/0123456789.json",
        "files/C:/x",
        "files/ab/x%0a",
        "architectures",
        "",
    ],
)
def test_no_path_leads_out(ask: TestClient, store: Path, path: str) -> None:
    before = everything(store)
    for answer in (
        ask.get(f"/objects/{path}"),
        ask.put(f"/objects/{path}", content=b"x"),
        ask.head(f"/objects/{path}"),
    ):
        assert answer.status_code in (404, 405, 422), answer.text
        assert answer.headers["content-type"] == PROBLEM
        assert "root:" not in answer.text
        assert "modelkb-store" not in answer.text
    assert everything(store) == before


def hostile_pack(path: Path, kind: str) -> None:
    with h5py.File(path, "w") as file:
        if kind == "external link":
            file["x"] = h5py.ExternalLink("/etc/passwd", "/x")
        elif kind == "external storage":
            file.create_dataset("x", (8,), "u1", external=[("/etc/passwd", 0, 8)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((3,), "f8")
            layout[:] = h5py.VirtualSource("/tmp/x.h5", "x", (3,))
            file.create_virtual_dataset("x", layout)
        elif kind == "huge shape":
            file.create_dataset("x", (1 << 40,), "f4", chunks=(1 << 16,), compression="gzip")
        elif kind == "groups":
            file.create_group("/".join(["g"] * 3000))
        elif kind == "other content":
            file["x"] = np.zeros(3)


@pytest.mark.parametrize(
    "kind",
    ["external link", "external storage", "virtual", "huge shape", "groups", "other content", ""],
)
def test_packs_that_do_harm_are_refused(
    ask: TestClient, store: Path, tmp_path: Path, kind: str
) -> None:
    pack = tmp_path / "hostile.h5"
    if kind:
        hostile_pack(pack, kind)
    else:
        pack.write_bytes(b"PK\x03\x04 a zip archive")
    path = pack_file(pack_id(["x"]))
    answer = ask.put(f"/{path}", content=pack.read_bytes())
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["type"] == "/problems/invalid-object"
    assert "root:" not in answer.text
    assert not (store / path).exists()
    assert not list(store.glob(".saving-*"))


def test_files_are_what_their_hash_says(ask: TestClient, store: Path) -> None:
    name = hashlib.sha256(b"mine").hexdigest()
    path = f"/objects/files/{name[:2]}/{name}"
    assert ask.put(path, content=b"other").status_code == 422
    assert ask.put(path, content=b"mine").status_code == 204
    # It is handed out as bytes to be kept, never as a page.
    answer = ask.get(path)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_the_first_architecture_of_an_id_stays(
    ask: TestClient, store: Path, tmp_path: Path
) -> None:
    path = architecture_file("a1" * 16)
    before = (store / path).read_bytes()
    other = tmp_path / "other.h5"
    with h5py.File(store / path) as file:
        facts = {**dict(file.attrs), "model_config": '{"class_name": "Lambda"}'}
    with h5py.File(other, "w") as file:
        for name, value in facts.items():
            file.attrs[name] = value
    assert ask.put(f"/{path}", content=other.read_bytes()).status_code == 204
    assert (store / path).read_bytes() == before
    assert read_architecture(LocalFiles(store), path).model_config is not None


def test_a_token_of_one_project_reads_what_its_rows_name(ask_as: Ask, store: Path) -> None:
    record_complete_experiment(store, "zoo", 40)
    mine, other, nobody = (
        ask_as(Scope.WRITE, "zoo"), ask_as(Scope.READ, "digits"), ask_as(Scope.READ, "none")
    )  # fmt: skip
    kept = objects(store)
    assert {path.split("/")[1] for path in kept} == {"architectures", "packs", "files"}
    for path in kept:
        assert mine.get(f"/{path}").status_code == 200, path
        assert other.get(f"/{path}").status_code == 200, path
        assert nobody.get(f"/{path}").status_code == nobody.head(f"/{path}").status_code == 404
    name = hashlib.sha256(b"new").hexdigest()
    path = f"/objects/files/{name[:2]}/{name}"
    assert mine.put(path, content=b"new").status_code == 204
    assert mine.get(path).status_code == 404  # no row names it yet
    assert ask_as(Scope.READ).get(path).status_code == 200


def test_rows_lead_to_files_of_content_alone(ask: TestClient, store: Path) -> None:
    """Rows come from others, too: what they name is not any file of the store."""
    sha256 = "ab" * 32
    writer = ExperimentWriter(store, "digits", experiment_record(77))
    run = writer.experiment.experiment_id
    writer.add_artifacts([ArtifactRecord(run, "other", "format.json", sha256, 3, STARTED)])
    writer.close()
    answer = ask.get(f"/experiments/{run}/artifacts/{sha256}")
    assert answer.status_code == 404
    assert "modelkb-store" not in answer.text
    with pytest.raises(FileNotFoundError):
        Store(store).experiment(run).read_artifact(sha256)
