"""The recorded environment."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from modelkb_callbacks.environment import _installed_distributions, _name_and_version
from trainings import Data, Fit, compiled, sequential


def test_versions_and_machine(data: Data, fit: Fit) -> None:
    environment = fit(compiled(sequential()), data.x, data.classes).experiment.environment()
    assert environment["python_version"] == platform.python_version()
    assert environment["keras_version"] == keras.__version__
    assert environment["backend"] == "tensorflow"
    assert environment["backend_version"] == tf.__version__
    assert environment["memory_bytes"] > 1 << 28
    assert environment["dtype_policy"] == "float32"
    assert environment["deterministic_ops"] is False
    assert environment["distributions"]["keras"] == keras.__version__
    assert list(environment["distributions"]) == sorted(environment["distributions"], key=str.lower)


def test_runs_share_it_until_it_changes(
    data: Data, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = []
    for threads in (None, None, "3"):
        if threads:
            monkeypatch.setenv("OMP_NUM_THREADS", threads)
        keras.utils.set_random_seed(len(ids))
        fitted = fit(compiled(sequential()), data.x, data.classes)
        ids.append(fitted.experiment.record.environment_id)
    assert ids[0] == ids[1] != ids[2]


def test_secrets_are_in_no_file(
    data: Data, fit: Fit, store: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    monkeypatch.setenv("TF_TOKEN_registry", "not-to-be-seen-1")
    monkeypatch.setenv("XLA_FLAGS", "--proxy=http://ada:not-to-be-seen-2@localhost")
    fit(compiled(sequential()), data.x, data.classes)
    written = b"".join(p.read_bytes() for p in Path(str(store)).rglob("*") if p.is_file())
    assert b"not-to-be-seen" not in written


def test_distributions_are_those_that_importlib_knows() -> None:
    expected = {each.metadata["Name"]: each.version for each in metadata.distributions()}
    assert {each.name: each.version for each in _installed_distributions()} == expected


@pytest.mark.parametrize("file", ["METADATA", "PKG-INFO"])
def test_a_distribution_is_named_by_its_headers(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "odd_name-1.0.dist-info"
    folder.mkdir()
    (folder / file).write_text(
        "Metadata-Version: 2.1\nname: Odd.Name\nVersion: 1.0.post1\n\nName: not this\nVersion: 9\n"
    )
    assert _name_and_version(metadata.Distribution.at(folder)) == ("Odd.Name", "1.0.post1")


def test_a_half_removed_distribution_has_no_name(tmp_path: Path) -> None:
    folder = tmp_path / "gone-1.0.dist-info"
    folder.mkdir()
    assert _name_and_version(metadata.Distribution.at(folder))[0] is None
