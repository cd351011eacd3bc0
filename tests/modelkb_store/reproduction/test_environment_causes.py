from __future__ import annotations

from typing import Any

import pytest

from modelkb_store.reproduction.environment_causes import device_causes, environment_causes

THEN: dict[str, Any] = {
    "backend": "tensorflow",
    "backend_version": "2.16.1",
    "keras_version": "3.5.0",
    "gpus": [],
    "cuda_version": "12.3",
    "cudnn_version": "8",
    "gpu_driver": None,
    "cpu": "a processor",
    "machine": "x86_64",
    "dtype_policy": "float32",
    "float_type": "float32",
    "image_data_format": "channels_last",
    "deterministic_ops": False,
    "inter_op_threads": 0,
    "intra_op_threads": 0,
    "cpu_count": 2,
    "variables": {"KERAS_BACKEND": "tensorflow"},
    "python_version": "3.11.9",
    "distributions": {"numpy": "1.26.4", "Pillow": "10.0", "requests": "1"},
}


def found(**changes: Any) -> list[str]:
    return [str(cause) for cause in environment_causes(THEN, {**THEN, **changes})]


def test_equal_environments_have_no_causes() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"backend": "jax"}, "backend: the backend was tensorflow then, and is jax now"),
        ({"backend_version": "2.21.0"}, "backend: tensorflow was 2.16.1 then, and is 2.21.0 now"),
        ({"keras_version": "3.15.1"}, "keras: Keras was 3.5.0 then, and is 3.15.1 now"),
        ({"gpus": ["H100"]}, "device: the GPU was no GPU then, and is H100 now"),
        ({"cpu": "another"}, "device: the processor was a processor then, and is another now"),
        ({"float_type": "float16"}, "settings: floatx was float32 then, and is float16 now"),
        (
            {"deterministic_ops": True},
            "determinism: the backend being deterministic was False then, and is True now",
        ),
        (
            {"intra_op_threads": 1},
            "threads: their number was 0 between and 0 inside operations then, "
            "and is 0 between and 1 inside operations now",
        ),
        ({"cpu_count": 8}, "threads: the number of processors was 2 then, and is 8 now"),
        (
            {"variables": {"KERAS_BACKEND": "tensorflow", "TF_ENABLE_ONEDNN_OPTS": "0"}},
            "variables: TF_ENABLE_ONEDNN_OPTS was not set then, and is 0 now",
        ),
        ({"python_version": "3.12.1"}, "python: Python was 3.11.9 then, and is 3.12.1 now"),
        (
            {"distributions": {"numpy": "2.4.6", "pillow": "10.0", "requests": "2"}},
            "packages: numpy was 1.26.4 then, and is 2.4.6 now",
        ),
    ],
)
def test_each_difference_is_a_sentence(changes: dict[str, Any], cause: str) -> None:
    assert found(**changes) == [cause]


def test_libraries_of_gpus_do_not_matter_without_one() -> None:
    assert found(cuda_version="13", cudnn_version="9") == []
    assert len(found(cuda_version="13", cudnn_version="9", gpus=["H100"])) == 3


def test_an_environment_that_is_not_recorded_is_named() -> None:
    causes = [str(cause) for cause in environment_causes({}, THEN)]

    assert causes == ["environment: the environment of the original is not recorded"]


def test_what_is_deterministic_leaves_no_doubt() -> None:
    told = {**THEN, "deterministic_ops": True}

    assert list(device_causes(told, told)) == []
    assert "in several threads" in str(next(device_causes(THEN, told)))
