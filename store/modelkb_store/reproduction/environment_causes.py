"""What differs between the environments of two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelkb_store.codegen.script.environment import BIT_DECIDING_VARIABLES, HASH_SEED
from modelkb_store.reproduction.cause import Cause

# What data is usually made and read with; the backend and Keras have causes of their own.
_PACKAGES = (
    "numpy",
    "scikit-learn",
    "scipy",
    "pandas",
    "pillow",
    "h5py",
    "opencv-python",
    "opencv-python-headless",
    "scikit-image",
    "albumentations",
    "tensorflow-datasets",
    "datasets",
    "tokenizers",
    "transformers",
    "torchvision",
    "librosa",
    "polars",
    "pyarrow",
    "jaxlib",
)
_SETTINGS = {
    "dtype_policy": "the dtype policy",
    "float_type": "floatx",
    "image_data_format": "the image data format",
}
_OF_DEVICE = {
    "cuda_version": "CUDA",
    "cudnn_version": "cuDNN",
    "gpu_driver": "the GPU's driver",
    "cpu": "the processor",
    "machine": "the machine's kind",
}

_Environment = Mapping[str, Any]


def environment_causes(then: _Environment, now: _Environment) -> Iterator[Cause]:
    """Yield what differs between two environments, the likeliest cause of a difference first.

    Args:
        then: Of the original, as :meth:`modelkb_store.Experiment.environment` gives it.
        now: Of the reproduction.
    """
    for of_run, whose in ((then, "original"), (now, "reproduction")):
        if not of_run:
            yield Cause("environment", f"the environment of the {whose} is not recorded")
    if not then or not now:
        return
    yield from _of_backend(then, now)
    yield from _of_device(then, now)
    for column, name in _SETTINGS.items():
        yield from _changed("settings", name, then[column], now[column])
    yield from _changed(
        "determinism",
        "the backend being deterministic",
        then["deterministic_ops"],
        now["deterministic_ops"],
    )
    yield from _of_threads(then, now)
    yield from _of_variables(then["variables"], now["variables"])
    yield from _changed("python", "Python", then["python_version"], now["python_version"])
    yield from _of_packages(then["distributions"], now["distributions"])


def device_causes(then: _Environment, now: _Environment) -> Iterator[Cause]:
    """Yield why two runs in one environment may differ all the same."""
    if then["deterministic_ops"] and now["deterministic_ops"]:
        return
    where = "on a GPU" if then["gpus"] or now["gpus"] else "in several threads"
    yield Cause(
        "determinism",
        f"the backend was not told to be deterministic: what it computes {where} may be summed "
        "up in another order each time",
    )


def _of_backend(then: _Environment, now: _Environment) -> Iterator[Cause]:
    if then["backend"] != now["backend"]:
        yield from _changed("backend", "the backend", then["backend"], now["backend"])
    else:
        versions = then["backend_version"], now["backend_version"]
        yield from _changed("backend", then["backend"], *versions)
    yield from _changed("keras", "Keras", then["keras_version"], now["keras_version"])


def _of_device(then: _Environment, now: _Environment) -> Iterator[Cause]:
    devices = [", ".join(each["gpus"] or ()) or "no GPU" for each in (then, now)]
    yield from _changed("device", "the GPU", *devices)
    for column, name in _OF_DEVICE.items():
        if column not in ("cuda_version", "cudnn_version") or then["gpus"] or now["gpus"]:
            yield from _changed("device", name, then[column], now[column])


def _of_threads(then: _Environment, now: _Environment) -> Iterator[Cause]:
    counts = [(each["inter_op_threads"], each["intra_op_threads"]) for each in (then, now)]
    texts = [f"{inter} between and {intra} inside operations" for inter, intra in counts]
    yield from _changed("threads", "their number", *texts)
    if counts[0] == counts[1] and 0 in counts[0]:  # the backend takes as many as there are
        yield from _changed(
            "threads", "the number of processors", then["cpu_count"], now["cpu_count"]
        )


def _of_variables(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Cause]:
    for name in (*BIT_DECIDING_VARIABLES, HASH_SEED):
        yield from _changed("variables", name, then.get(name), now.get(name))


def _of_packages(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Cause]:
    versions = [{name.lower(): version for name, version in each.items()} for each in (then, now)]
    for name in _PACKAGES:
        yield from _changed("packages", name, versions[0].get(name), versions[1].get(name))


def _changed(kind: str, what: str, then: object, now: object) -> Iterator[Cause]:
    if then != now:
        yield Cause(kind, f"{what} was {_shown(then)} then, and is {_shown(now)} now")


def _shown(value: object) -> str:
    return "not set" if value is None else str(value)
