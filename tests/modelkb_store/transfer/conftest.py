"""Fixtures of the tests with stores in buckets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from object_store import ObjectStore, object_credentials, object_server, object_store

__all__ = ["object_credentials", "object_server", "object_store"]


@pytest.fixture
def bucket_factory(object_store: ObjectStore) -> Callable[[], str]:
    """Gives places of stores that are not made yet, each in a bucket of its own."""
    return lambda: object_store.url(object_store.bucket())
