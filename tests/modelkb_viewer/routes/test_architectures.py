from __future__ import annotations

import io
from pathlib import Path

import h5py
import pytest
from starlette.applications import Starlette

from asgi_answer import answer_of
from modelkb_store import Experiment
from modelkb_store.files.open_files import open_files
from modelkb_store.layout import STORE_VARIABLE, architecture_file
from modelkb_viewer.routes import architectures
from modelkb_viewer.routes.architectures import architecture_address, architecture_route
from object_store import ObjectStore, object_credentials, object_server, object_store
from small_experiment import ARCHITECTURE

__all__ = ["object_credentials", "object_server", "object_store"]

APP = Starlette(routes=[architecture_route()])
ADDRESS = f"/{architecture_address(ARCHITECTURE.architecture_id)}"


@pytest.fixture
def file(recorded_experiment: Experiment, store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The architecture file of the store that is shown."""
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    return store / architecture_file(ARCHITECTURE.architecture_id)


def test_the_file_is_answered_as_it_is(file: Path) -> None:
    answer = answer_of(APP, ADDRESS)

    assert answer.status == 200
    assert answer.body == file.read_bytes()
    assert answer.headers["content-type"] == "application/x-hdf5"
    assert "immutable" in answer.headers["cache-control"]
    with h5py.File(io.BytesIO(answer.body)) as opened:
        assert "model_config" in opened.attrs


@pytest.mark.usefixtures("file")
def test_it_is_only_read() -> None:
    head = answer_of(APP, ADDRESS, "HEAD")

    assert head.status == 200
    assert int(head.headers["content-length"]) > 0
    assert answer_of(APP, ADDRESS, "POST").status == 405


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    "name",
    ["a2" * 16, "a1", "A1" * 16, "a1" * 40, "..", "../" * 8 + "etc/passwd", "a1" * 16 + "\n", "\0"],
)
def test_other_names_are_not_found(name: str) -> None:
    answer = answer_of(APP, f"/architectures/{name}.h5")

    assert answer.status == 404
    # It may be there the next time.
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_a_missing_store_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))

    assert answer_of(APP, ADDRESS).status == 404


def test_a_folder_in_its_place_is_no_file(file: Path) -> None:
    file.unlink()
    file.mkdir()

    assert answer_of(APP, ADDRESS).status == 404


def test_a_store_that_cannot_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, "ftp://lab/modelkb")

    answer = answer_of(APP, ADDRESS)

    assert answer.status == 503
    assert "ftp://lab/modelkb" in answer.text


def test_what_is_too_large_is_not_read_whole(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architectures, "_MOST_BYTES", file.stat().st_size - 1)

    assert answer_of(APP, ADDRESS).status == 413


def test_a_bucket_is_read_as_well(
    object_store: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket_url = object_store.url(object_store.bucket())
    monkeypatch.setenv(STORE_VARIABLE, bucket_url)
    assert answer_of(APP, ADDRESS).status == 404

    path = architecture_file(ARCHITECTURE.architecture_id)
    open_files(bucket_url).write(path, b"as it is")

    assert answer_of(APP, ADDRESS).body == b"as it is"
