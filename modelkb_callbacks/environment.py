"""The environment of a run: all that decides the bits of its result, and the machine."""

from __future__ import annotations

import functools
import os
import platform
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

import keras
import psutil

from modelkb_callbacks.credentials import looks_like_credential
from modelkb_callbacks.frameworks import BackendFacts, Framework
from modelkb_store.ids import content_id
from modelkb_store.records import EnvironmentRecord, NamedValue, NamedVersion

# Of a distribution's METADATA, of which the first lines are read as a mail's.
_NAME = re.compile(r"^Name:[ \t]*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_VERSION = re.compile(r"^Version:[ \t]*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)

# By whole name: a prefix such as TF_ would also take in other tools' tokens.
RECORDED_VARIABLES = (
    "CONDA_DEFAULT_ENV",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_ENABLE_X64",
    "JAX_PLATFORMS",
    "KERAS_BACKEND",
    "KERAS_HOME",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "ROCR_VISIBLE_DEVICES",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_GPU_ALLOCATOR",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_USE_LEGACY_KERAS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)


def describe_environment(framework: Framework) -> EnvironmentRecord:
    """Return the environment of this process.

    Runs that share all of it share the record, so nothing of a single run is in it: neither
    its seed, which is in the experiment, nor the host.
    """
    facts = _facts(framework.backend_facts())
    return EnvironmentRecord(
        environment_id=content_id(_facts_as_json(facts)),
        created_at=datetime.now(timezone.utc),
        **facts,  # type: ignore[arg-type]
    )


def _facts_as_json(facts: Mapping[str, object]) -> dict[str, object]:
    """Return the facts as JSON values, for the id."""
    as_pairs = {"distributions": ("name", "version"), "variables": ("name", "value")}
    plain = dict(facts)
    for name, (first, second) in as_pairs.items():
        items = facts[name]
        assert isinstance(items, tuple)
        plain[name] = [[getattr(item, first), getattr(item, second)] for item in items]
    return plain


def recorded_variables(environ: Mapping[str, str]) -> tuple[NamedValue, ...]:
    """Return the allow-listed environment variables whose values look harmless."""
    return tuple(
        NamedValue(name, environ[name])
        for name in RECORDED_VARIABLES
        if name in environ and not looks_like_credential(name, environ[name])
    )


def _facts(backend: BackendFacts) -> dict[str, object]:
    return {
        "python_version": platform.python_version(),
        "operating_system": platform.platform(),
        "machine": platform.machine(),
        "cpu": _cpu_name(),
        "cpu_count": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "gpus": backend.gpus,
        "gpu_driver": _gpu_driver(),
        "cuda_version": backend.cuda_version,
        "cudnn_version": backend.cudnn_version,
        "keras_version": keras.__version__,
        "backend": keras.backend.backend(),
        "backend_version": backend.version,
        "dtype_policy": keras.config.dtype_policy().name,
        "float_type": keras.config.floatx(),
        "image_data_format": keras.config.image_data_format(),
        "deterministic_ops": backend.deterministic_ops,
        "inter_op_threads": backend.inter_op_threads,
        "intra_op_threads": backend.intra_op_threads,
        "distributions": _installed_distributions(),
        "variables": recorded_variables(os.environ),
    }


@functools.lru_cache(maxsize=1)
def _installed_distributions() -> tuple[NamedVersion, ...]:
    named = map(_name_and_version, metadata.distributions())
    found = {name: version for name, version in named if name}  # a half-removed one has none
    return tuple(NamedVersion(name, found[name]) for name in sorted(found, key=str.lower))


def _name_and_version(distribution: metadata.Distribution) -> tuple[str | None, str]:
    """Return what ``metadata["Name"]`` and ``version`` do, which parse a whole description."""
    text = distribution.read_text("METADATA") or ""
    headers = text.partition("\n\n")[0]
    name, version = _NAME.search(headers), _VERSION.search(headers)
    if name is None or version is None:  # an egg, or something of another make
        own_name = distribution.metadata["Name"]
        return own_name, distribution.version if own_name else ""
    return name[1], version[1]


@functools.lru_cache(maxsize=1)
def _cpu_name() -> str | None:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or None


@functools.lru_cache(maxsize=1)
def _gpu_driver() -> str | None:
    """Return NVIDIA's driver version where the kernel tells it; starts no process."""
    try:
        first_line = Path("/proc/driver/nvidia/version").read_text().splitlines()[0]
    except (OSError, IndexError):
        return None
    numbers = [word for word in first_line.split() if word.replace(".", "").isdigit()]
    return numbers[0] if numbers else None
