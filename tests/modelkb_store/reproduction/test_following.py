from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from modelkb_store.reproduction.following import Ended, run_program


def followed(program: str, tell: list[str] | None = None) -> Ended:
    lines = [] if tell is None else tell
    line = [sys.executable, "-c", textwrap.dedent(program)]
    return run_program(line, dict(os.environ), lines.append)


def test_output_and_errors_are_passed_on_as_they_come() -> None:
    lines: list[str] = []

    ended = followed("import sys; print('one'); print('two', file=sys.stderr); print('é')", lines)

    assert ended.exit_code == 0
    assert lines == ["one", "two", "é"]
    assert ended.last_lines == ("one", "two", "é")
    assert ended.process_id != os.getpid()


def test_nobody_is_asked() -> None:
    assert followed("import sys; sys.exit(len(sys.stdin.read()))").exit_code == 0


def test_of_an_error_the_traceback_is_told() -> None:
    ended = followed("print('noise ' * 9); print('Traceback (most recent call last):'); 1 / 0")

    assert ended.exit_code == 1
    assert ended.error.startswith("Traceback (most recent call last):\n")
    assert ended.error.endswith("ZeroDivisionError: division by zero")
    assert "noise" not in ended.error


def test_an_error_without_a_traceback_is_its_last_lines() -> None:
    assert followed("import sys; sys.exit('no data')").error == "no data"
    assert followed("import os; os._exit(3)").error == "the process ended with 3"


def test_only_the_end_is_kept() -> None:
    ended = followed("[print(number) for number in range(1000)]")

    assert ended.last_lines[-1] == "999"
    assert len(ended.last_lines) < 100


@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_a_signal_is_named() -> None:
    ended = followed("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")

    assert ended.error == "signal SIGKILL ended the process"


FOLLOWER = """
import os, signal, sys
from modelkb_store.reproduction.following import run_program

def handlers():
    return [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
former = handlers()
try:
    line = [sys.executable, "-c", {program!r}]
    run_program(line, dict(os.environ), lambda line: print(line, flush=True))
except KeyboardInterrupt:
    print("interrupted")
print(handlers() == former)
"""


@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_stops_us_stops_the_program_as_a_person_would(
    tmp_path: Path, number: signal.Signals
) -> None:
    stopped = tmp_path / "stopped"
    program = f"""
        import time
        try:
            print("ready")
            time.sleep(60)
        except KeyboardInterrupt:
            open({str(stopped)!r}, "w").close()
            raise
    """
    line = [sys.executable, "-c", FOLLOWER.format(program=textwrap.dedent(program))]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "ready\n"
        follower.send_signal(number)
        printed = follower.stdout.read().splitlines()

    assert stopped.exists()
    assert printed[-2:] == ["interrupted", "True"]
    assert follower.returncode == 0


def test_a_child_that_goes_on_is_not_waited_for() -> None:
    started = time.monotonic()
    child = "import time; time.sleep(12)"
    program = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])"

    assert followed(program).exit_code == 0
    assert time.monotonic() - started < 11


def test_it_works_in_any_thread() -> None:
    found: list[Ended] = []
    thread = threading.Thread(target=lambda: found.append(followed("print(1)")))
    thread.start()
    thread.join()

    assert found[0].last_lines == ("1",)


@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_another_thread_can_stop_it() -> None:
    stop = threading.Event()
    lines: list[str] = []
    program = "import time\ntry:\n  print('up'); time.sleep(99)\nfinally:\n  print('interrupted')"

    def tell(line: str) -> None:
        lines.append(line)
        stop.set()

    with pytest.raises(KeyboardInterrupt):
        run_program([sys.executable, "-c", program], dict(os.environ), tell, stop)

    assert lines[:2] == ["up", "interrupted"]


def test_who_is_not_stopped_ends_by_itself() -> None:
    line = [sys.executable, "-c", "print('done')"]

    ended = run_program(line, dict(os.environ), lambda _: None, threading.Event())

    assert (ended.exit_code, ended.last_lines) == (0, ("done",))
