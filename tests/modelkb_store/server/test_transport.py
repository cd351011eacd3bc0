from __future__ import annotations

import datetime
import ipaddress
import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from modelkb_store.errors import InvalidSettingError, StoreUnreachableError
from modelkb_store.server.address import ServerAddress
from modelkb_store.server.connection import Connection, Patience
from modelkb_store.server.transport import is_this_machine, proxy_of

ONCE = Patience(2.0, 2.0, attempts=1)
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "MODELKB_CA_FILE", "MODELKB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Site(HTTPServer):
    """A server that answers every request with a document, and notes what was asked."""

    asked: list[tuple[str, dict[str, str]]]


@pytest.fixture
def site_factory() -> Iterator[Callable[..., Site]]:
    """Starts servers, with TLS or not."""
    sites: list[Site] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    def start(context: ssl.SSLContext | None = None) -> Site:
        site = Site(("127.0.0.1", 0), Handler)
        site.asked = []
        if context is not None:
            site.socket = context.wrap_socket(site.socket, server_side=True)
        site.handle_error = lambda *_: None  # type: ignore[method-assign,assignment]
        sites.append(site)
        threading.Thread(target=site.serve_forever, daemon=True).start()
        return site

    yield start
    for site in sites:
        site.shutdown()
        site.server_close()


@pytest.mark.parametrize(
    ("location", "environment", "proxy"),
    [
        ("https://lab", {}, None),
        ("https://lab", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://lab", {"https_proxy": "p:1"}, "http://p:1"),
        ("https://lab", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("https://lab", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://lab", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("https://lab:8601", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other,lab"}, None),
        ("https://a.lab", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".lab"}, None),
        ("https://lab", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("http://127.0.0.1:8601", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://localhost:8601", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://[::1]:8601", {"HTTP_PROXY": "http://p:1"}, None),
    ],
)
def test_which_proxy(
    location: str,
    environment: dict[str, str],
    proxy: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(ServerAddress.parse(location)) == proxy


def test_a_server_behind_a_proxy(
    site_factory: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = site_factory()
    monkeypatch.setenv("HTTP_PROXY", f"http://me:p%40ss@127.0.0.1:{proxy.server_port}")
    assert Connection("http://lab.invalid:8601", ONCE).document("GET", "/health") == {}
    ((path, headers),) = proxy.asked
    assert path == "http://lab.invalid:8601/api/v1/health"
    assert headers["proxy-authorization"] == "Basic bWU6cEBzcw=="

    monkeypatch.setenv("HTTPS_PROXY", "http://me:p%40ss@127.0.0.1:1")
    with pytest.raises(StoreUnreachableError, match="proxy") as raised:
        Connection("https://lab.invalid", ONCE).document("GET", "/health")
    assert "p%40ss" not in str(raised.value)
    monkeypatch.setenv("HTTPS_PROXY", "gopher://me:secret@p:1")
    with pytest.raises(InvalidSettingError, match="http://host:3128") as refused:
        Connection("https://lab.invalid", ONCE).document("GET", "/health")
    assert "secret" not in str(refused.value)


def certificate(folder: Path, name: str, host: str) -> tuple[Path, Path]:
    """Make a certificate that is its own authority, and return the files of it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_whose_certificates_are_believed(
    site_factory: Callable[..., Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(host: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(tmp_path, host, host))
        site = site_factory(context)
        Connection(f"https://127.0.0.1:{site.server_port}", ONCE).document("GET", "/health")

    with pytest.raises(StoreUnreachableError, match=r"not trusted: self.signed.*MODELKB_CA_FILE"):
        ask("127.0.0.1")
    certificates = {name: certificate(tmp_path, name, name) for name in ("127.0.0.1", "10.0.0.1")}
    for variable in ("MODELKB_CA_FILE", "SSL_CERT_FILE"):
        for name, (file, key) in certificates.items():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file, key)
            site = site_factory(context)
            monkeypatch.setenv(variable, str(file))
            connection = Connection(f"https://127.0.0.1:{site.server_port}", ONCE)
            if name == "127.0.0.1":
                assert connection.document("GET", "/health") == {}
            else:
                with pytest.raises(StoreUnreachableError, match=r"for another name.*127\.0\.0\.1"):
                    connection.document("GET", "/health")
        monkeypatch.delenv(variable)
    for name, text in (("missing.pem", None), ("damaged.pem", "no certificate")):
        if text is not None:
            (tmp_path / name).write_text(text)
        monkeypatch.setenv("MODELKB_CA_FILE", str(tmp_path / name))
        with pytest.raises(InvalidSettingError, match=name):
            Connection("https://127.0.0.1:1", ONCE).document("GET", "/health")


def test_a_server_without_tls(site_factory: Callable[..., Site]) -> None:
    site = site_factory()
    with pytest.raises(StoreUnreachableError, match="does not speak TLS"):
        Connection(f"https://127.0.0.1:{site.server_port}", ONCE).document("GET", "/health")


def test_a_token_in_plain_text_is_told_once(
    site_factory: Callable[..., Site],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    proxy = site_factory()
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    with caplog.at_level(logging.WARNING):
        for location in ("http://lab.invalid", "http://secret@lab.invalid:1"):
            for _ in range(2):
                Connection(location, ONCE).document("GET", "/health")
    (said,) = caplog.messages
    assert "http://lab.invalid:1 as plain text" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_is_this_machine(host: str, expected: bool) -> None:
    assert is_this_machine(host) is expected
