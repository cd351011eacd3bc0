"""An S3 server of one's own: moto in a process of its own, on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_OTHERS = (
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
)
_START_SECONDS = 60.0


class ObjectStore:
    """A server that speaks S3, at one port of 127.0.0.1 for as long as this object lives.

    Its objects are in the memory of its process: :meth:`stop` loses them. For a server that is
    away for a while and comes back with its objects use :meth:`pause` and :meth:`resume`: what
    is asked of it meanwhile waits for an answer, as behind a cut cable.

    Args:
        log: Where it writes what it has to say.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def endpoint(self) -> str:
        """Its address, as ``AWS_ENDPOINT_URL`` wants it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it with no objects, and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with self._log.open("ab") as log:
            environ = {**os.environ, **_CREDENTIALS}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"moto did not start: {self._log.read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it: connections are refused, and its objects are lost."""
        if self._process is not None:
            self._process.kill()  # also a paused one
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Let it answer nothing until :meth:`resume`; its objects stay."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again, at first what was asked in the pause."""
        self._signal(signal.SIGCONT)

    def bucket(self) -> str:
        """Make a new bucket and return its name."""
        name = f"bucket-{uuid.uuid4().hex}"
        self.client().create_bucket(Bucket=name)
        return name

    def url(self, bucket: str, prefix: str = "modelkb") -> str:
        """Return the place of a store as a user would give it."""
        server = f"endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"
        return f"s3://{bucket}/{prefix}?{server}"

    def client(self):  # type: ignore[no-untyped-def]  # boto3 makes its classes at run time
        """Return a boto3 client, which sees all objects as they are."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="fake",
            aws_secret_access_key="fake-secret",
            config=Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2}),
        )

    def keys(self, bucket: str) -> list[str]:
        """Return the names of all objects of a bucket."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def _signal(self, number: int) -> None:
        assert self._process is not None, "the server is not started"
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def object_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """One server for all tests of a process, which they must leave running."""
    server = ObjectStore(tmp_path_factory.mktemp("object_server") / "moto.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def object_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of nobody, and no setting of the person who runs the tests."""
    for name in _OTHERS:
        monkeypatch.delenv(name, raising=False)
    for name, value in _CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def object_store(object_server: ObjectStore, object_credentials: None) -> ObjectStore:
    """A running server, for which credentials are in the environment."""
    return object_server


@pytest.fixture
def bucket_url(object_store: ObjectStore) -> str:
    """The place of a store that is not made yet, in a bucket of its own."""
    return object_store.url(object_store.bucket())
