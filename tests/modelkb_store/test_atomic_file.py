from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from modelkb_store import atomic_file


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def write_half(path: Path, error: type[BaseException]) -> None:
    with atomic_file.replacing(path) as partial:
        partial.write_bytes(b"half")
        raise error


def test_a_file_is_made_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"

    atomic_file.write_bytes(path, b"new")

    assert path.read_bytes() == b"new"
    assert names_in(path.parent) == ["file"]


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"an older and longer content")

    atomic_file.write_bytes(path, memoryview(b"new"))

    assert path.read_bytes() == b"new"
    assert names_in(tmp_path) == ["file"]


def test_an_empty_file_can_be_written(tmp_path: Path) -> None:
    atomic_file.write_bytes(tmp_path / "file", b"")

    assert (tmp_path / "file").read_bytes() == b""


def test_the_old_file_stays_whole_while_the_new_one_is_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    with atomic_file.replacing(path, suffix=".h5") as partial:
        partial.write_bytes(b"half")

        assert path.read_bytes() == b"old"
        assert partial.parent == tmp_path
        assert partial.name.startswith(".")
        assert partial.name.endswith(".h5")

    assert path.read_bytes() == b"half"


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_the_old_file_stays_if_writing_fails(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    with pytest.raises(error):
        write_half(path, error)

    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_nothing_is_left_if_the_first_write_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), atomic_file.replacing(tmp_path / "file"):
        raise ValueError("stop")

    assert names_in(tmp_path) == []


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    with pytest.raises(FileNotFoundError), atomic_file.replacing(path):
        pass

    assert path.read_bytes() == b"old"


def test_a_folder_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").touch()

    with pytest.raises(OSError, match="taken"):
        atomic_file.write_bytes(tmp_path / "taken", b"new")

    assert names_in(tmp_path) == ["taken"]


def test_an_unnamed_file_is_gone_at_the_end(tmp_path: Path) -> None:
    with atomic_file.unnamed(tmp_path / "folder", ".weights.h5") as partial:
        partial.write_bytes(b"content")
        assert partial.name.startswith(".")

    assert names_in(tmp_path / "folder") == []


def test_an_unnamed_file_gets_its_name(tmp_path: Path) -> None:
    with atomic_file.unnamed(tmp_path, ".weights.h5") as partial:
        partial.write_bytes(b"content")
        atomic_file.name(partial, tmp_path / "ab" / "file.weights.h5")

    assert names_in(tmp_path) == ["ab"]
    assert (tmp_path / "ab" / "file.weights.h5").read_bytes() == b"content"


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [letter * 300_000 for letter in (b"a", b"b")]
    atomic_file.write_bytes(path, contents[0])
    seen: list[bytes] = []

    def rewrite() -> None:
        for turn in range(100):
            atomic_file.write_bytes(path, contents[turn % 2])

    writer = threading.Thread(target=rewrite)
    writer.start()
    while writer.is_alive():
        seen.append(path.read_bytes())
    writer.join()

    assert len(seen) > 10
    assert all(content in contents for content in seen)


def test_writers_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = {bytes([number]) * 50_000 for number in range(4)}

    def rewrite(content: bytes) -> None:
        for _ in range(20):
            atomic_file.write_bytes(path, content)

    writers = [threading.Thread(target=rewrite, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert path.read_bytes() in contents
    assert names_in(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="only POSIX can limit the size of files")
    path = tmp_path / "file"
    path.write_bytes(b"old")
    # In a process of its own, as the limit holds for all of one.
    program = textwrap.dedent(
        """
        import pathlib, resource, sys
        from modelkb_store import atomic_file

        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            atomic_file.write_bytes(pathlib.Path(sys.argv[1]), bytes(100_000))
        except OSError:
            sys.exit(7)
        """
    )

    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)

    assert ended.returncode == 7
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]
