"""From the address of a bucket to its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from modelkb_store.errors import InvalidSettingError, MissingPackageError, StoreUnreachableError
from modelkb_store.files.object_files import ObjectFiles
from modelkb_store.files.store_path import parts_of

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

# A server that falls silent is given up after 3 seconds, or 10 if an upload was under way, as
# its speed is an average. A second attempt would double that; who can wait calls again.
_CONNECT_SECONDS = 3.0
_SILENCE_SECONDS = 3.0
_ATTEMPTS = 1
_GS_SECONDS = 10

_SECRETS = ("access_key", "secret_key", "session_token")
_S3_OPTIONS = ("endpoint_override", "region", "scheme", "tls_ca_file_path", *_SECRETS)
_GS_OPTIONS = ("endpoint_override", "project_id", "scheme")


def bucket_files(location: str, environ: Mapping[str, str] = os.environ) -> ObjectFiles:
    """Return the files of a store in a bucket.

    Nothing is asked of the server yet, except Amazon for the region of a bucket if neither the
    address nor ``AWS_REGION`` names it.

    Args:
        location: ``s3://bucket/prefix`` or ``gs://bucket/prefix``, with options after a
            ``?`` as pyarrow names them: ``endpoint_override=127.0.0.1:9000``, ``scheme=http``,
            ``region=eu-west-1``.
        environ: Where ``AWS_ENDPOINT_URL`` and the like are looked up.

    Raises:
        InvalidSettingError: The address is not understood.
        MissingPackageError: This pyarrow was built without what it takes.

    Example:
        >>> bucket_files("s3://key:secret@lab/modelkb?region=eu-west-1").uri
        's3://lab/modelkb?region=eu-west-1'
    """
    parts = urlsplit(location)
    uri = without_credentials(location)
    bucket = parts.netloc.rpartition("@")[2]
    prefix = "/".join(parts_of(unquote(parts.path).strip("/"), uri))
    scheme = parts.scheme.lower()
    if not bucket or parts.fragment or scheme not in ("s3", "gs"):
        expected = (
            "a folder, file:///folder, s3://bucket/prefix, gs://bucket/prefix or https://host"
        )
        raise InvalidSettingError("store", uri, expected)
    try:
        make = _s3 if scheme == "s3" else _gs
        filesystem = make(parts, bucket, uri, environ)
    except ImportError as error:
        package = f"pyarrow with {scheme}://"
        raise MissingPackageError(package, f"A store at {uri}", "pip install pyarrow") from error
    return ObjectFiles(filesystem, f"{bucket}/{prefix}", uri)


def without_credentials(location: str) -> str:
    """Return the address of a bucket as it may be shown and logged."""
    parts = urlsplit(location)
    query = [(k, v) for k, v in parse_qsl(parts.query) if k.lower() not in _SECRETS]
    bare = parts._replace(
        scheme=parts.scheme.lower(),
        netloc=parts.netloc.rpartition("@")[2],
        path=parts.path.rstrip("/"),
        query=urlencode(query, safe=":/", quote_via=quote),
    )
    return urlunsplit(bare)


def _s3(parts: SplitResult, bucket: str, uri: str, environ: Mapping[str, str]) -> FileSystem:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    options: dict[str, Any] = _options(parts, _S3_OPTIONS, uri)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    if user:
        options |= {"access_key": unquote(user), "secret_key": unquote(password)}
    server = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if server and "endpoint_override" not in options:
        # pyarrow looks for it only once in the life of a process, if at all.
        scheme, _, host = server.rpartition("://")
        options["endpoint_override"] = host.rstrip("/")
        options.setdefault("scheme", scheme or "https")
    if "region" not in options:
        options["region"] = _region("endpoint_override" in options, bucket, uri, environ)
    options |= {
        "connect_timeout": _CONNECT_SECONDS,
        "request_timeout": _SILENCE_SECONDS,
        "retry_strategy": AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    }
    try:
        # One request for a small object instead of three.
        return S3FileSystem(**options, allow_delayed_open=True)
    except TypeError:  # an older pyarrow
        return S3FileSystem(**options)


def _region(own_server: bool, bucket: str, uri: str, environ: Mapping[str, str]) -> str:
    """Return the region without asking what machine this is, which takes long elsewhere."""
    from pyarrow.fs import resolve_s3_region

    named = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if named or own_server:
        return named or "us-east-1"
    try:
        return str(resolve_s3_region(bucket))
    except OSError as error:
        raise StoreUnreachableError(uri, error) from error


def _gs(parts: SplitResult, bucket: str, uri: str, environ: Mapping[str, str]) -> FileSystem:
    from pyarrow.fs import GcsFileSystem

    options: dict[str, Any] = _options(parts, _GS_OPTIONS, uri)
    anonymous = parts.netloc.rpartition("@")[0] == "anonymous"
    limit = timedelta(seconds=_GS_SECONDS)
    return GcsFileSystem(**options, anonymous=anonymous, retry_time_limit=limit)


def _options(parts: SplitResult, known: tuple[str, ...], uri: str) -> dict[str, str]:
    options = dict(parse_qsl(parts.query))
    unknown = sorted(set(options) - set(known))
    if unknown:
        expected = ", ".join(name for name in known if name not in _SECRETS)
        raise InvalidSettingError("store", uri, f"only the options {expected}")
    return options
