"""GPUs as NVIDIA's library shows them; a stand-in for it, for the machine may have none."""

from __future__ import annotations

import sys
import types
from types import SimpleNamespace

import pytest

from modelkb_callbacks.process.gpu_use import GpuUse
from modelkb_callbacks.process.resources import ResourceSampler
from modelkb_store.records import ResourceRecord


class FakeNVMLError(Exception):
    pass


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A driver with three GPUs: the functions of nvidia-ml-py that are used, and no more."""
    module = types.ModuleType("pynvml")

    def handle(index: int) -> int:
        if index > 2:
            raise FakeNVMLError("Invalid Argument")
        return index

    functions = {
        "NVMLError": FakeNVMLError,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 3,
        "nvmlDeviceGetHandleByIndex": handle,
        "nvmlDeviceGetHandleByUUID": lambda uuid: int(uuid.rpartition("-")[2]),
        "nvmlDeviceGetUtilizationRates": lambda device: SimpleNamespace(gpu=10 * device, memory=1),
        "nvmlDeviceGetMemoryInfo": lambda device: SimpleNamespace(used=device << 30, total=8 << 30),
    }
    vars(module).update(functions)
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return module


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, (0.0, 10.0, 20.0)),
        ("2,0", (20.0, 0.0)),
        ("GPU-abc-1", (10.0,)),
        ("1,-1,2", (10.0,)),
        ("", None),
        ("-1", None),
        ("7", None),
    ],
)
def test_visible_ones(
    nvml: types.ModuleType, visible: str | None, expected: tuple[float, ...] | None
) -> None:
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert GpuUse(environ).percent() == expected


def test_memory(nvml: types.ModuleType) -> None:
    assert GpuUse({}).memory_bytes() == (0, 1 << 30, 2 << 30)


def test_a_gpu_that_does_not_tell(nvml: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise FakeNVMLError("Not Supported")

    monkeypatch.setattr(nvml, "nvmlDeviceGetUtilizationRates", refuse)
    gpus = GpuUse({})
    assert gpus.percent() is None
    assert gpus.memory_bytes() == (0, 1 << 30, 2 << 30)


def test_samples(nvml: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found: list[ResourceRecord] = []
    sampler = ResourceSampler("run", found.extend)
    sampler.start()
    sampler.stop()
    assert [sample.gpu_percent for sample in found] == [(0.0, 10.0, 20.0)] * 2
    assert [sample.gpu_memory_bytes for sample in found] == [(0, 1 << 30, 2 << 30)] * 2


def test_without_a_driver(nvml: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise FakeNVMLError("Driver Not Loaded")

    monkeypatch.setattr(nvml, "nvmlInit", refuse)
    found: list[ResourceRecord] = []
    sampler = ResourceSampler("run", found.extend)
    sampler.start()
    sampler.stop()
    assert sampler.problem is None
    assert [sample.gpu_percent for sample in found] == [None, None]
