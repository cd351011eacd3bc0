from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from modelkb_callbacks.environment import RECORDED_VARIABLES
from modelkb_store.codegen.script.environment import (
    BIT_DECIDING_VARIABLES,
    HASH_SEED,
    global_settings,
)
from modelkb_store.codegen.script.imports import Imports
from modelkb_store.codegen.script.recorded import Recorded

ELSEWHERE = {
    *("CONDA_DEFAULT_ENV", "CUDA_VISIBLE_DEVICES", "KERAS_BACKEND", "KERAS_HOME"),
    *("PYTHONHASHSEED", "ROCR_VISIBLE_DEVICES", "TF_GPU_ALLOCATOR", "TF_USE_LEGACY_KERAS"),
}


def test_every_recorded_variable_was_thought_of() -> None:
    assert set(BIT_DECIDING_VARIABLES) | ELSEWHERE == set(RECORDED_VARIABLES)
    assert HASH_SEED in ELSEWHERE


@pytest.mark.parametrize(
    ("environment", "statements"),
    [
        ({}, []),
        ({"image_data_format": "channels_first"},
         ["keras.config.set_image_data_format('channels_first')"]),
        ({"float_type": "float64", "dtype_policy": "float64"},
         ["keras.config.set_floatx('float64')"]),
        ({"dtype_policy": "mixed_float16"}, ["keras.config.set_dtype_policy('mixed_float16')"]),
        ({"deterministic_ops": True, "intra_op_threads": 1, "inter_op_threads": 2},
         ["tf.config.threading.set_inter_op_parallelism_threads(2)",
          "tf.config.threading.set_intra_op_parallelism_threads(1)",
          "tf.config.experimental.enable_op_determinism()"]),
        ({"backend": "torch", "deterministic_ops": True, "intra_op_threads": 1},
         ["torch.set_num_threads(1)", "torch.use_deterministic_algorithms(True)"]),
        ({"backend": "torch", "intra_op_threads": 4}, []),
        ({"backend": "jax", "deterministic_ops": True}, []),
    ],
)  # fmt: skip
def test_settings_that_are_not_the_defaults(
    recorded_factory: Callable[..., Recorded],
    environment: dict[str, Any],
    statements: list[str],
) -> None:
    recorded = recorded_factory(environment=environment)

    assert list(global_settings(recorded, Imports(())).statements) == statements


def test_variables_that_decide_bits_are_set(recorded_factory: Callable[..., Recorded]) -> None:
    variables = {
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_VISIBLE_DEVICES": "1",
        "KERAS_HOME": "/home/ada",
        "PYTHONHASHSEED": "0",
    }
    recorded = recorded_factory(environment={"backend": "jax", "variables": variables})

    assert global_settings(recorded, Imports(())).variables == {
        "KERAS_BACKEND": "jax",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }
