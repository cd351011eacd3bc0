from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from modelkb_store import (
    FORMAT_VERSION,
    CorruptFileError,
    FormatVersionError,
    NotAStoreError,
    StoreNotFoundError,
    layout,
)
from modelkb_store.errors import PathOutsideStoreError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import check_store, create_store, resolve_store_location


@pytest.fixture
def files(store: Path) -> LocalFiles:
    """An empty store."""
    files = LocalFiles(store)
    create_store(files)
    return files


def write_format(store: Path, text: str) -> None:
    store.mkdir(parents=True, exist_ok=True)
    (store / "format.json").write_text(text, "utf-8")


def test_the_argument_goes_before_the_environment(tmp_path: Path) -> None:
    chosen = resolve_store_location(tmp_path / "mine", {"MODELKB_STORE": str(tmp_path / "theirs")})

    assert chosen == str(tmp_path / "mine")


def test_the_environment_goes_before_the_default(tmp_path: Path) -> None:
    assert resolve_store_location(None, {"MODELKB_STORE": str(tmp_path / "x")}) == str(
        tmp_path / "x"
    )


def test_the_process_environment_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(tmp_path / "x"))

    assert resolve_store_location(None) == str(tmp_path / "x")


@pytest.mark.parametrize("environ", [{}, {"MODELKB_STORE": ""}])
def test_the_default_is_beside_the_user(tmp_path: Path, environ: dict[str, str]) -> None:
    assert resolve_store_location(None, environ) == str(tmp_path / "modelkb")


def test_a_relative_path_is_fixed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = resolve_store_location("here")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert chosen == str(tmp_path / "here")


def test_the_home_folder_is_understood() -> None:
    assert resolve_store_location("~/stores") == str(Path.home() / "stores")


@pytest.mark.parametrize("address", ["s3://bucket/modelkb", "gs://bucket/a/b?project_id=x"])
def test_an_address_stays_as_it_is(address: str) -> None:
    assert resolve_store_location(address) == address
    assert resolve_store_location(None, {"MODELKB_STORE": address}) == address


def test_a_new_store_says_its_format(store: Path) -> None:
    create_store(LocalFiles(store / "deep" / "inside"))

    text = (store / "deep" / "inside" / "format.json").read_text("utf-8")
    assert json.loads(text) == {"format": "modelkb-store", "version": FORMAT_VERSION}
    assert os.listdir(store / "deep" / "inside") == ["format.json"]


def test_a_store_is_made_only_once(files: LocalFiles) -> None:
    before = (files.root / "format.json").stat().st_ino

    create_store(files)

    assert check_store(files) == FORMAT_VERSION
    assert (files.root / "format.json").stat().st_ino == before


def test_hidden_files_are_not_in_the_way(store: Path) -> None:
    store.mkdir()
    (store / ".DS_Store").touch()

    create_store(LocalFiles(store))

    assert sorted(os.listdir(store)) == [".DS_Store", "format.json"]


def test_a_folder_of_something_else_is_left_alone(store: Path) -> None:
    store.mkdir()
    (store / "thesis.txt").touch()

    with pytest.raises(NotAStoreError, match=r"thesis\.txt.*Choose another folder"):
        create_store(LocalFiles(store))

    assert os.listdir(store) == ["thesis.txt"]


def test_a_file_is_no_folder(store: Path) -> None:
    store.touch()

    with pytest.raises(StoreNotFoundError, match=re.escape(str(store))):
        check_store(LocalFiles(store))
    with pytest.raises(OSError, match=re.escape(str(store))):
        create_store(LocalFiles(store))


def test_opening_makes_nothing(store: Path) -> None:
    with pytest.raises(StoreNotFoundError, match=re.escape(str(store))):
        check_store(LocalFiles(store))

    assert not store.exists()


def test_a_newer_store_is_refused(store: Path) -> None:
    write_format(store, json.dumps({"format": "modelkb-store", "version": FORMAT_VERSION + 1}))

    for use in (check_store, create_store):
        with pytest.raises(FormatVersionError, match=r"format 3.*up to 2.*pip install --upgrade"):
            use(LocalFiles(store))


def test_an_older_store_says_so_until_it_is_written_to(store: Path) -> None:
    write_format(store, json.dumps({"format": "modelkb-store", "version": 1}))

    assert check_store(LocalFiles(store)) == 1
    create_store(LocalFiles(store))
    assert check_store(LocalFiles(store)) == FORMAT_VERSION == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '"text"',
        "{}",
        '{"format": "modelkb-store"}',
        '{"version": 1}',
        '{"format": "modelkb-store", "version": null}',
        '{"format": "modelkb-store", "version": "new"}',
        '{"format": "modelkb-store", "version": NaN}',
        '{"format": "modelkb-store", "version": []}',
        '{"format": "another", "version": 1}',
        "\0\0\0",
        '{"format": "modelkb-store", "version": 1e999}',
    ],
)
def test_a_damaged_format_file_is_named(store: Path, text: str) -> None:
    write_format(store, text)

    with pytest.raises(CorruptFileError) as caught:
        check_store(LocalFiles(store))

    assert caught.value.path == store / "format.json"
    assert str(store / "format.json") in str(caught.value)


def test_bytes_that_are_no_text_are_a_damaged_format_file(store: Path) -> None:
    store.mkdir()
    (store / "format.json").write_bytes(b"\xff\xfe\xfa")

    with pytest.raises(CorruptFileError, match=r"format\.json"):
        check_store(LocalFiles(store))


def test_every_project_has_a_folder_in_each_table() -> None:
    assert layout.table_folder("models") == "models"
    assert layout.table_folder("models", "a/b") == "models/project=a%2Fb"
    assert (
        layout.table_file("models", "cats & dogs", "ab12")
        == "models/project=cats%20%26%20dogs/ab12.parquet"
    )


def test_objects_are_named_by_content() -> None:
    assert layout.architecture_file("abcd") == "objects/architectures/ab/abcd.h5"
    assert layout.pack_file("abcd") == "objects/packs/ab/abcd.h5"
    assert layout.kept_file("abcd") == "objects/files/ab/abcd"
    assert layout.tombstone_file("abcd") == "tombstones/abcd.json"


@pytest.mark.parametrize(
    "recorded", ["../secret", "objects/../../secret", "/etc/passwd", "..", "a/../../modelkb2/x"]
)
def test_a_recorded_path_must_not_lead_out(files: LocalFiles, recorded: str) -> None:
    for use in (files.read, files.open, files.local_path, files.delete, files.exists):
        with pytest.raises(PathOutsideStoreError, match="leads out of the store"):
            use(recorded)


def test_a_link_must_not_lead_out(files: LocalFiles, tmp_path: Path) -> None:
    (files.root / "link").symlink_to(tmp_path)

    with pytest.raises(PathOutsideStoreError, match="leads out of the store"):
        files.local_path("link/secret")


def test_a_store_may_itself_be_a_link(files: LocalFiles, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(files.root)

    linked = LocalFiles(tmp_path / "link")

    assert check_store(linked) == FORMAT_VERSION
    assert linked.local_path("objects/x") == tmp_path / "link" / "objects" / "x"


def test_threads_may_make_a_store_at_once(tmp_path: Path) -> None:
    start = threading.Barrier(6)
    failures: list[Exception] = []

    def create() -> None:
        try:
            for number in range(20):
                start.wait()
                create_store(LocalFiles(tmp_path / str(number)))
                (tmp_path / str(number) / "experiments").mkdir(exist_ok=True)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)
            start.abort()

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_processes_may_make_a_store_at_once(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import pathlib, sys
        from modelkb_store.files.local_files import LocalFiles
        from modelkb_store.layout import create_store

        root = pathlib.Path(sys.argv[1])
        (root / sys.argv[2]).touch()
        while not (root / "go").exists():
            pass
        for number in range(40):
            create_store(LocalFiles(root / f"store-{number}"))
            (root / f"store-{number}" / "experiments").mkdir(exist_ok=True)
        """
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), f"ready-{number}"])
        for number in range(2)
    ]
    while len(list(tmp_path.glob("ready-*"))) < 2:
        assert all(process.poll() is None for process in processes)
    (tmp_path / "go").touch()

    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    for number in range(40):
        names = sorted(os.listdir(tmp_path / f"store-{number}"))
        assert names == ["experiments", "format.json"]
