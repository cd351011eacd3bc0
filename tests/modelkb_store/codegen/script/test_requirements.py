from __future__ import annotations

import pytest

from modelkb_store.codegen.script.requirements import requirements_of

RECORDED = {
    "keras": "3.15.1",
    "tensorflow": "2.21.0",
    "numpy": "2.4.6",
    "scikit-learn": "1.9.0",
    "scipy": "1.18.0",
    "pillow": "12.0.0",
    "pytest": "9.0.0",
    "h5py": "3.14.0",
    "torch": "2.9.0+cpu",
    "Not.Installed_Here": "1.0",
}


def test_what_is_imported_and_what_it_needs_is_pinned() -> None:
    found = requirements_of(["os", "keras", "sklearn", "PIL"], "tensorflow", RECORDED)

    assert set(found.pinned) == {
        "keras==3.15.1",
        "tensorflow==2.21.0",
        "numpy==2.4.6",
        "scikit-learn==1.9.0",
        "scipy==1.18.0",
        "pillow==12.0.0",
        "h5py==3.14.0",
    }
    assert found.unknown == ()


def test_a_build_of_ones_own_is_pinned_without_its_mark() -> None:
    assert "torch==2.9.0" in requirements_of(["keras"], "torch", RECORDED).pinned


def test_modules_of_nobody_are_told() -> None:
    found = requirements_of(["my_module", "not_installed_here"], "jax", RECORDED)

    assert found.pinned == ("Not.Installed_Here==1.0",)
    assert found.unknown == ("my_module",)


@pytest.mark.parametrize("version", ["1.0\nevil", "1.0; evil", "", "-r evil"])
def test_hostile_versions_are_no_lines(version: str) -> None:
    assert requirements_of(["numpy"], "none", {"numpy": version}).pinned == ()


def test_hostile_names_are_no_lines() -> None:
    assert requirements_of(["a\nb"], "none", {"a\nb": "1.0"}).pinned == ()
