from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.fs
import pytest

from modelkb_store.errors import StoreUnreachableError
from modelkb_store.files import claim as claim_module
from modelkb_store.files.object_files import ObjectFiles


class Bumpy(pyarrow.fs.SubTreeFileSystem):
    """A folder like a bucket, where something happens just before what is asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), pyarrow.fs.LocalFileSystem())
        self.before: Callable[[str, object], None] = lambda _, __: None

    def get_file_info(self, what: object) -> object:
        self.before("list" if isinstance(what, pyarrow.fs.FileSelector) else "look", what)
        return super().get_file_info(what)

    def open_output_stream(self, path: str, **options: object) -> object:
        self.before("write", path)
        return super().open_output_stream(path, **options)

    def delete_file(self, path: str) -> None:
        self.before("delete", path)
        super().delete_file(path)


@pytest.fixture
def bumpy(tmp_path: Path) -> Bumpy:
    """The place of a store."""
    return Bumpy(tmp_path)


@pytest.fixture
def files(bumpy: Bumpy) -> ObjectFiles:
    """The store there."""
    return ObjectFiles(bumpy, "store", "bumpy://store")


@pytest.fixture
def others(tmp_path: Path) -> ObjectFiles:
    """The same store, for another process."""
    return ObjectFiles(
        pyarrow.fs.SubTreeFileSystem(str(tmp_path), pyarrow.fs.LocalFileSystem()), "store", "other"
    )


def claims(files: ObjectFiles, folder: str = "") -> list[str]:
    return [info.path for info in files.hidden(folder)]


def unreachable() -> None:
    raise OSError("AWS Error NETWORK_CONNECTION")


def test_nothing_is_left_but_the_file(files: ObjectFiles) -> None:
    assert files.create("a/b", b"first")
    assert not files.create("a/b", b"second")
    assert not files.create("./a//b", b"third")

    assert files.read("a/b") == b"first"
    assert claims(files, "a") == []


def test_claims_are_not_listed(files: ObjectFiles, bumpy: Bumpy, others: ObjectFiles) -> None:
    seen: list[list[str]] = []

    def look(what: str, at: object) -> None:
        if what == "write" and at == "store/a/b":
            assert len(claims(others, "a")) == 1
            seen.append([info.path for info in others.list("")])

    bumpy.before = look
    files.create("a/b", b"")

    assert seen == [[]]


def test_who_writes_before_the_look_wins(
    files: ObjectFiles, bumpy: Bumpy, others: ObjectFiles
) -> None:
    """The other finishes between the listing of the claims and the look for the file."""
    looks: list[object] = []

    def interfere(what: str, at: object) -> None:
        if what == "look":
            looks.append(at)
            if len(looks) == 2:
                others.write("a", b"other")

    bumpy.before = interfere

    assert not files.create("a", b"mine")
    assert files.read("a") == b"other"
    assert claims(files) == []


def test_while_another_claim_is_there_nobody_writes(
    files: ObjectFiles, bumpy: Bumpy, others: ObjectFiles
) -> None:
    other = f".a.claim-{'0' * 32}"
    others.write(other, b"")
    lists: list[object] = []

    def interfere(what: str, at: object) -> None:
        lists.extend([at] if what == "list" else [])
        if len(lists) == 3:
            others.delete(other)

    bumpy.before = interfere

    assert files.create("a", b"mine")
    assert len(lists) >= 3
    assert claims(files) == []


def test_the_claim_of_a_dead_process_does_not_count(
    files: ObjectFiles, bumpy: Bumpy, others: ObjectFiles, tmp_path: Path
) -> None:
    others.write(f".a.claim-{'0' * 32}", b"")
    old = time.time() - 601
    os.utime(tmp_path / "store" / f".a.claim-{'0' * 32}", (old, old))

    assert files.create("a", b"mine")
    assert claims(files) == []


def test_claims_of_other_files_do_not_count(files: ObjectFiles, others: ObjectFiles) -> None:
    others.write(f".ab.claim-{'0' * 32}", b"")
    others.write(f".a.claim-b.claim-{'0' * 32}", b"")

    assert files.create("a", b"mine")
    assert len(claims(files)) == 2


def test_who_slept_before_writing_begins_again(
    files: ObjectFiles, bumpy: Bumpy, others: ObjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it could write after its claim was taken for dead and another one had won."""
    others.write("there", b"")
    now = [1000.0]
    monkeypatch.setattr(claim_module.time, "time", lambda: now[0])
    made: list[object] = []

    def interfere(what: str, at: object) -> None:
        if what == "list" and now[0] < 2000:
            now[0] += 700
        if what == "write":
            made.append(at)

    bumpy.before = interfere

    assert files.create("a", b"mine")
    assert [str(path).partition("-")[0] for path in made] == [
        "store/.a.claim",
        "store/.a.claim",
        "store/.a.claim",
        "store/a",
    ]


def test_after_a_broken_connection_ones_own_claim_is_not_in_the_way(
    files: ObjectFiles, bumpy: Bumpy
) -> None:
    def break_off(what: str, _: object) -> None:
        if what == "list":
            unreachable()

    bumpy.before = break_off
    with pytest.raises(StoreUnreachableError, match="bumpy://store cannot be reached"):
        files.create("a", b"mine")
    bumpy.before = lambda _, __: None
    assert len(claims(files)) == 1

    assert files.create("a", b"mine")
    assert claims(files) == []


def test_a_write_that_may_still_arrive_keeps_others_off(files: ObjectFiles, bumpy: Bumpy) -> None:
    def break_off(what: str, at: object) -> None:
        if what == "write" and at == "store/a":
            unreachable()

    bumpy.before = break_off
    with pytest.raises(StoreUnreachableError):
        files.create("a", b"mine")

    assert len(claims(files)) == 1


def test_a_file_that_is_there_is_a_success_though_its_claim_stays(
    files: ObjectFiles, bumpy: Bumpy
) -> None:
    def break_off(what: str, _: object) -> None:
        if what == "delete":
            unreachable()

    bumpy.before = break_off
    assert files.create("a", b"mine")
    assert len(claims(files)) == 1
    bumpy.before = lambda _, __: None

    files.create("b", b"")
    assert claims(files) == []


def test_one_of_many_wins(files: ObjectFiles, others: ObjectFiles) -> None:
    for round_ in range(5):
        won: list[int] = []

        def create(number: int, path: str = str(round_), won: list[int] = won) -> None:
            if (files, others)[number % 2].create(path, str(number).encode()):
                won.append(number)

        threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [files.read(str(round_))] == [str(number).encode() for number in won]
    assert claims(files) == []
