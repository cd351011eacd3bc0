"""What is printed is copied, and goes on to where it always went."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import sys
import textwrap
import threading
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_callbacks.process import console as module
from modelkb_callbacks.process.console import ConsoleCapture


def test_both_streams_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    with ConsoleCapture() as console:
        print("one")
        print("two", file=sys.stderr)
        sys.stdout.writelines(["three", " and four\n"])
        print("no end", end="")
    print("after")
    assert console.text == "one\ntwo\nthree and four\nno end\n"
    shown = capsys.readouterr()
    assert shown.out == "one\nthree and four\nno endafter\n"
    assert shown.err == "two\n"


def test_streams_stay_what_they_are() -> None:
    before = sys.stdout, sys.stderr, dict(vars(sys.stdout)), sys.stdout.write
    with ConsoleCapture():
        assert (sys.stdout, sys.stderr) == before[:2]
        assert sys.stdout.write("") == 0
        assert isinstance(sys.stdout, io.TextIOBase)
        with pytest.raises(TypeError):
            sys.stdout.write(3)  # type: ignore[arg-type]
    assert (sys.stdout, sys.stderr, dict(vars(sys.stdout)), sys.stdout.write) == before


def test_what_has_the_stream_already() -> None:
    logger = logging.getLogger("of the user")
    handler = logging.StreamHandler(sys.stderr)
    logger.addHandler(handler)
    with ConsoleCapture() as console:
        logger.warning("careful")
    logger.removeHandler(handler)
    assert console.text == "careful\n"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("10%\r50%\r100%\n", "100%\n"),
        ("10%\r", "10%\n"),
        ("windows\r\n", "windows\n"),
        ("\b\b\b\b\r\x1b[1m3/3\x1b[0m done\n", "3/3 done\n"),
        ("a\n\nb", "a\n\nb\n"),
        ("password: hunter2\n", "password: [redacted]\n"),
        ("\ud800\n", "\\ud800\n"),
    ],
)
def test_as_a_terminal_shows_it(written: str, expected: str) -> None:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), ConsoleCapture() as console:
        for character in written:
            sys.stdout.write(character)
    assert console.text == expected
    assert stream.getvalue() == written


@given(st.lists(st.text(alphabet="ab\r\n\b")))
def test_however_it_is_cut_into_writes(pieces: list[str]) -> None:
    texts = []
    for writes in (pieces, ["".join(pieces)]):
        with contextlib.redirect_stdout(io.StringIO()), ConsoleCapture() as console:
            for piece in writes:
                sys.stdout.write(piece)
        texts.append(console.text)
    assert texts[0] == texts[1]


def test_a_real_training() -> None:
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with contextlib.redirect_stdout(io.StringIO()), ConsoleCapture() as console:
        model.fit(np.zeros((64, 2)), np.zeros((64, 1)), epochs=2, batch_size=8, verbose=1)
    lines = console.text.splitlines()
    assert [line for line in lines if line.startswith("Epoch")] == ["Epoch 1/2", "Epoch 2/2"]
    assert sum("8/8" in line for line in lines) == 2
    assert "\x1b" not in console.text


@pytest.mark.parametrize("inner_first", [True, False])
def test_two_at_once(inner_first: bool) -> None:
    before = dict(vars(sys.stdout))
    outer, inner = ConsoleCapture(), ConsoleCapture()
    print("none")
    outer.start()
    print("outer")
    inner.start()
    print("both")
    (inner if inner_first else outer).stop()
    print("one")
    (outer if inner_first else inner).stop()
    print("none")
    assert outer.text == ("outer\nboth\none\n" if inner_first else "outer\nboth\n")
    assert inner.text == ("both\n" if inner_first else "both\none\n")
    assert dict(vars(sys.stdout)) == before


def test_the_users_own_redirection() -> None:
    before = sys.stdout
    console = ConsoleCapture()
    console.start()
    replacement = io.StringIO()
    sys.stdout = replacement
    try:
        print("theirs")
        console.stop()
        assert sys.stdout is replacement
    finally:
        sys.stdout = before
    assert "write" not in vars(before)
    assert console.text == ""
    assert replacement.getvalue() == "theirs\n"


def test_the_users_own_cover_stays() -> None:
    stream: Any = io.StringIO()
    with contextlib.redirect_stdout(stream):
        console = ConsoleCapture()
        console.start()
        below = stream.write
        mine = lambda text: below(text.upper())  # noqa: E731
        stream.write = mine
        print("a")
        console.stop()
        assert stream.write is mine
        print("b")
    assert stream.getvalue() == "A\nB\n"
    assert console.text == "A\n"


def test_no_more_than_the_limit() -> None:
    with contextlib.redirect_stdout(io.StringIO()), ConsoleCapture(limit_bytes=1 << 20) as console:
        for number in range(200_000):
            print("line", number)
    assert len(console.text) < (1 << 20) + 100
    assert console.text.endswith("\n[cut: more than 1 MiB was printed]\n")


def test_a_line_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_LINE", 10)
    with contextlib.redirect_stdout(io.StringIO()), ConsoleCapture() as console:
        for _ in range(25):
            sys.stdout.write(".")
    assert console.text.replace("\n", "") == "." * 25


def test_many_threads() -> None:
    def speak(name: int) -> None:
        for number in range(200):
            sys.stdout.write(f"{name} {number}\n")

    with contextlib.redirect_stdout(io.StringIO()), ConsoleCapture() as console:
        threads = [threading.Thread(target=speak, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(console.text.splitlines()) == sorted(
        f"{a} {b}" for a in range(4) for b in range(200)
    )


class Slotted:
    __slots__ = ("text",)

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_a_stream_that_cannot_be_covered() -> None:
    stream: Any = Slotted()
    with contextlib.redirect_stdout(stream), ConsoleCapture() as console:
        print("a")
    assert stream.text == "a\n"
    assert console.text == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.slow
def test_a_child_prints_into_the_console_alone() -> None:
    script = textwrap.dedent(
        """
        import os, sys
        from modelkb_callbacks.process.console import ConsoleCapture
        console = ConsoleCapture()
        console.start()
        print("parent", flush=True)
        child = os.fork()
        if child == 0:
            print("child", flush=True)
            console.stop()
            os._exit(0)
        os.waitpid(child, 0)
        print("parent")
        text = console.stop()
        print(repr(text), sys.stdout is sys.__stdout__)
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "parent\nchild\nparent\n'parent\\nparent\\n' True\n"
