from __future__ import annotations

import sys
from pathlib import Path

import pytest

from modelkb_store import ArtifactNotFoundError, Experiment, MissingPackageError


def test_a_machine_without_keras_is_told_what_to_install(
    recorded_experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This is how Python marks a package that must not be imported.
    monkeypatch.setitem(sys.modules, "keras", None)

    with pytest.raises(MissingPackageError, match=r"pip install 'modelkb\[tensorflow\]'"):
        recorded_experiment.load_model()


def test_weights_that_are_gone_are_missed_before_anything_is_loaded(
    recorded_experiment: Experiment, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    (path,) = (store / "checkpoints").rglob("*.parquet")
    path.unlink()

    with pytest.raises(ArtifactNotFoundError, match="has no weights"):
        recorded_experiment.load_model()
    with pytest.raises(MissingPackageError):
        recorded_experiment.load_model(weights=False)
