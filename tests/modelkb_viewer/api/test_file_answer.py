from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO

import pytest
from fastapi import FastAPI, Request, Response
from starlette.testclient import TestClient

from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.object_reader import ranges_reader
from modelkb_viewer.api.file_answer import BYTES, made_file, stored_file
from modelkb_viewer.api.problems import describe_problems

MIB = 1 << 20
CONTENT = os.urandom(5 * MIB + 7)
PATH = "objects/files/ab/abcd"
PROBLEM = "application/problem+json"


class Bucket(LocalFiles):
    """Files that do not lie on this machine; it is counted how much is fetched."""

    fetched = 0
    opened = 0

    def local_path(self, path: str) -> None:  # type: ignore[override]
        return None

    def open(self, path: str) -> BinaryIO:
        if path != PATH:
            raise FileNotFoundError(path)
        self.opened += 1

        def read_at(count: int, position: int) -> bytes:
            self.fetched += count
            return CONTENT[position : position + count]

        return ranges_reader(len(CONTENT), read_at, self._close)

    def exists(self, path: str) -> bool:
        return path == PATH

    def _close(self) -> None:
        self.opened -= 1


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    """A bucket with one large file."""
    return Bucket(tmp_path)


@pytest.fixture
def client(bucket: Bucket) -> TestClient:
    """Asks for files of the bucket."""
    api = FastAPI()
    describe_problems(api)

    @api.get("/{path:path}")
    @api.head("/{path:path}")
    def read(request: Request, path: str) -> Response:
        try:
            return stored_file(request, bucket, path, "näme", BYTES)
        except FileNotFoundError:
            return Response(status_code=404)

    return TestClient(api)


@pytest.fixture
def local_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Asks for a file that lies on this machine, and for one that is made."""
    files = LocalFiles(tmp_path / "modelkb")
    files.write(PATH, b"0123456789")
    folder = tmp_path / "made"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    api = FastAPI()
    describe_problems(api)

    @api.get("/kept")
    def read(request: Request) -> Response:
        return stored_file(request, files, PATH, "digits", BYTES)

    @api.get("/made")
    def make() -> Response:
        return made_file(lambda path: path.write_bytes(b"0123456789"), "digits", BYTES)

    return TestClient(api)


def test_a_file_of_a_bucket_comes_whole(client: TestClient, bucket: Bucket) -> None:
    answer = client.get(f"/{PATH}")
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == '"abcd"'
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''n%C3%A4me"
    assert "immutable" in answer.headers["cache-control"]
    assert bucket.fetched == len(CONTENT)
    assert bucket.opened == 0


def test_whether_a_file_is_there_is_said_without_reading_it(
    client: TestClient, bucket: Bucket
) -> None:
    answer = client.head(f"/{PATH}")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"abcd"')
    assert "content-length" not in answer.headers
    assert client.head("/objects/files/ab/other").status_code == 404
    assert (bucket.fetched, bucket.opened) == (0, 0)


SIZE = len(CONTENT)


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=3000000-3000009", 3_000_000, 3_000_010),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes={SIZE - 5}-", SIZE - 5, SIZE),
        (f"bytes={SIZE - 5}-{SIZE + 100}", SIZE - 5, SIZE),
    ],
)
def test_of_a_range_nothing_else_is_read(
    client: TestClient, bucket: Bucket, wanted: str, start: int, stop: int
) -> None:
    answer = client.get(f"/{PATH}", headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(stop - start)
    assert bucket.fetched <= MIB
    assert bucket.opened == 0


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", "bytes=-0", f"bytes={'9' * 18}-"])
def test_a_range_that_is_not_there_is_refused(
    client: TestClient, bucket: Bucket, wanted: str
) -> None:
    answer = client.get(f"/{PATH}", headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert f"has {SIZE:,} bytes" in answer.json()["detail"]
    assert (bucket.fetched, bucket.opened) == (0, 0)


@pytest.mark.parametrize("path", ["kept", "made"])
@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=-0", "bytes=0-1,20-30"])
def test_a_local_file_says_in_a_problem_that_it_has_no_such_range(
    local_client: TestClient, path: str, wanted: str, tmp_path: Path
) -> None:
    answer = local_client.get(f"/{path}", headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */10"
    assert answer.headers["content-type"] == PROBLEM
    detail = f"The file has 10 bytes, and none of the range {wanted}."
    assert answer.json()["detail"] == detail
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize("wanted", ["lines=1-2", "bytes=5-2", "x" * 1000])
def test_what_is_no_range_of_a_local_file_is_a_problem(
    local_client: TestClient, wanted: str
) -> None:
    answer = local_client.get("/kept", headers={"Range": wanted})
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
    assert wanted[:80] in answer.json()["detail"]
    assert len(answer.json()["detail"]) < 200


@pytest.mark.parametrize("path", ["kept", "made"])
def test_ranges_of_a_local_file_come(local_client: TestClient, path: str, tmp_path: Path) -> None:
    answer = local_client.get(f"/{path}", headers={"Range": "bytes=-3"})
    assert (answer.status_code, answer.content) == (206, b"789")
    several = local_client.get(f"/{path}", headers={"Range": "bytes=0-1,4-5"})
    assert several.headers["content-type"].startswith("multipart/byteranges")
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=-", "lines=1-2", "bytes=0-1,4-5", "x"])
def test_what_is_no_range_is_passed_over(client: TestClient, wanted: str) -> None:
    answer = client.get(f"/{PATH}", headers={"Range": wanted})
    assert (answer.status_code, len(answer.content)) == (200, SIZE)


@pytest.mark.parametrize(("tag", "status"), [('"abcd"', 206), ('"other"', 200)])
def test_a_range_of_another_content_is_not_mixed_in(
    client: TestClient, tag: str, status: int
) -> None:
    headers = {"Range": "bytes=0-9", "If-Range": tag}
    assert client.get(f"/{PATH}", headers=headers).status_code == status


def test_a_file_that_is_gone_is_missing(client: TestClient) -> None:
    assert client.get("/objects/files/ab/other").status_code == 404
