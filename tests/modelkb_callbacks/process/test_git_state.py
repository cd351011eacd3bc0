"""The state of real working trees, whatever the user's configuration says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelkb_callbacks.process import git_state as module
from modelkb_callbacks.process.git_state import GitState, git_state

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
    git_state.cache_clear()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


@pytest.fixture
def git(tree: Path) -> Git:
    """Runs git in a repository without a commit."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=tree, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    run("init", "--initial-branch=main")
    return run


@pytest.fixture
def committed(tree: Path, git: Git) -> str:
    """The id of a commit with a script and a picture."""
    (tree / "train.py").write_text("epochs = 5\nrate = 0.1\n")
    (tree / "digit.png").write_bytes(bytes(range(256)))
    git("add", ".")
    git("commit", "-m", "Begin")
    return git("rev-parse", "HEAD")


def test_clean(tree: Path, committed: str) -> None:
    assert git_state(tree / "train.py") == GitState(committed, "main", None)


def test_difference_staged_or_not(tree: Path, git: Git, committed: str) -> None:
    (tree / "train.py").write_text("epochs = 7\nrate = 0.1\n")
    (tree / "new.py").write_text("x = 1\n")
    (tree / "not_tracked.py").write_text("y = 1\n")
    git("add", "new.py")
    state = git_state(tree)
    assert state is not None
    assert state.difference is not None
    assert "-epochs = 5\n+epochs = 7" in state.difference
    assert "+x = 1" in state.difference
    assert "not_tracked" not in state.difference
    restored = tree.parent / "restored"
    shutil.copytree(tree / ".git", restored / ".git")
    subprocess.run(["git", "reset", "--hard", "-q"], cwd=restored, check=True)
    patch = f"{state.difference}\n".encode()
    subprocess.run(["git", "apply"], cwd=restored, check=True, input=patch)
    assert (restored / "train.py").read_text() == "epochs = 7\nrate = 0.1\n"


def test_from_a_folder_inside(tree: Path, committed: str) -> None:
    (tree / "train.py").write_text("epochs = 7\n")
    inner = tree / "inner"
    inner.mkdir()
    state = git_state(inner)
    assert state is not None
    assert state.difference is not None
    assert "a/train.py" in state.difference


def test_contents_of_binary_files_are_left_out(tree: Path, committed: str) -> None:
    (tree / "digit.png").write_bytes(bytes(256))
    state = git_state(tree)
    assert state is not None
    assert state.difference is not None
    assert "Binary files" in state.difference
    assert len(state.difference) < 200


def test_detached(tree: Path, git: Git, committed: str) -> None:
    git("checkout", "--detach")
    assert git_state(tree) == GitState(committed, None, None)


def test_no_commit_yet(tree: Path, git: Git) -> None:
    (tree / "train.py").write_text("epochs = 5\n")
    git("add", ".")
    assert git_state(tree) == GitState(None, "main", None)


def test_outside_of_a_working_tree(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    assert git_state(tmp_path / "not" / "there.py") is None


def test_without_git(tree: Path, committed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree))
    assert git_state(tree) is None


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        "conf/.env.local",
        "server.pem",
        "credentials.json",
        "aws_credentials",
        ".ssh/config",
        "id_rsa",
        "my secrets.txt".replace(" ", "_"),
        "prod.env",
    ],
)
def test_files_of_secrets_are_left_out(tree: Path, git: Git, committed: str, name: str) -> None:
    path = tree / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("plain hunter2\n")
    (tree / "train.py").write_text("epochs = 7\n")
    git("add", "-f", ".")
    state = git_state(tree)
    assert state is not None
    assert state.difference is not None
    assert name in state.difference
    assert "hunter2" not in state.difference
    assert "+epochs = 7" in state.difference


def test_secrets_in_other_files_are_redacted(tree: Path, committed: str) -> None:
    (tree / "train.py").write_text('db = connect(password="hunter2")\nepochs = 7\n')
    state = git_state(tree)
    assert state is not None
    assert state.difference is not None
    assert '+db = connect(password="[redacted]")\n+epochs = 7' in state.difference


def test_a_long_difference_is_cut(tree: Path, committed: str) -> None:
    (tree / "train.py").write_text("".join(f"x_{i} = '{'é' * 20}'\n" for i in range(10_000)))
    state = git_state(tree)
    assert state is not None
    assert state.difference is not None
    assert len(state.difference.encode()) <= 256 << 10
    assert state.difference.endswith("\n[cut: the difference is longer than 256 KiB]")


def test_a_huge_file_is_not_read(tree: Path, committed: str) -> None:
    (tree / "train.py").write_text("x = 1\n" * 1_000_000)
    state = git_state(tree)
    assert state is not None
    assert state.difference is not None
    assert "Binary files" in state.difference


CONFIGURATIONS = {
    "external": "[diff]\n external = /bin/false\n",
    "prefixes": "[diff]\n noprefix = true\n mnemonicPrefix = true\n",
    "colours": "[color]\n ui = always\n[diff]\n colorMoved = zebra\n",
    "order file": "[diff]\n orderFile = /not/there\n",
    "watcher": "[core]\n fsmonitor = /bin/false\n",
    "pager": "[core]\n pager = /bin/false\n[pager]\n diff = true\n status = true\n",
    "context": "[diff]\n context = 0\n interHunkContext = 50\n algorithm = patience\n",
    "words": "[diff]\n wordRegex = .\n renames = copies\n relative = true\n",
    "status": "[status]\n showUntrackedFiles = all\n short = true\n branch = false\n",
    "broken": "this is [not a configuration\n",
    "bad value": "[diff]\n colorMoved = nonsense\n[core]\n bigFileThreshold = many\n",
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_configurations(tree: Path, committed: str, tmp_path: Path, configuration: str) -> None:
    (tree / "train.py").write_text("epochs = 7\nrate = 0.1\n")
    plain = git_state(tree)
    git_state.cache_clear()
    (tmp_path / "gitconfig").write_text(configuration)
    assert git_state(tree) == plain
    assert plain is not None
    assert plain.difference is not None
    assert plain.difference.startswith("diff --git a/train.py b/train.py\n")


def test_drivers_of_the_repository_are_not_run(tree: Path, git: Git, committed: str) -> None:
    ran = tree.parent / "ran"
    (tree / ".gitattributes").write_text("*.py diff=own\n")
    git("config", "diff.own.command", f"touch {ran}; true")
    git("config", "diff.own.textconv", f"touch {ran}; cat")
    (tree / "train.py").write_text("epochs = 7\n")
    state = git_state(tree)
    assert state is not None
    assert state.difference is not None
    assert "+epochs = 7" in state.difference
    assert not ran.exists()


def test_variables_that_point_elsewhere(
    tree: Path, committed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/bin/false")
    assert git_state(tree) == GitState(committed, "main", None)


def test_the_index_is_not_written(tree: Path, committed: str) -> None:
    os.utime(tree / "train.py", (1, 1))
    before = (tree / ".git" / "index").read_bytes()
    assert git_state(tree) == GitState(committed, "main", None)
    assert (tree / ".git" / "index").read_bytes() == before


def test_read_while_somebody_holds_the_lock(tree: Path, committed: str) -> None:
    (tree / ".git" / "index.lock").touch()
    assert git_state(tree) == GitState(committed, "main", None)


def test_once_per_process(tree: Path, committed: str) -> None:
    first = git_state(tree)
    (tree / "train.py").write_text("epochs = 7\n")
    assert git_state(tree) is first


@pytest.mark.skipif(sys.platform == "win32", reason="the slow git is a shell script")
def test_a_slow_git_is_not_waited_for(
    tree: Path, committed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("git")
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ncase "$*" in *status*) exec sleep 60;; esac\nexec {real} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 0.3)
    state = git_state(tree)
    assert state is not None
    assert (state.commit, state.branch) == (committed, "main")
    assert state.difference is not None
    assert "not read" in state.difference
