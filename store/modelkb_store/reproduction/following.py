"""Running a program to its end: its output is passed on, and Ctrl-C reaches it once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

_LINES_KEPT = 60
_LINES_OF_ERROR = 8
_TRACEBACK = "Traceback (most recent call last)"
# What it may take to record that it was interrupted, with its weights.
_SECONDS_TO_END = 60.0
# A child of its own may have kept its output open.
_SECONDS_TO_READ = 5.0
# How often it is looked whether to stop.
_SECONDS_BETWEEN_LOOKS = 0.2
_STOPPING = ("SIGTERM", "SIGHUP")  # the latter is not there on Windows


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Attributes:
        exit_code: Its exit status; of one that a signal ended, the signal's number below zero.
        process_id: What it was.
        last_lines: The end of what it printed.
    """

    exit_code: int
    process_id: int
    last_lines: tuple[str, ...]

    @property
    def error(self) -> str:
        """The last lines of its error, as far as they can be told from the rest."""
        if self.exit_code < 0:
            with contextlib.suppress(ValueError):
                return f"signal {signal.Signals(-self.exit_code).name} ended the process"
        lines = [line for line in self.last_lines if line.strip()]
        begins = [index for index, line in enumerate(lines) if line.startswith(_TRACEBACK)]
        shown = lines[begins[-1] :] if begins else lines
        return "\n".join(shown[-_LINES_OF_ERROR:]) or f"the process ended with {self.exit_code}"


def run_program(
    line: Sequence[str],
    environment: Mapping[str, str],
    tell: Callable[[str], None],
    stop: threading.Event | None = None,
) -> Ended:
    """Run a program, and return when it has ended.

    Args:
        line: The words of its command line.
        environment: Its environment variables.
        tell: Gets every line that it prints, from another thread.
        stop: Set by another thread, it asks to stop, as Ctrl-C does in the main thread.

    Raises:
        KeyboardInterrupt: A person, a signal or a thread asked to stop. The program was asked the
            same, and has ended.
        OSError: It cannot be started.
    """
    last: deque[str] = deque(maxlen=_LINES_KEPT)
    with _stops_as_interrupts():
        process = subprocess.Popen(  # noqa: S603 - it is asked for
            list(line),
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            # Else a terminal's Ctrl-C would reach it a second time, while it records the first.
            start_new_session=True,
        )
        assert process.stdout is not None
        arguments = (process.stdout, last, tell)
        reader = threading.Thread(target=_pass_on, args=arguments, daemon=True)
        try:
            reader.start()
            _wait(process, stop)
        except BaseException:
            _end(process)
            raise
        finally:
            reader.join(_SECONDS_TO_READ)
    return Ended(process.returncode, process.pid, tuple(last))


def _wait(process: subprocess.Popen[str], stop: threading.Event | None) -> None:
    if stop is None:
        process.wait()
        return
    while process.poll() is None:
        if stop.wait(_SECONDS_BETWEEN_LOOKS):
            raise KeyboardInterrupt


def _pass_on(output: IO[str], last: deque[str], tell: Callable[[str], None]) -> None:
    with output:
        for line in output:
            last.append(line.rstrip("\n"))
            tell(line.rstrip("\n"))


def _end(process: subprocess.Popen[str]) -> None:
    """Ask a process to stop as a person would; with all its children if it does not."""
    try:
        process.send_signal(signal.SIGINT)
        process.wait(_SECONDS_TO_END)
    except BaseException:  # noqa: BLE001 - also where a person asks again
        _kill(process)
        process.wait()


def _kill(process: subprocess.Popen[str]) -> None:
    if os.name == "nt":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _stops_as_interrupts() -> Iterator[None]:
    """Let signals that end this process do so in the way of Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _STOPPING if hasattr(signal, name)]
    former = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
