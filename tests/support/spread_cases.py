"""A plugin for pytest: of the cases of one parametrized test it runs the first and the last."""

from __future__ import annotations

import itertools
from typing import Any

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the cases in between."""
    kept: list[pytest.Item] = []
    for _, cases in itertools.groupby(sorted(items, key=_test_of), key=_test_of):
        first, *others = cases
        kept += [first, *others[-1:]]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def _test_of(item: Any) -> tuple[str, str]:
    # Those of `absl` are functions of their own, each of which wraps the test that it is of.
    test = getattr(item.function, "__wrapped__", item.function)
    return item.parent.nodeid, test.__qualname__
