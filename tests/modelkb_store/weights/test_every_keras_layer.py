"""Weights files of models with all of Keras' layers that have variables, apart and together."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from modelkb_store.weights.weights_file import read_weights_file, write_weights_file

# Keras says so of its own files, too, where a container has no variables in it.
pytestmark = pytest.mark.filterwarnings("ignore:Skipping nested container")

IMAGE = (8, 8, 3)
SEQUENCE = (6, 4)
VECTOR = (5,)
VOLUME = (4, 4, 4, 2)

Built = Callable[[], Any]

# Layers on one input: its shape, and what makes them.
LAYERS: dict[str, tuple[tuple[int, ...], Built]] = {
    "AlphaDropout": (VECTOR, lambda: layers.AlphaDropout(0.5, seed=1)),
    "BatchNormalization": (IMAGE, layers.BatchNormalization),
    "Bidirectional": (SEQUENCE, lambda: layers.Bidirectional(layers.LSTM(3))),
    "Conv1D": (SEQUENCE, lambda: layers.Conv1D(3, 2)),
    "Conv1DTranspose": (SEQUENCE, lambda: layers.Conv1DTranspose(3, 2)),
    "Conv2D": (IMAGE, lambda: layers.Conv2D(3, 2)),
    "Conv2DTranspose": (IMAGE, lambda: layers.Conv2DTranspose(3, 2)),
    "Conv3D": (VOLUME, lambda: layers.Conv3D(3, 2)),
    "Conv3DTranspose": (VOLUME, lambda: layers.Conv3DTranspose(3, 2)),
    "ConvLSTM1D": ((3, *SEQUENCE), lambda: layers.ConvLSTM1D(2, 2)),
    "ConvLSTM2D": ((3, *IMAGE), lambda: layers.ConvLSTM2D(2, 2)),
    "ConvLSTM3D": ((2, *VOLUME), lambda: layers.ConvLSTM3D(2, 2)),
    "Dense": (VECTOR, lambda: layers.Dense(3)),
    "DepthwiseConv1D": (SEQUENCE, lambda: layers.DepthwiseConv1D(2)),
    "DepthwiseConv2D": (IMAGE, lambda: layers.DepthwiseConv2D(2)),
    "Dropout": (VECTOR, lambda: layers.Dropout(0.5, seed=7)),
    "EinsumDense": (SEQUENCE, lambda: layers.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d")),
    "Embedding": (VECTOR, lambda: layers.Embedding(11, 3)),
    "GRU": (SEQUENCE, lambda: layers.GRU(3)),
    "GaussianDropout": (VECTOR, lambda: layers.GaussianDropout(0.5, seed=1)),
    "GaussianNoise": (VECTOR, lambda: layers.GaussianNoise(0.5, seed=1)),
    "GroupNormalization": (IMAGE, lambda: layers.GroupNormalization(3)),
    "LSTM": (SEQUENCE, lambda: layers.LSTM(3)),
    "LayerNormalization": (VECTOR, layers.LayerNormalization),
    "PReLU": (VECTOR, layers.PReLU),
    "RMSNormalization": (VECTOR, layers.RMSNormalization),
    "RNN": (SEQUENCE, lambda: layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)])),
    "RandomBrightness": (IMAGE, lambda: layers.RandomBrightness(0.1, seed=1)),
    "RandomContrast": (IMAGE, lambda: layers.RandomContrast(0.1, seed=1)),
    "RandomFlip": (IMAGE, lambda: layers.RandomFlip(seed=1)),
    "RandomRotation": (IMAGE, lambda: layers.RandomRotation(0.1, seed=1)),
    "RandomZoom": (IMAGE, lambda: layers.RandomZoom(0.1, seed=1)),
    "ReLU": (VECTOR, layers.ReLU),
    "ReversibleEmbedding": (VECTOR, lambda: layers.ReversibleEmbedding(11, 3, tie_weights=False)),
    "STFTSpectrogram": ((128, 1), lambda: layers.STFTSpectrogram(frame_length=16, fft_length=16)),
    "SeparableConv1D": (SEQUENCE, lambda: layers.SeparableConv1D(3, 2)),
    "SeparableConv2D": (IMAGE, lambda: layers.SeparableConv2D(3, 2)),
    "SimpleRNN": (SEQUENCE, lambda: layers.SimpleRNN(3)),
    "SpectralNormalization": (IMAGE, lambda: layers.SpectralNormalization(layers.Conv2D(3, 2))),
    "SpatialDropout1D": (SEQUENCE, lambda: layers.SpatialDropout1D(0.5, seed=1)),
    "TimeDistributed": (SEQUENCE, lambda: layers.TimeDistributed(layers.Dense(3))),
}
# Layers on several tensors of a sequence.
ATTENTION: dict[str, Built] = {
    "AdditiveAttention": layers.AdditiveAttention,
    "Attention": lambda: layers.Attention(use_scale=True, dropout=0.1, seed=1),
    "GroupQueryAttention": lambda: layers.GroupQueryAttention(4, 4, 2),
    "MultiHeadAttention": lambda: layers.MultiHeadAttention(2, 4, dropout=0.1, seed=1),
}
# Made, but of nothing else than a configuration or parts that are tested by themselves: the base
# classes, what runs code of other frameworks, and augmentations with only a seed generator.
NOT_HERE = {"JaxLayer", "FlaxLayer", "Layer", "TFSMLayer", "TorchModuleWrapper", "Wrapper"}


def named_variables(model: Any) -> list[tuple[str, Any]]:
    """All of a model's state: weights, seed generators' states and the optimizer's."""
    optimizer = getattr(model, "optimizer", None)
    return [
        (variable.path, np.asarray(variable))
        for variable in [*model.variables, *(optimizer.variables if optimizer else ())]
    ]


def assert_same_values(found: Any, expected: Any) -> None:
    pairs = zip(named_variables(found), named_variables(expected), strict=True)
    for (_, ours), (path, theirs) in pairs:
        assert (path, ours.dtype, ours.shape) == (path, theirs.dtype, theirs.shape)
        assert ours.tobytes() == theirs.tobytes(), path


def tree(path: Path) -> dict[str, Any]:
    """All that h5py sees in a file."""
    found: dict[str, Any] = {}
    with h5py.File(path, "r") as file:

        def visit(name: str, node: Any) -> None:
            attributes = {key: node.attrs[key] for key in node.attrs}
            values = None
            if isinstance(node, h5py.Dataset):
                content = np.asarray(node[()])
                values = (
                    content.tolist() if content.dtype.kind == "O" else content.tobytes(),
                    node.shape,
                    node.id.get_type().encode(),
                )
            found[name] = (attributes, values)

        visit("", file)
        file.visititems(visit)
    return found


def again(path: Path) -> Path:
    """Take a weights file apart and put it together elsewhere, from the variables by their ids."""
    target = path.with_name("again.weights.h5")
    file = read_weights_file(path)
    variables = dict(file.variables())
    assert tuple(variables) == file.variable_paths
    ids = [variable.variable_id for variable in variables.values()]
    by_id = dict(zip(ids, variables.values(), strict=True))
    write_weights_file(target, file.structure, file.variable_paths, ids, by_id.__getitem__)
    return target


def perturb(model: Any, seed: int) -> None:
    """Give all variables values that no initializer gives, with the bits of NaN and -0."""
    random = np.random.default_rng(seed)
    for variable in model.variables:
        values = np.asarray(variable)
        if values.dtype.kind in "iu":
            variable.assign(random.integers(0, 100, values.shape).astype(values.dtype))
        elif values.dtype.kind == "f":
            chosen = np.asarray(random.normal(size=values.shape), values.dtype)
            chosen.reshape(-1)[:2] = [-0.0, np.nan][: chosen.size]
            variable.assign(chosen)


def assert_comes_back(make: Built, tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    original = make()
    perturb(original, 1)
    original.save_weights(path)
    assert_loads_alike(path, lambda: perturbed(make()))
    if not any("seed_generator" in variable.path for variable in original.variables):
        other = perturbed(make())
        other.load_weights(path.with_name("again.weights.h5"))
        assert_same_values(other, original)


def assert_loads_alike(path: Path, make: Built) -> None:
    """Load a file and the one put together from its parts; Keras leaves most seeds out of both."""
    restored = again(path)
    assert tree(restored) == tree(path)
    of_original, of_restored = make(), make()
    of_original.load_weights(path)
    of_restored.load_weights(restored)
    assert_same_values(of_restored, of_original)


def perturbed(model: Any) -> Any:
    perturb(model, 2)
    return model


def on_input(shape: tuple[int, ...], make: Built) -> Any:
    return keras.Sequential([keras.Input(shape), make()])


@pytest.mark.parametrize("name", LAYERS)
def test_layers_come_back(name: str, tmp_path: Path) -> None:
    shape, make = LAYERS[name]
    assert_comes_back(lambda: on_input(shape, make), tmp_path)


@pytest.mark.parametrize("name", ATTENTION)
def test_attention_comes_back(name: str, tmp_path: Path) -> None:
    def make() -> Any:
        query, value = keras.Input(SEQUENCE), keras.Input(SEQUENCE)
        layer = ATTENTION[name]()
        inputs = [query, value]
        output = layer(*inputs) if "Query" in name or "Head" in name else layer(inputs)
        return keras.Model(inputs, output)

    assert_comes_back(make, tmp_path)


def test_no_layer_with_weights_is_forgotten() -> None:
    tested = {*LAYERS, *ATTENTION, *NOT_HERE, "Normalization", "RNN"}
    classes = {
        name: found
        for name, found in vars(layers).items()
        if inspect.isclass(found) and issubclass(found, layers.Layer)
    }
    with_weights = {
        name
        for name, found in classes.items()
        if "add_weight(" in inspect.getsource(found) and not name.endswith("Cell")
    }
    assert with_weights - tested == set()


def test_adapted_normalization_comes_back(tmp_path: Path) -> None:
    def make() -> Any:
        layer = layers.Normalization()
        layer.adapt(np.random.default_rng(0).normal(size=(20, 5)).astype("float32"))
        return keras.Sequential([keras.Input(VECTOR), layer])

    path = tmp_path / "model.weights.h5"
    original = make()
    original.save_weights(path)
    restored = again(path)
    assert tree(restored) == tree(path)
    other = keras.Sequential([keras.Input(VECTOR), layers.Normalization()])
    other.load_weights(restored)
    x = np.ones((2, 5), "float32")
    assert np.asarray(other(x)).tobytes() == np.asarray(original(x)).tobytes()


@pytest.mark.parametrize("policy", ["bfloat16", "float16", "mixed_bfloat16", "float64"])
def test_other_float_types_come_back(policy: str, tmp_path: Path) -> None:
    def make() -> Any:
        shape = keras.Input(IMAGE)
        x = layers.Conv2D(3, 2, dtype=policy)(shape)
        x = layers.BatchNormalization(dtype=policy)(x)
        return keras.Model(shape, layers.Dense(2, dtype=policy)(layers.Flatten()(x)))

    assert_comes_back(make, tmp_path)


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
@pytest.mark.parametrize("kind", ["Dense", "EinsumDense", "Embedding"])
def test_quantized_layers_come_back(mode: str, kind: str, tmp_path: Path) -> None:
    if (mode, kind) == ("float8", "Embedding"):
        pytest.skip("Keras has none")
    shape, make_layer = LAYERS[kind]

    def make(seed: int) -> Any:
        model = on_input(shape, make_layer)
        perturb_finite(model, seed)
        model.layers[0].quantize(mode)
        return model

    path = tmp_path / "model.weights.h5"
    original, other = make(1), make(2)
    original.save_weights(path)
    restored = again(path)
    other.load_weights(restored)
    assert_same_values(other, original)
    assert tree(restored) == tree(path)


def perturb_finite(model: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    for variable in model.variables:
        variable.assign(random.normal(size=variable.shape).astype("float32"))


def test_lookups_come_back(tmp_path: Path) -> None:
    def make() -> Any:
        words = keras.Input((2,), dtype="string")
        numbers = keras.Input((2,), dtype="int64")
        x = layers.StringLookup(vocabulary=["ä", "b"])(words)
        y = layers.IntegerLookup(vocabulary=[3, 5])(numbers)
        z = layers.HashedCrossing(5)([numbers[:, 0], numbers[:, 1]])
        merged = layers.Concatenate()([x, y, layers.Reshape((1,))(z)])
        return keras.Model([words, numbers], layers.Embedding(9, 2)(merged))

    assert_comes_back(make, tmp_path)


class Own(layers.Layer):
    """Keeps values of its own in the weights file."""

    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(shape=())
        self.loaded: dict[str, Any] = {}

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["flags"] = np.array([[True, False]])
        store["complex"] = np.array([1 - 0j, complex("nan")], "complex64")
        store["none"] = np.zeros((0, 3), "float32")
        store["number"] = np.int64(-3)
        store["big"] = np.array([1, 2], ">i4")

    def load_own_variables(self, store: Any) -> None:
        self.loaded = {key: store[key] for key in store.keys()}  # noqa: SIM118 - not a dict

    def call(self, x: Any) -> Any:
        return x * self.gain


def test_what_a_layer_keeps_itself_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    model = keras.Sequential([keras.Input(VECTOR), Own()])
    model.save_weights(path)
    restored = again(path)
    loaded = []
    for file in (path, restored):
        model.load_weights(file)
        values = model.layers[0].loaded
        loaded.append({key: (v.dtype, v.shape, v.tolist().__repr__()) for key, v in values.items()})
    big = [found.pop("big") for found in loaded]
    assert loaded[0] == loaded[1]
    assert big[0][1:] == big[1][1:]  # the order of bytes is the only thing that may differ


def test_strings_of_all_kinds_come_back(tmp_path: Path) -> None:
    path = tmp_path / "own.weights.h5"
    with h5py.File(path, "w") as file:
        store = file.create_group("layers/own/vars")
        store.attrs["name"] = "ä" * 100_000
        store["texts"] = np.array(["ä", "", "b c"], dtype=object)
        store["fixed"] = np.array([b"ab", b"c"])
        store["one"] = "text"
        store.create_dataset("ascii", data=["a", "b"], dtype=h5py.string_dtype("ascii"))
        store.create_dataset("utf8", data=["ä".encode()], dtype=h5py.string_dtype("utf-8", 5))
        store.create_dataset("no text", (0,), dtype=h5py.string_dtype())
        store["one"].attrs["numbers"] = np.arange(6.0).reshape(2, 3)
        store["one"].attrs["nothing"] = h5py.Empty("f4")
        store["one"].attrs["flag"] = True
        store["one"].attrs["texts"] = ["a", "ä"]
    found, expected = tree(again(path)), tree(path)
    assert str(found) == str(expected)


def test_nested_and_shared_models_come_back(tmp_path: Path) -> None:
    def make() -> Any:
        inner = keras.Sequential([keras.Input(VECTOR), layers.Dense(5), layers.ReLU()])
        tower = keras.Sequential([keras.Input(VECTOR), inner, layers.Dropout(0.5), inner])
        one, two = keras.Input(VECTOR), keras.Input(VECTOR)
        return keras.Model([one, two], layers.Add()([tower(one), tower(two)]))

    assert_comes_back(make, tmp_path)


def test_optimizer_and_metrics_come_back(tmp_path: Path) -> None:
    def make() -> Any:
        model = keras.Sequential([keras.Input(VECTOR), layers.Dense(3)])
        model.compile(keras.optimizers.AdamW(1e-3), "mse", metrics=["mae"])
        model.fit(np.ones((4, 5)), np.ones((4, 3)), verbose=0)
        return model

    assert_comes_back(make, tmp_path)


def test_a_model_without_weights_comes_back(tmp_path: Path) -> None:
    assert_comes_back(lambda: on_input(VECTOR, layers.ReLU), tmp_path)


def test_a_very_wide_model_comes_back(tmp_path: Path) -> None:
    def make() -> Any:  # its names are 70 KB, and its groups nodes of a tree
        wide = keras.Input((4,))
        parts = [layers.Dense(1, name=f"{'a_long_name_' * 50}{n}")(wide) for n in range(120)]
        return keras.Model(wide, layers.Concatenate()(parts))

    assert_comes_back(make, tmp_path)
