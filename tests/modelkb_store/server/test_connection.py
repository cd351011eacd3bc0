from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modelkb_store.errors import ModelKBError, ServerRefusedError, StoreUnreachableError
from modelkb_store.server.connection import Connection, Patience, path_of

JSON = {"Content-Type": "application/json"}
Given = tuple[int, dict[str, str], bytes]


class Answers:
    """A server that gives the answers that it is told, one after the other."""

    def __init__(self) -> None:
        self.given: list[Given] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.silence = 0.0
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answers.asked.append((self.command, self.path, dict(self.headers), body))
                time.sleep(answers.silence)
                status, headers, content = answers.given.pop(0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer  # noqa: N815 - as the base class wants them

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def answers() -> Iterator[Answers]:
    """A server of the test's own."""
    answers = Answers()
    yield answers
    answers.server.shutdown()
    answers.server.server_close()


def test_what_is_asked(answers: Answers) -> None:
    answers.given = [(200, JSON, b'{"a": 1}')]
    connection = Connection(answers.address.replace("//", "//secret@"))
    path, query = path_of("a/b", "é"), {"name": "x&y", "none": None}
    assert connection.document("POST", path, [1], query=query) == {"a": 1}

    ((method, where, headers, body),) = answers.asked
    assert (method, where) == ("POST", "/api/v1/a%2Fb/%C3%A9?name=x%26y")
    assert (headers["Authorization"], body) == ("Bearer secret", b"[1]")
    assert "secret" not in repr(connection) + connection.uri


def test_a_server_that_is_busy_is_asked_again(answers: Answers) -> None:
    busy: Given = (503, {}, b"")
    answers.given = [busy, busy, (200, JSON, b"[]")]
    assert Connection(answers.address).document("GET", "/x") == []
    answers.given = [busy]
    with pytest.raises(StoreUnreachableError, match="503"):
        Connection(answers.address).ask("POST", "/x", repeats=False)
    assert len(answers.asked) == 4


def test_it_comes_again_when_the_server_says(answers: Answers) -> None:
    for status, told, least in ((429, "1", 1.0), (503, "1", 1.0), (429, None, 0.5), (503, "x", 0)):
        in_two_seconds = datetime.now(timezone.utc) + timedelta(seconds=2)
        when = told or format_datetime(in_two_seconds, usegmt=True)
        answers.given = [(status, {"Retry-After": when}, b""), (200, JSON, b"[]")]
        began = time.monotonic()
        assert Connection(answers.address).document("GET", "/x") == []
        assert time.monotonic() - began >= least
    # What was not begun can be asked again, also what must not be done twice.
    answers.given = [(429, {"Retry-After": "0"}, b""), (200, JSON, b"[]")]
    assert Connection(answers.address).ask("POST", "/x", repeats=False).status == 200


def test_it_does_not_wait_for_long(answers: Answers) -> None:
    begun = time.monotonic()
    for status, patience in ((429, Patience()), (503, Patience()), (429, Patience(attempts=1))):
        answers.given = [(status, {"Retry-After": "3600"}, b"")]
        with pytest.raises(StoreUnreachableError, match=str(status)):
            Connection(answers.address, patience).ask("GET", "/x")
    assert time.monotonic() - begun < 20
    assert answers.given == []


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        ((302, {"Location": "https://other"}, b""), StoreUnreachableError, "https://other"),
        ((404, {"Content-Type": "text/html"}, b"<p>"), StoreUnreachableError, "no server of Mod"),
        ((200, {"Content-Type": "text/html"}, b"<p>"), StoreUnreachableError, "not that of Mod"),
        ((413, {}, b""), ServerRefusedError, "too large"),
        ((500, {"Content-Type": "application/problem+json"}, b"?"), StoreUnreachableError, "500"),
    ],
)
def test_answers_of_others(
    answers: Answers, given: Given, kind: type[ModelKBError], text: str
) -> None:
    answers.given = [given]
    with pytest.raises(kind, match=text):
        Connection(answers.address).document("GET", "/x")


def test_a_server_that_is_silent_is_given_up(answers: Answers) -> None:
    answers.silence, answers.given = 1.0, [(200, JSON, b"[]")]
    begun = time.monotonic()
    with pytest.raises(StoreUnreachableError, match="imed out"):
        Connection(answers.address, Patience(1.0, 0.2, attempts=1)).ask("GET", "/x")
    assert time.monotonic() - begun < 0.9
    time.sleep(1.0)


def test_an_answer_that_breaks_off(answers: Answers) -> None:
    answers.given = [(200, {"Content-Type": "application/vnd.apache.arrow.stream"}, b"half")]
    with pytest.raises(StoreUnreachableError, match="not that of ModelKB"):
        Connection(answers.address).rows("/x", {})


def test_who_has_no_server_loads_nothing_for_it() -> None:
    code = "import sys, modelkb_store.writer, modelkb_store.store, modelkb_store.files_backend\n"
    code += "from modelkb_store.transfer.spool import open_spool; print('urllib3' in sys.modules)"
    asked: Callable[..., str] = subprocess.check_output
    assert asked([sys.executable, "-c", code], text=True) == "False\n"
