"""Fixtures: what is recorded of small experiments, without a store."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ruff import find_ruff_bin

from modelkb_store.codegen.script.recorded import Recorded, Setting
from small_experiment import experiment_record

KERAS = "keras"
DENSE = {
    "module": "keras",
    "class_name": "Sequential",
    "config": {
        "name": "sequential",
        "trainable": True,
        "dtype": {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": "float32"},
            "registered_name": None,
        },
        "layers": [
            {
                "module": "keras.layers",
                "class_name": "InputLayer",
                "config": {
                    "batch_shape": [None, 3],
                    "dtype": "float32",
                    "sparse": False,
                    "ragged": False,
                    "name": "input_layer",
                    "optional": False,
                },
                "registered_name": None,
            },
            {
                "module": "keras.layers",
                "class_name": "Dense",
                "config": {"name": "dense", "trainable": True, "units": 2, "activation": "relu"},
                "registered_name": None,
                "build_config": {"input_shape": [None, 3]},
            },
        ],
        "build_input_shape": [None, 3],
    },
    "registered_name": None,
}
COMPILE = {
    "optimizer": {
        "module": "keras.optimizers",
        "class_name": "Adam",
        "config": {"name": "adam", "learning_rate": 0.009999999776482582},
        "registered_name": None,
    },
    "loss": "mse",
    "loss_weights": None,
    "metrics": ["mae"],
    "weighted_metrics": None,
    "run_eagerly": False,
    "steps_per_execution": 1,
    "jit_compile": False,
}
SLICE = """\
import keras
import numpy as np

keras.utils.set_random_seed(7)
x = np.random.rand(8, 3)
y = x[:, :2]
fit_data = {"x": x, "y": y}
"""
ENVIRONMENT = {
    "python_version": "3.11.7",
    "keras_version": "3.15.1",
    "backend": "tensorflow",
    "backend_version": "2.21.0",
    "dtype_policy": "float32",
    "float_type": "float32",
    "image_data_format": "channels_last",
    "deterministic_ops": False,
    "inter_op_threads": 0,
    "intra_op_threads": 0,
    "gpus": [],
    "cpu_count": 8,
    "distributions": {"keras": "3.15.1", "numpy": "2.4.6", "tensorflow": "2.21.0"},
    "variables": {},
}


@pytest.fixture
def recorded_factory() -> Callable[..., Recorded]:
    """Makes what is recorded of an experiment: a dense model on random data, or changes of it."""

    def make(
        data_slice: str | None = SLICE,
        *,
        definitions: str | None = None,
        settings: Mapping[str, Setting] | None = None,
        environment: Mapping[str, Any] | None = None,
        implementation: Mapping[str, Any] | None = None,
        record: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Recorded:
        known = {"status": "finished", "seed": 7, "epochs_planned": 2, "epochs_completed": 2}
        known["model_id"] = "c1" * 16
        fields: dict[str, Any] = {
            "project": "digits",
            "record": experiment_record(**{**known, **(record or {})}),
            "settings": {
                "epochs": Setting(2, "fit"),
                "batch_size": Setting(4, "fit"),
                **(settings or {}),
            },
            "environment": {**ENVIRONMENT, **(environment or {})},
            "implementation": {
                "script": "train.py",
                "data_slice": data_slice,
                "definitions": definitions,
                "source_problems": [],
                **(implementation or {}),
            },
            "compile_config": COMPILE,
            "model_config": DENSE,
        }
        return Recorded(**{**fields, **changes})

    return make


@pytest.fixture
def ruff() -> Callable[[str], str]:
    """Returns what ruff finds in a text, with its own defaults; nothing if it is clean."""

    def look(text: str) -> str:
        found = ""
        for command in (["check"], ["format", "--check", "--diff"]):
            line = [find_ruff_bin(), *command, "--isolated", "--stdin-filename", "train.py", "-"]
            done = subprocess.run(
                line, input=text, capture_output=True, text=True, check=False, timeout=60
            )
            found += "" if done.returncode == 0 else done.stdout + done.stderr
        return found

    return look
