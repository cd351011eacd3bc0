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
)
from modelkb_store.layout import Layout, resolve_store_path


@pytest.fixture
def layout(store: Path) -> Layout:
    """An empty store."""
    return Layout.create(store)


def write_format(store: Path, text: str) -> None:
    store.mkdir(parents=True, exist_ok=True)
    (store / "format.json").write_text(text, "utf-8")


def test_the_argument_goes_before_the_environment(tmp_path: Path) -> None:
    chosen = resolve_store_path(tmp_path / "mine", {"MODELKB_STORE": str(tmp_path / "theirs")})

    assert chosen == tmp_path / "mine"


def test_the_environment_goes_before_the_default(tmp_path: Path) -> None:
    assert resolve_store_path(None, {"MODELKB_STORE": str(tmp_path / "x")}) == tmp_path / "x"


def test_the_process_environment_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELKB_STORE", str(tmp_path / "x"))

    assert resolve_store_path(None) == tmp_path / "x"


@pytest.mark.parametrize("environ", [{}, {"MODELKB_STORE": ""}])
def test_the_default_is_beside_the_user(tmp_path: Path, environ: dict[str, str]) -> None:
    assert resolve_store_path(None, environ) == tmp_path / "modelkb"


def test_a_relative_path_is_fixed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = resolve_store_path("here")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert chosen == tmp_path / "here"


def test_the_home_folder_is_understood() -> None:
    assert resolve_store_path("~/stores") == Path.home() / "stores"


def test_a_new_store_says_its_format(store: Path) -> None:
    Layout.create(store / "deep" / "inside")

    text = (store / "deep" / "inside" / "format.json").read_text("utf-8")
    assert json.loads(text) == {"format": "modelkb-store", "version": FORMAT_VERSION}
    assert os.listdir(store / "deep" / "inside") == ["format.json"]


def test_a_store_is_made_only_once(layout: Layout) -> None:
    before = (layout.root / "format.json").stat().st_ino

    assert Layout.create(layout.root).root == layout.root
    assert (layout.root / "format.json").stat().st_ino == before


def test_hidden_files_are_not_in_the_way(store: Path) -> None:
    store.mkdir()
    (store / ".DS_Store").touch()

    assert Layout.create(store).root == store


def test_a_folder_of_something_else_is_left_alone(store: Path) -> None:
    store.mkdir()
    (store / "thesis.txt").touch()

    with pytest.raises(NotAStoreError, match=r"thesis\.txt.*Choose another folder"):
        Layout.create(store)

    assert os.listdir(store) == ["thesis.txt"]


def test_a_file_is_no_folder(store: Path) -> None:
    store.touch()

    with pytest.raises(StoreNotFoundError, match=re.escape(str(store))):
        Layout.open(store)
    with pytest.raises(OSError, match=re.escape(str(store))):
        Layout.create(store)


def test_opening_makes_nothing(store: Path) -> None:
    with pytest.raises(StoreNotFoundError, match=re.escape(str(store))):
        Layout.open(store)

    assert not store.exists()


def test_a_newer_store_is_refused(store: Path) -> None:
    write_format(store, json.dumps({"format": "modelkb-store", "version": FORMAT_VERSION + 1}))

    for use in (Layout.open, Layout.create):
        with pytest.raises(FormatVersionError, match=r"format 2.*up to 1.*pip install --upgrade"):
            use(store)


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
        Layout.open(store)

    assert caught.value.path == store / "format.json"
    assert str(store / "format.json") in str(caught.value)


def test_bytes_that_are_no_text_are_a_damaged_format_file(store: Path) -> None:
    store.mkdir()
    (store / "format.json").write_bytes(b"\xff\xfe\xfa")

    with pytest.raises(CorruptFileError, match=r"format\.json"):
        Layout.open(store)


def test_every_project_has_a_folder_in_each_table(layout: Layout) -> None:
    root = layout.root

    assert layout.table_folder("models") == root / "models"
    assert (
        layout.table_file("models", "cats & dogs", "ab12")
        == root / "models" / "project=cats%20%26%20dogs" / "ab12.parquet"
    )
    assert (
        layout.part_file("metrics", "digits", "20260102-x", 12)
        == root / "metrics" / "project=digits" / "20260102-x-0012.parquet"
    )


def test_objects_are_named_by_content(layout: Layout) -> None:
    objects = layout.root / "objects"

    assert layout.architecture_file("abcd") == objects / "architectures" / "ab" / "abcd.h5"
    assert layout.weights_file("abcd") == objects / "weights" / "ab" / "abcd.weights.h5"
    assert layout.weights_file("abcd").is_relative_to(layout.weights_folder())


def test_a_recorded_path_leads_back(layout: Layout) -> None:
    path = layout.weights_file("ab" * 32)
    recorded = layout.relative(path)

    assert recorded == f"objects/weights/ab/{'ab' * 32}.weights.h5"
    assert layout.absolute(recorded) == path


@pytest.mark.parametrize(
    "recorded", ["../secret", "objects/../../secret", "/etc/passwd", "..", "a/../../modelkb2/x"]
)
def test_a_recorded_path_must_not_lead_out(layout: Layout, recorded: str) -> None:
    with pytest.raises(CorruptFileError, match="leads out of the store"):
        layout.absolute(recorded)


def test_a_link_must_not_lead_out(layout: Layout, tmp_path: Path) -> None:
    (layout.root / "link").symlink_to(tmp_path)

    with pytest.raises(CorruptFileError, match="leads out of the store"):
        layout.absolute("link/secret")


def test_a_store_may_itself_be_a_link(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(layout.root)

    linked = Layout.open(tmp_path / "link")

    assert linked.absolute("objects/x") == tmp_path / "link" / "objects" / "x"


def test_threads_may_make_a_store_at_once(tmp_path: Path) -> None:
    start = threading.Barrier(6)
    failures: list[Exception] = []

    def create() -> None:
        try:
            for number in range(20):
                start.wait()
                layout = Layout.create(tmp_path / str(number))
                layout.table_folder("experiments").mkdir(exist_ok=True)
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
        from modelkb_store.layout import Layout

        root = pathlib.Path(sys.argv[1])
        (root / sys.argv[2]).touch()
        while not (root / "go").exists():
            pass
        for number in range(40):
            layout = Layout.create(root / f"store-{number}")
            layout.table_folder("experiments").mkdir(exist_ok=True)
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
