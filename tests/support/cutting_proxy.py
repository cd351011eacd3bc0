"""A network that breaks: connections to a server that end at the worst moments."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

_REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|PATCH|DELETE) (\S+) HTTP/1\.1\r\n")
_PLAIN_QUERY = re.compile(rb"offset=\d+&?")


class CuttingProxy:
    """Passes connections on to a server, and cuts the first of every kind of request.

    Args:
        port: Where the server listens, on this machine.
        cuts: ``answers``: the request is done, and its answer is lost; ``requests``: half of its
            bytes arrive; ``nothing``.

    Attributes:
        address: What clients are to ask: ``http://127.0.0.1:port``.
        cut: The methods and paths that were cut, in order.
    """

    def __init__(self, port: int, cuts: str = "nothing") -> None:
        self._port = port
        self._cuts = cuts
        self._lock = threading.Lock()
        self.cut: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            server = socket.create_connection(("127.0.0.1", self._port))
            doomed = threading.Event()
            back = threading.Thread(target=self._answer, args=(server, client, doomed), daemon=True)
            back.start()
            with server:
                while piece := client.recv(1 << 16):
                    if self._is_new(piece):
                        if self._cuts == "requests":
                            server.sendall(piece[: len(piece) // 2])
                            break
                        doomed.set()
                    server.sendall(piece)
                _shut(server)
                _shut(client)

    def _answer(
        self, server: socket.socket, client: socket.socket, doomed: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := server.recv(1 << 16):
                if doomed.is_set():
                    break
                client.sendall(piece)
        _shut(client)

    def _is_new(self, piece: bytes) -> bool:
        """Return whether a request begins here whose kind has not been cut yet."""
        found = _REQUEST.match(piece)
        if found is None or self._cuts == "nothing":
            return False
        name = f"{found[1].decode()} {_PLAIN_QUERY.sub(b'', found[2]).decode()}"
        with self._lock:
            if name in self.cut:
                return False
            self.cut.append(name)
            return True


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
