"""What decides the bits of a result beside the seed: environment variables, global settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelkb_store.codegen.script.imports import Imports
from modelkb_store.codegen.script.recorded import Recorded

# By whole name. Which devices there are, and where files lie, is the machine's own business.
BIT_DECIDING_VARIABLES = (
    "CUBLAS_WORKSPACE_CONFIG",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_ENABLE_X64",
    "JAX_PLATFORMS",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)
# Python reads it before any statement runs.
HASH_SEED = "PYTHONHASHSEED"
_BACKENDS = ("tensorflow", "jax", "torch", "openvino", "numpy")
_FLOAT_TYPES = ("float16", "bfloat16", "float64")


@dataclass(frozen=True, slots=True)
class GlobalSettings:
    """Statements at the beginning of a script.

    Attributes:
        variables: Environment variables by name, to be set before Keras is imported.
        statements: Global settings of Keras and the backend that are not the defaults.
    """

    variables: dict[str, str]
    statements: tuple[str, ...]


def global_settings(
    recorded: Recorded, imports: Imports, dtype_policy: str | None = None
) -> GlobalSettings:
    """Return what a script has to set before anything else.

    Args:
        recorded: The experiment.
        imports: Gets what the statements need.
        dtype_policy: The policy that the model's code counts on; by default the recorded one.
    """
    variables = dict(recorded.environment.get("variables") or {})
    chosen = {name: variables[name] for name in BIT_DECIDING_VARIABLES if name in variables}
    if recorded.backend in _BACKENDS:
        chosen = {"KERAS_BACKEND": recorded.backend, **chosen}
    statements = (*_of_keras(recorded, imports, dtype_policy), *_of_backend(recorded, imports))
    return GlobalSettings(chosen, statements)


def _of_keras(recorded: Recorded, imports: Imports, policy: str | None) -> Iterator[str]:
    environment = recorded.environment
    float_type = environment.get("float_type")
    policy = policy or environment.get("dtype_policy") or "float32"
    if float_type in _FLOAT_TYPES:
        yield f"{imports.name_of('keras')}.config.set_floatx({float_type!r})"
    if environment.get("image_data_format") == "channels_first":
        yield f"{imports.name_of('keras')}.config.set_image_data_format('channels_first')"
    if policy != (float_type or "float32"):
        yield f"{imports.name_of('keras')}.config.set_dtype_policy({str(policy)!r})"


def _of_backend(recorded: Recorded, imports: Imports) -> Iterator[str]:
    if recorded.backend == "tensorflow":
        yield from _of_tensorflow(recorded, imports)
    elif recorded.backend == "torch":
        yield from _of_torch(recorded, imports)


def _of_tensorflow(recorded: Recorded, imports: Imports) -> Iterator[str]:
    environment = recorded.environment
    for column in ("inter_op", "intra_op"):
        count = environment.get(f"{column}_threads")
        if count:  # 0 leaves it to TensorFlow
            name = f"config.threading.set_{column}_parallelism_threads"
            yield f"{imports.name_of('tf')}.{name}({int(count)})"
    if environment.get("deterministic_ops"):
        yield f"{imports.name_of('tf')}.config.experimental.enable_op_determinism()"


def _of_torch(recorded: Recorded, imports: Imports) -> Iterator[str]:
    environment = recorded.environment
    cores = environment.get("cpu_count") or 0
    threads = environment.get("intra_op_threads")
    if threads and threads not in (cores, cores // 2):  # else PyTorch's own choice
        yield f"{imports.name_of('torch')}.set_num_threads({int(threads)})"
    if environment.get("deterministic_ops"):
        yield f"{imports.name_of('torch')}.use_deterministic_algorithms(True)"
