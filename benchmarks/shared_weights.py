"""What a hundred fine-tunings of one frozen base take, and how fast weights come and go.

python benchmarks/shared_weights.py
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from modelkb_store.weights.checkpoint import SavedCheckpoint, restore_checkpoint, save_checkpoint
from modelkb_store.weights.repack import repack

_FINE_TUNINGS = 100
random = np.random.default_rng(0)
pack_of: dict[str, str] = {}


def known(ids: Sequence[str]) -> Mapping[str, str]:
    """Return what is stored, as a store would."""
    return {i: pack_of[i] for i in ids if i in pack_of}


def base_model() -> Any:
    """Return a base without classes."""
    return keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(32, 32, 3), pooling="avg"
    )


def fine_tuned_model() -> Any:
    """Return a classifier on a frozen base with BatchNormalization."""
    trained, base = base_model(), base_model()
    x, y = random.random((256, 32, 32, 3), "float32"), random.random((256, 1280), "float32")
    trained.compile("adam", "mse")
    trained.fit(x, y, epochs=2, verbose=0)  # values that are trained, not just initialized
    # Into another model: Keras would save the optimizer of the trained one with it.
    base.set_weights(trained.get_weights())
    base.trainable = False
    model = keras.Sequential([base, keras.layers.Dense(64, "relu"), keras.layers.Dense(10)])
    model.compile("adam", "mse")
    return model


def train_head(model: Any) -> None:
    """Train the layers above the base from new values."""
    for layer in model.layers[1:]:
        if layer.built:
            layer.set_weights([random.normal(0, 0.05, w.shape) for w in layer.get_weights()])
    model.fit(random.random((32, 32, 32, 3), "float32"), random.random((32, 10)), verbose=0)


def save(weights: Path, folder: Path) -> SavedCheckpoint:
    """Save a checkpoint and note its new variables."""
    saved = save_checkpoint(weights, known, folder)
    pack_of.update({v.variable_id: v.pack_path for v in saved.variables})
    return saved


def print_throughput(name: str, values: list[Any], folder: Path) -> None:
    """Print how fast new weights are saved, known ones again, and restored."""
    path, packs = folder / "speed.weights.h5", folder / "speed"
    with h5py.File(path, "w") as file:
        for number, value in enumerate(values):
            file[f"layers/{number}/vars/0"] = value
    began = time.perf_counter()
    saved = save_checkpoint(path, lambda _: {}, packs)
    took = time.perf_counter() - began
    began = time.perf_counter()
    where = {i: str(saved.pack_path) for i in saved.variable_ids}
    save_checkpoint(path, lambda _: where, packs)
    took_known = time.perf_counter() - began
    assert saved.pack is not None
    pack = saved.pack
    began = time.perf_counter()
    restore_checkpoint(
        saved.structure,
        saved.variable_paths,
        saved.variable_ids,
        where,
        lambda _: pack,
        folder / "b.weights.h5",
    )
    took_restored = time.perf_counter() - began
    size = saved.size_bytes / 1e6
    print(
        f"{name}: {size:.0f} MB, stored {pack.stat().st_size / saved.size_bytes:.3f}, "
        f"new {size / took:.0f} MB/s, known {size / took_known:.0f} MB/s, "
        f"restored {size / took_restored:.0f} MB/s"
    )


def print_fine_tunings(folder: Path) -> None:
    """Print what the packs of all fine-tunings take, against one base and all heads."""
    model, weights, packs = fine_tuned_model(), folder / "a.weights.h5", folder / "packs"
    base = head = seconds = 0.0
    all_ids: set[str] = set()
    for _ in range(_FINE_TUNINGS):
        train_head(model)
        keras.saving.save_weights(model, weights, objects_to_skip=[model.optimizer])
        began = time.perf_counter()
        all_ids.update(save(weights, packs).variable_ids)
        seconds += time.perf_counter() - began
        base = sum(w.nbytes for w in model.layers[0].get_weights())
        head += sum(w.nbytes for layer in model.layers[1:] for w in layer.get_weights())
    stored = sum(path.stat().st_size for path in packs.iterdir())
    print(
        f"{_FINE_TUNINGS} fine-tunings of {base / 1e6:.1f} MB, heads {head / 1e6:.1f} MB: packs "
        f"{stored / 1e6:.1f} MB, {stored / (base + head):.2f} of base and heads, "
        f"{1000 * seconds / _FINE_TUNINGS:.0f} ms each"
    )
    began = time.perf_counter()
    merged = repack(
        [path.name for path in packs.iterdir()], packs.joinpath, all_ids, folder / "merged"
    )
    took = time.perf_counter() - began
    size = sum(path.stat().st_size for path in (folder / "merged").iterdir())
    print(f"merged: {len(set(merged.values()))} pack, {size / 1e6:.1f} MB in {took:.2f} s")


with tempfile.TemporaryDirectory() as name:
    print_fine_tunings(Path(name))
    normal = [random.normal(0, 0.05, (1024, 1024)).astype("float32") for _ in range(50)]
    print_throughput("float32", normal, Path(name))
    halves = [
        np.ascontiguousarray(value.view("uint16").reshape(1024, 1024, 2)[..., 1]).view("V2")
        for value in normal
    ]
    print_throughput("bfloat16", halves, Path(name))
