"""The recorded environment."""

from __future__ import annotations

import platform

import keras
import pytest
import tensorflow as tf

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
