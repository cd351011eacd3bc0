from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from types import ModuleType

import pytest

import modelkb_store

HEAVY = ["keras", "tensorflow", "torch", "jax", "streamlit", "duckdb", "jinja2", "pandas", "h5py"]


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules that a fresh interpreter has after importing the store."""
    program = (
        "import json, sys; from modelkb_store import *; print(json.dumps(sorted(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, timeout=60
    ).stdout
    return set(json.loads(output))


def test_all_is_exactly_the_public_names() -> None:
    for name in modelkb_store.__all__:
        getattr(modelkb_store, name)
    public = {
        name
        for name, value in vars(modelkb_store).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }

    assert public - {"TYPE_CHECKING", "lazy_names"} | {"__version__"} == set(modelkb_store.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NoSuchName"):
        _ = modelkb_store.NoSuchName  # type: ignore[attr-defined]


def test_all_has_nothing_twice() -> None:
    assert len(modelkb_store.__all__) == len(set(modelkb_store.__all__))


def test_the_version_is_that_of_the_distribution() -> None:
    assert modelkb_store.__version__ == metadata.version("modelkb")


def test_every_public_class_is_documented() -> None:
    for name in modelkb_store.__all__:
        value = getattr(modelkb_store, name)
        if isinstance(value, type):
            assert value.__doc__, name


@pytest.mark.parametrize("package", HEAVY)
def test_importing_the_store_is_light(imported: set[str], package: str) -> None:
    assert "modelkb_store.store" in imported
    assert package not in imported
