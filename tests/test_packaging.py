"""What a wheel installs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGED = ("setup.cfg", "pyproject.toml", "README.md", "modelkb_callbacks", "store", "viewer")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built from a copy, so that nothing of the build is left in the checkout."""
    copy = tmp_path_factory.mktemp("source")
    for name in PACKAGED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    built = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", built, copy]
    subprocess.run(command, check=True)
    return zipfile.ZipFile(next(built.glob("modelkb-*.whl")))


@pytest.mark.slow
def test_three_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    packages = {name for name in tops if not name.endswith(".dist-info")}
    assert packages == {"modelkb_callbacks", "modelkb_store", "modelkb_viewer"}


@pytest.mark.slow
def test_every_module_of_the_checkout_is_in_it(wheel: zipfile.ZipFile) -> None:
    expected = set()
    for folder in (
        REPOSITORY / "modelkb_callbacks",
        REPOSITORY / "store" / "modelkb_store",
        REPOSITORY / "viewer" / "modelkb_viewer",
    ):
        for path in [*folder.rglob("*.py"), *folder.rglob("py.typed")]:
            expected.add(path.relative_to(folder.parent).as_posix())
    assert expected <= set(wheel.namelist())


@pytest.mark.slow
def test_command_and_extras(wheel: zipfile.ZipFile) -> None:
    def text(name: str) -> str:
        return wheel.read(next(n for n in wheel.namelist() if n.endswith(name))).decode()

    assert "modelkb = modelkb_viewer.main:main" in text("entry_points.txt")
    metadata = text("METADATA")
    assert "Name: modelkb\n" in metadata
    assert "Requires-Python: >=3.10" in metadata
    for extra in ("tensorflow", "jax", "torch", "demo"):
        assert f"Provides-Extra: {extra}\n" in metadata
    required = [
        line
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist") and ";" not in line
    ]
    assert not [line for line in required if "keras" in line or "tensorflow" in line]
