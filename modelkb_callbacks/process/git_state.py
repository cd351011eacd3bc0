"""The state of the git working tree that holds the user's code."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modelkb_callbacks.redacted_text import redacted_text

_TIMEOUT_SECONDS = 2.0
_MAX_DIFFERENCE_BYTES = 256 << 10
_MAX_READ_BYTES = 4 * _MAX_DIFFERENCE_BYTES  # what is left out comes before the cut
_CUT = "[cut: the difference is longer than 256 KiB]"
_SLOW = f"[not read: git took longer than {_TIMEOUT_SECONDS:.0f} s]"
_LEFT_OUT = "[left out: a file of secrets]"

# Whatever the user's configuration says: git starts no program of theirs, asks nobody and
# nothing over the network, and gives differences in its usual form.
_SETTINGS = {
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "core.bigFileThreshold": "1m",  # larger files count as binary, and are not read
    "diff.orderFile": os.devnull,
    "diff.algorithm": "default",
    "diff.suppressBlankEmpty": "false",
    "protocol.allow": "never",
}
_STATUS = (
    *("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no"),
    *("--ignore-submodules=dirty", "--no-renames"),
)
_DIFF = (
    *("diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--unified=3", "--inter-hunk-context=0"),
    *("--submodule=short", "--ignore-submodules=dirty", "--no-relative"),
)
_SECRET_PART = re.compile(
    r"\.env(\..*)?|.*\.env|\.envrc|.*\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg|tfvars|tfstate)"
    r"|id_(rsa|dsa|ecdsa|ed25519).*|[._-]?(credential|secret|password)s?([._-].*)?"
    r"|.*[._-](credential|secret|password)s?([._-].*)?|service[_-]?account.*\.json"
    r"|\.(netrc|pypirc|npmrc|pgpass|htpasswd|git-credentials|dockercfg|ssh|aws|gnupg|kube)"
    r"|_netrc|kubeconfig|.*token(\.(txt|json|ya?ml))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class GitState:
    """A commit, and what the working tree has on top of it.

    Attributes:
        commit: Its id; None in a repository without a commit.
        branch: The branch's name; None where no branch is checked out.
        difference: What tracked files have, staged or not, that the commit has not, as
            ``git diff`` prints it; None if there is none. Contents of binary files, of files
            larger than 1 MiB and of files named like secrets are left out, as is what looks
            like a credential; of more than 256 KiB the rest is cut.
    """

    commit: str | None
    branch: str | None
    difference: str | None


@functools.lru_cache(maxsize=16)
def git_state(folder: Path) -> GitState | None:
    """Return the state of the working tree around a folder or a file, once per process.

    Later calls return the first answer: it is the code that this process has loaded.

    Args:
        folder: A folder or a file; an absolute path.

    Returns:
        None where there is no git, no working tree, or one that git refuses to read.
    """
    git = shutil.which("git")
    place = folder if folder.is_dir() else folder.parent
    if git is None or not place.is_dir() or not _is_in_working_tree(place):
        return None
    reader = _Reader(git, place)
    status = reader.read(_STATUS)
    if status is None and not reader.timed_out:
        # A configuration that git itself cannot read.
        reader = _Reader(git, place, {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"})
        status = reader.read(_STATUS)
    if reader.timed_out:
        return _state_without_files(git, place)
    return None if status is None else _state(reader, status)


def _is_in_working_tree(place: Path) -> bool:
    """Return whether git may find one; without one there is no need to start it."""
    real = place.resolve()
    return any((folder / ".git").exists() for folder in (real, *real.parents))


def _state(reader: _Reader, status: str) -> GitState:
    headers = dict(
        line[2:].split(" ", 1) for line in status.splitlines() if line.startswith("# branch.")
    )
    commit = _known(headers.get("branch.oid"), "(initial)")
    branch = _known(headers.get("branch.head"), "(detached)")
    changed = any(not line.startswith("#") for line in status.splitlines())
    difference = None
    if commit is not None and changed:
        read = reader.read(_DIFF)
        difference = _SLOW if reader.timed_out else _clean(read or "") or None
    return GitState(commit, branch, difference)


def _state_without_files(git: str, place: Path) -> GitState | None:
    """Return what git knows without a look at the files, of which it has too many."""
    reader = _Reader(git, place)
    commit = reader.read(("rev-parse", "--verify", "--quiet", "HEAD"))
    if reader.timed_out:
        return None
    branch = reader.read(("symbolic-ref", "--short", "--quiet", "HEAD"))
    return GitState((commit or "").strip() or None, (branch or "").strip() or None, _SLOW)


def _known(value: str | None, unknown: str) -> str | None:
    return None if value in (None, unknown) else value


class _Reader:
    """Runs git commands that only read, together for no longer than the time limit."""

    def __init__(self, git: str, place: Path, extra: Mapping[str, str] | None = None) -> None:
        settings = [word for item in _SETTINGS.items() for word in ("-c", "=".join(item))]
        self._command = [git, "--no-pager", *settings]
        self._place = place
        self._environment = {**_environment(os.environ), **(extra or {})}
        self._ends_at = time.monotonic() + _TIMEOUT_SECONDS
        self.timed_out = False

    def read(self, arguments: tuple[str, ...]) -> str | None:
        """Return what a command prints, or None if it fails or takes too long."""
        try:
            process = subprocess.Popen(  # noqa: S603 - git, with fixed arguments
                [*self._command, *arguments],
                cwd=self._place,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:  # the folder is gone, or git cannot be run
            return None
        with process, _killing(process, max(self._ends_at - time.monotonic(), 0.0)) as late:
            assert process.stdout is not None
            output = process.stdout.read(_MAX_READ_BYTES)
            enough = len(output) == _MAX_READ_BYTES
            if enough:
                process.kill()
        self.timed_out = late.is_set()
        if self.timed_out or (process.returncode != 0 and not enough):
            return None
        return output.decode("utf-8", "replace")


@contextlib.contextmanager
def _killing(process: subprocess.Popen[bytes], seconds: float) -> Iterator[threading.Event]:
    """End a process that takes longer; the event says whether it did."""
    late = threading.Event()

    def kill() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, kill)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for git, without what points it to another repository."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("GIT_") or name.startswith(("GIT_CONFIG_", "GIT_CEILING"))
    }
    kept.pop("GIT_CONFIG_PARAMETERS", None)
    return {
        **kept,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }


def _clean(difference: str) -> str:
    """Return a difference without secrets, and not longer than it may be."""
    shown = redacted_text("".join(_without_secret_files(difference))).rstrip("\n")
    encoded = shown.encode()
    all_read = len(difference.encode()) < _MAX_READ_BYTES
    if all_read and len(encoded) <= _MAX_DIFFERENCE_BYTES:
        return shown
    room = _MAX_DIFFERENCE_BYTES - len(_CUT) - 1
    whole_lines = encoded[:room].rpartition(b"\n")[0].decode("utf-8", "ignore")
    return f"{whole_lines}\n{_CUT}"


def _without_secret_files(difference: str) -> Iterator[str]:
    """Walk the parts of a difference, each of one file."""
    for part in re.split(r"^(?=diff --git )", difference, flags=re.MULTILINE):
        header = part.partition("\n")[0]
        # Paths with spaces are not told apart; all that is between slashes is looked at.
        names = re.split(r"[/\"]", header)
        if any(_SECRET_PART.fullmatch(name.strip()) for name in names):
            yield f"{header}\n{_LEFT_OUT}\n"
        else:
            yield part
