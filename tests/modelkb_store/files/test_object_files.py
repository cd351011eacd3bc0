"""What only a server shows; what all files have in common is in test_contract.py."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

from modelkb_store.errors import StoreUnreachableError
from modelkb_store.files.object_files import ObjectFiles
from object_store import ObjectStore, object_credentials, object_server, object_store

__all__ = ["object_credentials", "object_server", "object_store"]

LARGE = 6 * 2**20


@pytest.fixture
def bucket(object_store: ObjectStore) -> str:
    """An empty bucket."""
    return object_store.bucket()


@pytest.fixture
def files(object_store: ObjectStore, bucket: str) -> ObjectFiles:
    """A store in it."""
    filesystem = pyarrow.fs.S3FileSystem(
        endpoint_override=f"127.0.0.1:{object_store.port}", scheme="http", region="us-east-1"
    )
    return ObjectFiles(filesystem, f"{bucket}/team/modelkb", f"s3://{bucket}/team/modelkb")


def test_files_lie_under_the_prefix(
    files: ObjectFiles, object_store: ObjectStore, bucket: str
) -> None:
    files.write("log/project=cats%20%26%20dogs/a b.jsonl", b"x")

    assert object_store.keys(bucket) == ["team/modelkb/log/project=cats%20%26%20dogs/a b.jsonl"]


def test_directory_markers_are_no_files(
    files: ObjectFiles, object_store: ObjectStore, bucket: str
) -> None:
    files.write("a/b", b"x")
    object_store.client().put_object(Bucket=bucket, Key="team/modelkb/empty/", Body=b"")
    files.delete("a/b")

    assert files.list("") == []
    assert not files.exists("empty")
    assert not files.exists("a")


def test_neighbours_are_not_listed(files: ObjectFiles) -> None:
    for path in ("a/1", "ab/2", "a.txt", "z"):
        files.write(path, b"")
    sibling = ObjectFiles(files.filesystem, files.root + "2", "s3://sibling")
    sibling.write("b", b"")

    assert [info.path for info in files.list("a")] == ["a/1"]
    assert [info.path for info in files.list("")] == ["a.txt", "a/1", "ab/2", "z"]


@pytest.mark.parametrize("rows", [10, 1_000_000])
def test_parquet_is_read(files: ObjectFiles, rows: int) -> None:
    table = pa.table({"x": np.random.default_rng(1).random(rows)})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    files.write("a.parquet", sink.getvalue())

    with files.open("a.parquet") as file:
        assert pq.ParquetFile(file).read().equals(table)


@pytest.mark.parametrize("length", [10, 1_000_000])
def test_hdf5_is_read(files: ObjectFiles, tmp_path: Path, length: int) -> None:
    values = np.arange(length, dtype="float64")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["deep/values"] = values
    files.write_file("a.h5", tmp_path / "a.h5")

    with files.open("a.h5") as source, h5py.File(source, "r") as file:
        assert np.array_equal(file["deep/values"][:], values)


def test_a_large_object_is_read_at_any_position(files: ObjectFiles) -> None:
    content = np.random.default_rng(1).bytes(LARGE)
    files.write("a", content)

    with files.open("a") as file:
        assert file.seek(-5, io.SEEK_END) == LARGE - 5
        assert file.read() == content[-5:]
        assert file.read() == b""
        assert file.seek(LARGE // 2) == LARGE // 2
        assert file.read(10) == content[LARGE // 2 : LARGE // 2 + 10]
        file.seek(LARGE + 10)
        assert file.read(1) == b""
        with pytest.raises(ValueError, match="negative"):
            file.seek(-1)


def test_an_object_deleted_while_it_is_open_is_missing(files: ObjectFiles) -> None:
    files.write("a", bytes(LARGE))
    with files.open("a") as file:
        files.delete("a")

        with pytest.raises(FileNotFoundError):
            file.read()


def test_an_upload_that_fails_in_between_leaves_the_old_object(files: ObjectFiles) -> None:
    """Dropping a stream of pyarrow would publish the part; also when all garbage is gone."""
    import gc

    class TornFile(io.BytesIO):
        pieces = 0

        def read(self, size: int | None = -1) -> bytes:
            self.pieces += 1
            if self.pieces == 3:
                raise OSError(5, "the disk is broken")
            return super().read(size)

    class TornPath(type(Path())):  # type: ignore[misc]
        def open(self, *_: object) -> TornFile:
            return TornFile(bytes(30 * 2**20))

    files.write("a", b"old")
    with pytest.raises(OSError, match="the disk is broken"):
        files.write_file("a", TornPath(__file__))
    gc.collect()

    assert files.read("a") == b"old"


def test_a_missing_bucket_is_named(files: ObjectFiles) -> None:
    missing = ObjectFiles(files.filesystem, "no-such-bucket/x", "s3://no-such-bucket/x")

    assert missing.list("") == []
    assert not missing.exists("a")
    with pytest.raises(FileNotFoundError):
        missing.read("a")
    with pytest.raises(StoreUnreachableError, match="s3://no-such-bucket/x.*bucket"):
        missing.write("a", b"")


@pytest.fixture
def large_file(tmp_path: Path) -> Iterator[Path]:
    """A file of 200 MB that takes no space."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    yield path
    path.unlink(missing_ok=True)


def test_a_large_file_is_not_held_in_memory(files: ObjectFiles, large_file: Path) -> None:
    psutil = pytest.importorskip("psutil")
    import threading

    process, done, most = psutil.Process(), threading.Event(), [0]
    before = process.memory_info().rss

    def watch() -> None:
        while not done.wait(0.01):
            most[0] = max(most[0], process.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        files.write_file("large", large_file)
    finally:
        done.set()
        watcher.join()

    assert files.list("")[0].size_bytes == 200_000_000
    assert not large_file.exists()
    assert most[0] < 120_000_000
