"""What NVIDIA's GPUs are used for, where the package nvidia-ml-py is there to ask."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any


class GpuUse:
    """The GPUs that this process may use, as NVIDIA's management library (NVML) sees them.

    Args:
        environ: Environment variables; ``CUDA_VISIBLE_DEVICES`` says which GPUs count.

    Raises:
        ImportError: nvidia-ml-py is not installed.
        Exception: NVML's own errors, where there is no driver.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        import pynvml  # optional: the extra `gpu`

        self._nvml: Any = pynvml
        pynvml.nvmlInit()
        self._devices = self._visible(environ.get("CUDA_VISIBLE_DEVICES"))

    def percent(self) -> tuple[float, ...] | None:
        """Return how busy each GPU is; None where not all tell, as in MIG mode."""
        rates = self._of_each(self._nvml.nvmlDeviceGetUtilizationRates)
        return None if rates is None else tuple(float(rate.gpu) for rate in rates)

    def memory_bytes(self) -> tuple[int, ...] | None:
        """Return how much memory is in use on each GPU, by anybody; None if not all tell."""
        infos = self._of_each(self._nvml.nvmlDeviceGetMemoryInfo)
        return None if infos is None else tuple(int(info.used) for info in infos)

    def _of_each(self, ask: Any) -> list[Any] | None:
        if not self._devices:
            return None
        try:
            return [ask(device) for device in self._devices]
        except self._nvml.NVMLError:
            return None

    def _visible(self, listed: str | None) -> Sequence[Any]:
        """Return the devices that CUDA shows: numbers or ids, up to the first that is none."""
        by_index = self._nvml.nvmlDeviceGetHandleByIndex
        count = self._nvml.nvmlDeviceGetCount()
        if listed is None:
            return [by_index(index) for index in range(count)]
        devices = []
        for word in (word.strip() for word in listed.split(",")):
            if word.isdigit() and int(word) < count:
                devices.append(by_index(int(word)))
            elif word.startswith(("GPU-", "MIG-")):
                devices.append(self._nvml.nvmlDeviceGetHandleByUUID(word))
            else:
                break
        return devices
