"""The way to a server: over a proxy or not, whom to trust, and what went wrong on it."""

from __future__ import annotations

import contextlib
import importlib
import ipaddress
import logging
import os
import ssl
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from modelkb_store.errors import InvalidSettingError
from modelkb_store.server.address import TOKEN_VARIABLE, ServerAddress

CA_VARIABLE = "MODELKB_CA_FILE"
_LISTS = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # OpenSSL reads them by itself

_log = logging.getLogger(__name__)
_warned_of: set[str] = set()


def open_pool(address: ServerAddress, limits: urllib3.Timeout) -> urllib3.PoolManager:
    """Return connections to a server.

    They go over the proxy of ``$HTTPS_PROXY`` or ``$HTTP_PROXY``, unless ``$NO_PROXY`` names the
    server or it is this machine. Certificates are checked by the system's list, to which
    ``$MODELKB_CA_FILE`` adds one's own authority; ``$SSL_CERT_FILE`` stands in its place.

    Args:
        address: The server.
        limits: How long it is waited for.

    Raises:
        InvalidSettingError: A variable of the environment makes no sense.
    """
    _warn_of_clear_text(address)
    is_safe = address.uri.startswith("https:")
    context = trust(os.environ) if is_safe else None
    proxy = proxy_of(address)
    if proxy is None:
        return urllib3.PoolManager(timeout=limits, maxsize=8, ssl_context=context)
    parts = urlsplit(proxy)
    credentials, _, host = parts.netloc.rpartition("@")
    headers = urllib3.make_headers(proxy_basic_auth=unquote(credentials)) if credentials else None
    try:
        return urllib3.ProxyManager(
            urlunsplit((parts.scheme, host, "", "", "")),
            proxy_headers=headers,
            timeout=limits,
            maxsize=8,
            ssl_context=context,
        )
    except (ValueError, urllib3.exceptions.HTTPError) as error:
        wanted = "a proxy such as http://host:3128"
        raise InvalidSettingError(
            f"{'https' if is_safe else 'http'}_proxy", host, wanted
        ) from error


def proxy_of(address: ServerAddress) -> str | None:
    """Return the proxy that a server is asked over, with its credentials; None for none."""
    parts = urlsplit(address.uri)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or is_this_machine(parts.hostname or ""):
        return None
    if proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def is_this_machine(host: str) -> bool:
    """Return whether a name or address is one that never leaves the machine."""
    if host.rstrip(".").endswith("localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def trust(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return whose certificates are believed."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not any(map(environ.get, _LISTS)):
        # Some Pythons come without a list.
        with contextlib.suppress(ImportError):
            context.load_verify_locations(importlib.import_module("certifi").where())
    own = environ.get(CA_VARIABLE, "").strip()
    if own:
        try:
            context.load_verify_locations(os.path.expanduser(own))
        except OSError as error:  # an SSLError is one
            raise InvalidSettingError(CA_VARIABLE, own, "a file of certificates (PEM)") from error
    return context


def reason_of(error: BaseException) -> str:
    """Return what went wrong in a few words, and for certificates what to do."""
    plain = str(error).rpartition("): ")[2].rstrip("'\")") or type(error).__name__
    is_of_proxy = isinstance(error, urllib3.exceptions.ProxyError)
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        arguments = [each for each in cause.args if isinstance(each, BaseException)]
        cause = next(iter(arguments), cause.__cause__ or cause.__context__)
    if isinstance(cause, ssl.SSLCertVerificationError):
        if cause.verify_code in _OF_THE_NAME:
            return f"its certificate is for another name: {cause.verify_message}"
        advice = f"if it is your own, give the file of its authority as {CA_VARIABLE}"
        return f"its certificate is not trusted: {cause.verify_message}; {advice}"
    if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
        return "it does not speak TLS: is its address http://, or is there no proxy in front of it?"
    return f"by way of a proxy: {plain}" if is_of_proxy else plain


# X509_V_ERR_HOSTNAME_MISMATCH, and of an address.
_OF_THE_NAME = (62, 64)
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")


def _warn_of_clear_text(address: ServerAddress) -> None:
    parts = urlsplit(address.uri)
    if address.token is None or parts.scheme != "http" or is_this_machine(parts.hostname or ""):
        return
    if address.uri not in _warned_of:
        _warned_of.add(address.uri)
        _log.warning(
            "ModelKB sends the token of $%s to %s as plain text: whoever is on the way can read "
            "it. Use https://, by a proxy in front of the server.",
            TOKEN_VARIABLE,
            address.uri,
        )
