from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modelkb_store import atomic_file
from modelkb_store.errors import PathOutsideStoreError
from modelkb_store.files import local_files
from modelkb_store.files.local_files import LocalFiles


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    """The files of a folder that is not made yet."""
    return LocalFiles(tmp_path / "store")


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def all_names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_the_place_is_the_folder(files: LocalFiles) -> None:
    files.write("a/b", b"x")

    assert files.uri == str(files.root)
    assert files.local_path("a/b") == files.root / "a" / "b"
    assert files.local_path("") == files.root


def test_reading_makes_nothing(files: LocalFiles) -> None:
    assert files.list("") == []
    assert not files.exists("a")
    files.delete("a")

    assert not files.root.exists()


def test_a_reader_keeps_the_file_that_it_opened(files: LocalFiles) -> None:
    files.write("a", b"old")
    with files.open("a") as file:
        files.write("a", b"new one")
        files.delete("a")

        assert file.read() == b"old"


def test_a_local_file_is_moved(files: LocalFiles, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"content")
    os.utime(local, (0, 0))
    number = local.stat().st_ino

    files.write_file("a/b", local)

    assert (files.root / "a" / "b").stat().st_ino == number
    assert not local.exists()
    # As garbage is spared by its age, this counts from when it came into the store.
    assert time.time() - files.list("a")[0].modified.timestamp() < 60


def test_a_local_file_of_another_device_is_copied(
    files: LocalFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"content")
    rename = os.replace

    def refuse(source: Path, target: Path) -> None:
        if Path(source) == local:
            raise OSError(errno.EXDEV, "another device")
        rename(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    files.write_file("a/b", local)

    assert files.read("a/b") == b"content"
    assert not local.exists()
    assert all_names(files.root) == ["a/b"]


def test_a_local_file_that_cannot_be_moved_stays(files: LocalFiles, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"content")
    files.write("taken/inside", b"")

    with pytest.raises(OSError, match="taken"):
        files.write_file("taken", local)

    assert local.read_bytes() == b"content"


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_files_are_created_without_links(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "link", failing(number))

    assert files.create("a/b", b"first")
    assert not files.create("a/b", b"second")
    assert files.read("a/b") == b"first"
    assert all_names(files.root) == ["a/b"]


def test_one_of_many_creates_a_file_without_links(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    won: list[int] = []

    def create(number: int) -> None:
        if files.create("a", str(number).encode()):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [str(number).encode() for number in won] == [files.read("a")]


def test_an_error_of_linking_is_not_hidden(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EIO))

    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        files.create("a", b"")
    assert all_names(files.root) == []


def test_a_link_whose_answer_was_lost_counts(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_twice(source: Path, target: Path) -> None:
        link(source, target)
        link(source, target)  # as NFS does after a time-out

    monkeypatch.setattr(os, "link", link_twice)

    assert files.create("a", b"mine")
    assert not files.create("a", b"other")


def test_where_renaming_does_not_replace_it_creates(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(source: Path, target: Path) -> None:
        if Path(target).exists():
            raise FileExistsError(errno.EEXIST, "as on Windows", str(target))
        os.replace(source, target)

    monkeypatch.setattr(local_files, "_ON_WINDOWS", True)
    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(os, "link", failing(errno.EIO))

    assert files.create("a", b"first")
    assert not files.create("a", b"second")
    assert files.read("a") == b"first"


def test_a_stale_handle_is_a_missing_file(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "open", failing(errno.ESTALE))
    with pytest.raises(FileNotFoundError, match="a/b"):
        files.read("a/b")

    monkeypatch.setattr(os, "scandir", failing(errno.ESTALE))
    assert files.list("") == []


def test_listing_passes_over_files_that_vanish(files: LocalFiles) -> None:
    stop = threading.Event()
    for number in range(200):
        files.write(f"kept/{number:03d}", b"")

    def come_and_go() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            path = files.root / f"kept/x{number % 50}"
            folder = files.root / f"gone{number % 5}"
            path.touch()
            folder.mkdir()
            folder.rmdir()
            path.unlink()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(200):
            found = [info.path for info in files.list("")]
            assert len([path for path in found if "x" not in path]) == 200
    finally:
        stop.set()
        thread.join()


def test_links_are_followed_inside_the_store_only(files: LocalFiles, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_bytes(b"secret")
    files.write("real/a", b"a")
    (files.root / "inside").symlink_to("real")
    assert [info.path for info in files.list("")] == ["inside/a", "real/a"]
    assert files.read("inside/a") == b"a"

    (files.root / "outside").symlink_to(tmp_path / "secret")
    (files.root / "file").symlink_to(tmp_path / "secret" / "key")
    for path in ("outside/key", "outside", "file"):
        for use in (files.read, files.open, files.exists, files.delete, files.local_path):
            with pytest.raises(PathOutsideStoreError):
                use(path)
    with pytest.raises(PathOutsideStoreError):
        files.write("outside/new", b"")
    with pytest.raises(PathOutsideStoreError):
        files.list("")
    assert all_names(tmp_path / "secret") == ["key"]


def test_a_store_may_itself_be_a_link(files: LocalFiles, tmp_path: Path) -> None:
    files.write("a/b", b"x")
    (files.root / "inside").symlink_to("a")
    (tmp_path / "link").symlink_to(files.root)
    linked = LocalFiles(tmp_path / "link")

    assert linked.read("inside/b") == b"x"
    assert [info.path for info in linked.list("")] == ["a/b", "inside/b"]


def test_many_files_are_all_listed(files: LocalFiles) -> None:
    for folder in range(20):
        (files.root / f"{folder:02d}").mkdir(parents=True)
        for number in range(1000):
            os.close(os.open(files.root / f"{folder:02d}" / str(number), os.O_CREAT))

    assert len(files.list("")) == 20_000


def test_what_is_half_written_is_never_seen(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("a", b"old")
    monkeypatch.setattr(atomic_file, "flush_to_disk", failing(errno.ENOSPC))

    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        files.write("a", b"new")
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        files.create("b", b"new")

    assert all_names(files.root) == ["a"]
    assert files.read("a") == b"old"
