"""One prediction process, from the server's side."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import BinaryIO, cast

from modelkb_viewer.prediction.errors import PredictionProcessError, PredictionTimeoutError
from modelkb_viewer.prediction.messages import Message, receive, send

# Without the folder that the viewer was started in, from which Python would import as well.
_CODE = (
    "import sys; sys.path[:] = [each for each in sys.path if each]; "
    "from modelkb_viewer.prediction.worker import main; main()"
)
# A GPU is left to those who train: TensorFlow would take all of its memory.
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
_SECONDS_TO_END = 5


class WorkerProcess:
    """Starts a prediction process when it is first asked something; threads take turns.

    Args:
        backend: The backend of Keras that it uses.
        environment: Environment variables for it, beside the server's own.
        idle_seconds: After how long without a request it is ended.
        most_bytes: Above how much memory it is ended after an answer.
    """

    def __init__(
        self,
        backend: str,
        environment: Mapping[str, str] | None = None,
        *,
        idle_seconds: float,
        most_bytes: int,
    ) -> None:
        self._environment = {**_ENVIRONMENT, **(environment or {}), "KERAS_BACKEND": backend}
        self._idle_seconds = idle_seconds
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None

    @property
    def process_id(self) -> int | None:
        """Its number, while it runs."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def ask(self, request: Message, limit_seconds: float) -> Message:
        """Return the answer to a request.

        Raises:
            PredictionTimeoutError: There was none in time; the process was ended.
            PredictionProcessError: The process ended by itself.
        """
        until = time.monotonic() + limit_seconds
        if not self._lock.acquire(timeout=limit_seconds):
            raise PredictionTimeoutError(limit_seconds)
        try:
            self._wait_no_longer()
            answer = self._exchange(request, until, limit_seconds)
            if int(answer.content.get("memory_bytes", 0)) > self._most_bytes:
                self._end()
            return answer
        finally:
            self._end_when_idle()
            self._lock.release()

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._wait_no_longer()
            self._end()

    def _exchange(self, request: Message, until: float, limit_seconds: float) -> Message:
        process = self._started()
        late = threading.Event()
        timer = threading.Timer(max(0.1, until - time.monotonic()), _stop, (process, late))
        timer.daemon = True
        timer.start()
        try:
            send(cast("BinaryIO", process.stdin), request)
            return receive(cast("BinaryIO", process.stdout))
        except (EOFError, OSError, ValueError) as error:
            exit_code = self._end()
            if late.is_set():
                raise PredictionTimeoutError(limit_seconds) from error
            raise PredictionProcessError(exit_code) from error
        finally:
            timer.cancel()

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process_id is None:
            self._end()
            self._process = subprocess.Popen(  # noqa: S603 - our own code alone
                [sys.executable, "-c", _CODE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # What goes wrong is in the answer; the rest is what backends say as they start.
                stderr=subprocess.DEVNULL,
                env={**os.environ, **self._environment},
                # Ctrl-C in the terminal is for the server, whose end ends this one.
                start_new_session=True,
            )
        return cast("subprocess.Popen[bytes]", self._process)

    def _end(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                _close(stream)
        try:
            return process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _wait_no_longer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _end_when_idle(self) -> None:
        self._idle = threading.Timer(self._idle_seconds, self._end_if_idle, ())
        self._idle.daemon = True
        self._idle.start()

    def _end_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                # Whoever asked in between has set another timer.
                if self._idle is threading.current_thread():
                    self._end()
            finally:
                self._lock.release()


def _stop(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _close(stream: object) -> None:
    try:
        stream.close()  # type: ignore[attr-defined]
    except OSError:  # it is gone already, with what was still to be written to it
        return
