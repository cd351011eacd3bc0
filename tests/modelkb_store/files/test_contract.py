"""What all places of stores do, tried on each kind of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from modelkb_store.errors import PathOutsideStoreError
from modelkb_store.files.files import Files
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.object_files import ObjectFiles
from modelkb_store.files.open_files import open_files
from object_store import object_credentials, object_server, object_store

__all__ = ["object_credentials", "object_server", "object_store"]

_ODD_NAMES = [
    "project=cats%20%26%20dogs/a.parquet",
    "two words/and more.txt",
    "für/数字/🐈.json",
    "a+b&c=d;e,f/#1?x=2.txt",
    "packed.gz",
]
# Control characters cannot be in the listings of S3, nor a colon, < and > in names on Windows.
_NAMES = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], exclude_characters='/\\:<>"|?*'
    ),
    min_size=1,
    max_size=20,
).filter(lambda name: not name.startswith(".") and not name.endswith((" ", ".")))


@pytest.fixture(params=["local", "objects over folders", "objects over a subtree", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """The files of a store that is not made yet."""
    folder = tmp_path / "place"
    if request.param == "local":
        return LocalFiles(folder)
    if request.param == "objects over folders":
        return ObjectFiles(LocalFileSystem(), folder.as_posix(), "folder://place")
    if request.param == "objects over a subtree":
        below = SubTreeFileSystem(tmp_path.as_posix(), LocalFileSystem())
        return ObjectFiles(below, "place", "subtree://place")
    server = request.getfixturevalue("object_store")
    return open_files(server.url(server.bucket()))


def paths(files: Files, folder: str = "") -> list[str]:
    return [info.path for info in files.list(folder)]


def test_what_is_written_is_read(files: Files) -> None:
    files.write("a/b/c.bin", b"\0one")
    files.write("a/empty", b"")
    files.write("a/view", memoryview(b"12345")[1:3])
    assert [files.read(path) for path in paths(files)] == [b"\0one", b"", b"23"]


def test_a_newer_content_replaces_all_of_an_older_one(files: Files) -> None:
    files.write("a.txt", b"a long old content")
    files.write("a.txt", b"new")
    assert files.read("a.txt") == b"new"


@pytest.mark.parametrize("call", [Files.read, Files.open])
@pytest.mark.parametrize("path", ["nothing.txt", "no/such/folder/a.txt", "a.txt/below"])
def test_a_missing_file_is_missing(
    files: Files, call: Callable[[Files, str], object], path: str
) -> None:
    files.write("a.txt", b"a")
    with pytest.raises(FileNotFoundError):
        getattr(files, call.__name__)(path)
    assert not files.exists(path)
    files.delete(path)


def test_listing(files: Files) -> None:
    for path in ("b.txt", "a/z.txt", "a/b/c.txt", "ab/x.txt", "a/.hidden", ".h/a.txt", "a/.h/b"):
        files.write(path, path.encode())
    assert paths(files) == ["a/b/c.txt", "a/z.txt", "ab/x.txt", "b.txt"]
    assert paths(files, "a") == ["a/b/c.txt", "a/z.txt"]
    assert paths(files, "a/b/") == ["a/b/c.txt"]
    assert paths(files, "missing") == []
    first = files.list("a")[0]
    assert first.size_bytes == len("a/b/c.txt")
    assert abs(datetime.now(timezone.utc) - first.modified) < timedelta(minutes=1)


def test_folders_are_not_files(files: Files) -> None:
    files.write("a/b.txt", b"b")
    assert files.exists("a/b.txt")
    assert not files.exists("a")


def test_deleting(files: Files) -> None:
    files.write("a/b.txt", b"b")
    files.delete("a/b.txt")
    files.delete("a/b.txt")
    assert paths(files) == []


@pytest.mark.parametrize("path", _ODD_NAMES)
def test_odd_names(files: Files, path: str) -> None:
    files.write(path, b"content")
    assert paths(files) == [path]
    assert files.read(path) == b"content"
    assert files.create(path, b"other") is False
    files.delete(path)
    assert files.create(path, b"other") is True
    assert files.read(path) == b"other"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(names=st.lists(_NAMES, min_size=1, max_size=3))
@example(names=["~", "%2e%2e", "CON~1"])
def test_any_name(files: Files, names: list[str]) -> None:
    path = "/".join([f"n{abs(hash(tuple(names)))}", *names])
    files.write(path, path.encode())
    assert path in paths(files)
    assert files.read(path) == path.encode()


@pytest.mark.parametrize(
    "path", ["../a", "/etc/passwd", "a/../../b", "a\\b", "C:/a", "a/C:b", "a/..", "a\0b"]
)
def test_nothing_leads_out_of_a_store(files: Files, tmp_path: Path, path: str) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"mine")
    for call in (
        lambda: files.read(path),
        lambda: files.open(path),
        lambda: files.write(path, b""),
        lambda: files.write_file(path, local),
        lambda: files.move(path, "a"),
        lambda: files.move("a", path),
        lambda: files.create(path, b""),
        lambda: files.list(path),
        lambda: files.exists(path),
        lambda: files.delete(path),
        lambda: files.local_path(path),
    ):
        with pytest.raises(PathOutsideStoreError):
            call()
    assert local.read_bytes() == b"mine"


def test_a_local_file_is_moved_there(files: Files, tmp_path: Path) -> None:
    local = tmp_path / "local.bin"
    content = os.urandom(50_000_000)
    local.write_bytes(content)
    files.write("big.bin", b"old")
    files.write_file("big.bin", local)
    assert not local.exists()
    assert [info.size_bytes for info in files.list("")] == [len(content)]
    assert hashlib.sha256(files.read("big.bin")).digest() == hashlib.sha256(content).digest()
    with files.open("big.bin") as file:
        file.seek(-5, os.SEEK_END)
        assert file.read() == content[-5:]
        file.seek(20_000_000)
        assert file.read(7) == content[20_000_000:20_000_007]


def test_a_local_file_that_is_missing_replaces_nothing(files: Files, tmp_path: Path) -> None:
    files.write("a.txt", b"old")
    with pytest.raises(FileNotFoundError):
        files.write_file("a.txt", tmp_path / "missing")
    assert files.read("a.txt") == b"old"


def test_a_file_gets_another_name(files: Files) -> None:
    files.write(".hidden/a%20b.bin", b"new")
    files.write("a/c.bin", b"a long old one")
    files.move(".hidden/a%20b.bin", "a/c.bin")
    files.move("a/c.bin", "new/folder/d.bin")
    assert paths(files) == ["new/folder/d.bin"]
    assert files.read("new/folder/d.bin") == b"new"
    assert abs(datetime.now(timezone.utc) - files.list("new")[0].modified) < timedelta(minutes=1)
    with pytest.raises(FileNotFoundError):
        files.move("a/c.bin", "new/folder/d.bin")
    assert files.read("new/folder/d.bin") == b"new"


def test_one_of_many_creates(files: Files) -> None:
    contents = [f"by {number}".encode() for number in range(8)]
    for number in range(3):
        path = f"manifest/{number:08}.json"
        with ThreadPoolExecutor(len(contents)) as pool:
            made = list(pool.map(lambda content, path=path: files.create(path, content), contents))
        assert made.count(True) == 1
        assert files.read(path) == contents[made.index(True)]
    assert paths(files) == [f"manifest/{number:08}.json" for number in range(3)]


def test_parquet_and_hdf5_are_read_in_place(files: Files, tmp_path: Path) -> None:
    for rows in (10, 1_000_000):  # small ones may be read in another way
        local = tmp_path / "local"
        table = pa.table({"a": np.arange(rows), "b": np.random.default_rng(0).random(rows)})
        pq.write_table(table, local)
        files.write_file("a.parquet", local)
        with files.open("a.parquet") as file:
            assert pq.ParquetFile(file).read(columns=["b"]).equals(table.select(["b"]))
        with h5py.File(local, "w") as made:
            made["b"] = table["b"].to_numpy()
        files.write_file("a.h5", local)
        with files.open("a.h5") as file, h5py.File(file, "r") as read:
            assert np.array_equal(read["b"][:], table["b"].to_numpy())


def test_pyarrow_reads_a_dataset_in_place(files: Files, tmp_path: Path) -> None:
    local = tmp_path / "local"
    for project in ("cats%20%26%20dogs", "digits"):
        pq.write_table(pa.table({"a": [1, 2]}), local)
        files.write_file(f"metrics/project={project}/a.parquet", local)
    if isinstance(files, ObjectFiles):
        found = pads.dataset(
            f"{files.root}/metrics", filesystem=files.filesystem, partitioning="hive"
        )
    else:
        found = pads.dataset(files.local_path("metrics"), partitioning="hive")
    assert found.to_table().num_rows == 4
    assert set(found.to_table()["project"].to_pylist()) == {"cats & dogs", "digits"}


def test_a_reader_keeps_a_small_file_while_it_is_replaced_and_deleted(files: Files) -> None:
    if isinstance(files, ObjectFiles) and not files.uri.startswith("s3://"):
        pytest.skip("writing to such a file system is not whole")
    files.write("a.txt", b"old")
    with files.open("a.txt") as file:
        files.write("a.txt", b"newer")
        files.delete("a.txt")
        assert file.read() == b"old"
