"""Writes every model of keras.applications as code and compares what the code builds.

For each: the model is saved as HDF5, code is written from the file and executed; the
configurations, and with the same weights the outputs, are compared to the bit. Run it with
``python benchmarks/applications_as_code.py [NAME ..]``; all of them take some 15 minutes.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from modelkb_store.codegen import generate_code, read_description

_ROW = "{:20} {:>7} {:>6} {:>8}  {:6}  {:6}"


def main() -> None:
    """Compare models one process each, as they are large."""
    names = sys.argv[1:] or [
        name
        for name in dir(keras.applications)
        if name[0].isupper() and inspect.isfunction(getattr(keras.applications, name))
    ]
    if len(names) == 1:
        _compare(names[0])
        return
    print(_ROW.format("application", "layers", "lines", "seconds", "config", "output"), flush=True)
    for name in names:
        done = subprocess.run(
            [sys.executable, __file__, name], capture_output=True, text=True, check=False
        )
        rows = [line for line in done.stdout.splitlines() if line.startswith(name)]
        print(rows[-1] if rows else f"{name:20} FAILED {done.stderr[-300:]}", flush=True)


def _compare(name: str) -> None:
    model = getattr(keras.applications, name)(weights=None)
    config = _config(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.h5")
        model.save(path)
        began = time.perf_counter()
        code = generate_code(read_description(path))
        seconds = time.perf_counter() - began
    shape = [size or 224 for size in model.input.shape[1:]]
    image = np.random.default_rng(1).uniform(0, 255, (1, *shape)).astype("float32")
    expected, weights, count = np.asarray(model(image)), model.get_weights(), len(model.layers)
    del model
    keras.utils.clear_session()
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102 - what is compared
    again = scope["build_model"]()
    again.set_weights(weights)
    same_config = _config(again) == config
    same_output = np.asarray(again(image)).tobytes() == expected.tobytes()
    print(
        _ROW.format(
            *(name, count, len(code.splitlines()), f"{seconds:.1f}"),
            *("same" if same else "OTHER" for same in (same_config, same_output)),
        ),
        flush=True,
    )


def _config(model: Any) -> Any:
    config = json.loads(model.to_json())
    config.pop("compile_config", None)
    return config


if __name__ == "__main__":
    main()
