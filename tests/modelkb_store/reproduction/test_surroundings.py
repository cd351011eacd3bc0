from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from modelkb_store import Experiment
from modelkb_store.records import NamedValue
from modelkb_store.reproduction.surroundings import surroundings
from small_experiment import ENVIRONMENT

RunFactory = Callable[..., Experiment]


def test_what_decides_bits_is_as_it_was(run_factory: RunFactory) -> None:
    then = (
        NamedValue("TF_ENABLE_ONEDNN_OPTS", "0"),
        NamedValue("PYTHONHASHSEED", "5"),
        NamedValue("KERAS_HOME", "/there"),
        NamedValue("CUDA_VISIBLE_DEVICES", "3"),
    )
    original = run_factory(environment=replace(ENVIRONMENT, variables=then))
    here = {
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "CUDA_VISIBLE_DEVICES": "0",
        "KERAS_BACKEND": "jax",
        "HOME": "/home/ada",
        "MODELKB_PROJECT": "another",
    }

    assert surroundings(original, "/lab/modelkb", here) == {
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "PYTHONHASHSEED": "5",
        "CUDA_VISIBLE_DEVICES": "0",
        "KERAS_BACKEND": "tensorflow",
        "HOME": "/home/ada",
        "MODELKB_STORE": "/lab/modelkb",
        "MODELKB_PROJECT": "digits",
        "MODELKB_REPRODUCES": original.id,
    }
    assert here["PYTHONHASHSEED"] == "0"


def test_where_nothing_is_recorded_all_is_as_it_is(run_factory: RunFactory) -> None:
    original = run_factory(environment=None)
    here = {"OMP_NUM_THREADS": "1", "KERAS_BACKEND": "jax"}

    assert surroundings(original, "/lab/modelkb", here).items() >= here.items()
