from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from modelkb_store.errors import InvalidSettingError, PathOutsideStoreError, StoreUnreachableError
from modelkb_store.files.bucket import bucket_files, without_credentials
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.object_files import ObjectFiles
from modelkb_store.files.open_files import open_files
from object_store import ObjectStore, free_port, object_credentials, object_server, object_store

__all__ = ["object_credentials", "object_server", "object_store"]


@pytest.fixture
def vanishing_server(
    object_credentials: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ObjectStore]:
    server = ObjectStore(tmp_path_factory.mktemp("vanishing") / "moto.log")
    server.start()
    yield server
    server.stop()


def test_places_without_a_server_are_local() -> None:
    assert isinstance(open_files("modelkb"), LocalFiles)
    assert open_files("file:///srv/modelkb").uri == "/srv/modelkb"


@pytest.mark.parametrize(
    "location",
    [
        "s3://key:secret-word@lab/team/modelkb/?region=eu-west-1",
        "S3://lab/team/modelkb?access_key=key&region=eu-west-1&secret_key=secret-word",
        "s3://lab/team/modelkb?Session_Token=secret-word&region=eu-west-1",
    ],
)
def test_credentials_are_not_shown(location: str) -> None:
    assert without_credentials(location) == "s3://lab/team/modelkb?region=eu-west-1"


def test_credentials_are_not_in_errors(object_credentials: None) -> None:
    place = f"s3://key:secret-word@lab/x?endpoint_override=127.0.0.1:{free_port()}&scheme=http"
    files = open_files(place)
    with pytest.raises(StoreUnreachableError) as raised:
        files.read("format.json")
    assert "secret-word" not in f"{raised.value}{raised.value.__cause__}{files!r}{files.uri}"


@pytest.mark.parametrize(
    "location",
    ["s3://", "s3:///modelkb", "az://lab/modelkb", "s3://lab/a#b", "s3://k:secret@lab/a?colour=1"],
)
def test_addresses_that_are_not_understood(location: str) -> None:
    with pytest.raises(InvalidSettingError) as raised:
        open_files(location)
    assert "secret" not in str(raised.value)


def test_a_prefix_leads_nowhere_else() -> None:
    with pytest.raises(PathOutsideStoreError):
        open_files("s3://lab/a/../../other?region=us-east-1")


def test_names_in_an_address_are_decoded(object_store: ObjectStore) -> None:
    bucket = object_store.bucket()
    open_files(object_store.url(bucket, "the%20team/modelkb")).write("a.txt", b"a")
    assert object_store.keys(bucket) == ["the team/modelkb/a.txt"]


def test_the_root_of_a_bucket_is_a_place(object_store: ObjectStore) -> None:
    bucket = object_store.bucket()
    files = open_files(object_store.url(bucket, ""))
    files.write("a/b.txt", b"a")
    assert object_store.keys(bucket) == ["a/b.txt"]
    assert [info.path for info in files.list("")] == ["a/b.txt"]


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_the_server_can_be_in_the_environment(object_store: ObjectStore, name: str) -> None:
    bucket = object_store.bucket()
    environ = {name: object_store.endpoint}
    bucket_files(f"s3://{bucket}/x", environ).write("a.txt", b"a")
    assert object_store.keys(bucket) == ["x/a.txt"]


def test_google_cloud_is_opened_without_a_request() -> None:
    files = open_files("gs://anonymous@lab/modelkb?endpoint_override=127.0.0.1:9&scheme=http")
    assert isinstance(files, ObjectFiles)
    assert files.root == "lab/modelkb"


@pytest.mark.slow
def test_a_silent_server_is_given_up_and_keeps_its_objects(vanishing_server: ObjectStore) -> None:
    files = open_files(vanishing_server.url(vanishing_server.bucket()))
    for path in ("a.txt", "deleted.txt"):
        files.write(path, b"old")
    actions: list[Callable[[], object]] = [
        lambda: files.read("a.txt"),
        lambda: files.list(""),
        lambda: files.write("b.txt", b"new"),
        lambda: files.create("c.txt", b"new"),
        lambda: files.delete("deleted.txt"),
        lambda: files.exists("a.txt"),
    ]

    def seconds_until_given_up(action: Callable[[], object]) -> float:
        began = time.monotonic()
        with pytest.raises(StoreUnreachableError, match="Check the network"):
            action()
        return time.monotonic() - began

    vanishing_server.pause()
    try:
        with ThreadPoolExecutor(len(actions)) as threads:  # all wait at the same time
            assert max(threads.map(seconds_until_given_up, actions)) < 15
    finally:
        vanishing_server.resume()
    assert files.read("a.txt") == b"old"
    assert files.create("d.txt", b"again")


def test_a_stopped_server_is_known_at_once(vanishing_server: ObjectStore) -> None:
    files = open_files(vanishing_server.url(vanishing_server.bucket()))
    vanishing_server.stop()
    began = time.monotonic()
    with pytest.raises(StoreUnreachableError):
        files.write("a.txt", b"a")
    assert time.monotonic() - began < 10
