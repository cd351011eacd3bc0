"""Architectures of all kinds, each made by a function of its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

ARCHITECTURES: dict[str, Callable[[], Any]] = {}
# Source of what is the user's own in some of them.
DEFINITIONS = """
import keras
from keras import layers


def double(x):
    return 2 * x


@keras.saving.register_keras_serializable("tests")
class Scale(layers.Layer):
    def __init__(self, factor, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.activation = activation

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "activation": self.activation}


@keras.saving.register_keras_serializable("tests")
class Mlp(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = layers.Dense(units, activation="relu")
        self.last = layers.Dense(2)

    def call(self, x):
        return self.last(self.hidden(x))

    def get_config(self):
        return {"units": self.units, "name": self.name}


@keras.saving.register_keras_serializable("tests")
class Chain(layers.Layer):
    def __init__(self, layers, weights=(), limits=None, **kwargs):
        super().__init__(**kwargs)
        self.parts = layers
        self.factors = weights + []
        self.limits = limits

    def call(self, x):
        for part, factor in zip(self.parts, self.factors):
            x = factor * part(x)
        return x

    def get_config(self):
        config = {"layers": keras.saving.serialize_keras_object(self.parts)}
        config.update(weights=self.factors, limits=self.limits)
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "layers": keras.saving.deserialize_keras_object(config["layers"])})
"""
_own: dict[str, Any] = {}
exec(DEFINITIONS, _own)


def architecture(make: Callable[[], Any]) -> Callable[[], Any]:
    ARCHITECTURES[make.__name__] = make
    return make


@architecture
def small_cnn() -> Any:
    return keras.Sequential(
        [
            keras.Input(shape=(8, 8, 1)),
            layers.Conv2D(32, kernel_size=3, padding="same", activation="relu"),
            layers.MaxPooling2D(pool_size=2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits_cnn",
    )


@architecture
def sequential_built_later() -> Any:
    model = keras.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(2)])
    model.build((None, 3))
    return model


@architecture
def sequential_in_sequential() -> Any:
    inner = keras.Sequential([layers.Dense(4), layers.BatchNormalization()], name="inner")
    return keras.Sequential([keras.Input((3,)), inner, layers.Dense(2)])


@architecture
def deep_sequential() -> Any:
    return keras.Sequential(
        [keras.Input((4,)), *(layers.Dense(4, activation="relu") for _ in range(50))]
    )


@architecture
def deep_functional() -> Any:
    x = inputs = keras.Input((4,))
    for number in range(25):
        x = layers.Dense(4, name=f"dense_of_{number}")(x)
        x = layers.LeakyReLU(negative_slope=0.1, name=f"act{number}")(x)
    return keras.Model(inputs, x)


@architecture
def residual() -> Any:
    x = inputs = keras.Input((8,))
    for units in (16, 32, 64, 128):
        y = layers.Dense(units, activation="relu")(x)
        y = layers.Dense(8)(y)
        x = layers.Add()([x, y])
    return keras.Model(inputs, layers.Dense(1)(x))


@architecture
def shared_layer() -> Any:
    dense = layers.Dense(4)
    first, second = keras.Input((4,)), keras.Input((4,))
    return keras.Model([first, second], layers.Concatenate()([dense(first), dense(second)]))


@architecture
def layer_that_feeds_itself() -> Any:
    dense = layers.Dense(4, activation="relu")
    inputs = keras.Input((4,))
    return keras.Model(inputs, dense(dense(dense(inputs))))


@architecture
def siamese() -> Any:
    tower = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(3)], name="tower")
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    difference = ops.abs(tower(left) - tower(right))
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid")(difference))


@architecture
def functional_in_functional() -> Any:
    inner_inputs = keras.Input((4,))
    inner = keras.Model(inner_inputs, layers.Dense(3)(inner_inputs), name="inner")
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2)(inner(inputs)))


@architecture
def nested_three_deep_and_reused() -> Any:
    a = keras.Input((4,))
    first = keras.Model(a, layers.Dense(4)(a), name="first")
    b = keras.Input((4,))
    second = keras.Model(b, first(first(b)), name="second")
    c = keras.Input((4,))
    return keras.Model(c, layers.Add()([second(c), second(second(c))]))


@architecture
def dictionaries() -> Any:
    image, row = keras.Input((8, 8, 1), name="image"), keras.Input((5,), name="row")
    x = layers.Flatten()(layers.Conv2D(2, 3)(image))
    y = layers.Dense(3)(row)
    both = layers.concatenate([x, y])
    outputs = {"kind": layers.Dense(3, name="kind")(both), "more": [y, layers.Dense(1)(x)]}
    return keras.Model({"image": image, "row": row}, outputs)


@architecture
def nested_model_with_a_dictionary() -> Any:
    inner_inputs = {"b": keras.Input((2,), name="b"), "a": keras.Input((3,), name="a")}
    joined = layers.Concatenate()([inner_inputs["a"], inner_inputs["b"]])
    inner = keras.Model(
        inner_inputs, {"z": layers.Dense(2)(joined), "y": layers.Dense(3)(joined)}, name="inner"
    )
    left, right = keras.Input((2,)), keras.Input((3,))
    given = inner({"b": left, "a": right})
    return keras.Model([left, right], [given["y"], given["z"]])


@architecture
def input_that_is_an_output() -> Any:
    inputs = keras.Input((3,))
    return keras.Model(inputs, [inputs, layers.Dense(2)(inputs)])


@architecture
def input_that_nothing_uses() -> Any:
    inputs, other = keras.Input((3,)), keras.Input((2,))
    return keras.Model([inputs, other], layers.Dense(2)(inputs))


@architecture
def operators() -> Any:
    x, y = keras.Input((4,)), keras.Input((4,))
    z = (1 - x) * 2.5 + y / 3.0 - x**2
    z = -z @ ops.transpose(ops.reshape(y, (-1, 4)))
    return keras.Model([x, y], [z, x[:, 1:3], x[..., 0], (x > 0.5) & (y <= 1.0)])


@architecture
def operations() -> Any:
    x = keras.Input((6, 4))
    mean = ops.mean(x, axis=1, keepdims=True)
    split = ops.split(x, 2, axis=1)
    joined = ops.concatenate([split[1], split[0]], axis=-1)
    attention = ops.einsum("bij,bkj->bik", x, x)
    chosen = ops.where(x > 0, x, ops.zeros_like(x))
    outputs = [mean, joined, ops.softmax(attention), chosen, ops.reshape(x, (-1, 24))]
    return keras.Model(x, [*outputs, ops.expand_dims(x, -1), ops.stack([x, x], axis=1)])


@architecture
def normalized_by_operations() -> Any:
    x = keras.Input((5,))
    centered = x - ops.mean(x, axis=-1, keepdims=True)
    scale = ops.sqrt(ops.var(x, axis=-1, keepdims=True) + 1e-6)
    return keras.Model(x, layers.Dense(2)(ops.clip(centered / scale, -3.0, 3.0)))


@architecture
def masked_embedding() -> Any:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(20, 8, mask_zero=True)(tokens)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    x = layers.GRU(3)(x)
    return keras.Model(tokens, layers.Dense(1)(x))


@architecture
def masking() -> Any:
    inputs = keras.Input((7, 3))
    return keras.Model(inputs, layers.SimpleRNN(4)(layers.Masking(mask_value=-1.0)(inputs)))


@architecture
def mask_of_ones_own() -> Any:
    inputs, mask = keras.Input((7, 3)), keras.Input((7,), dtype="bool")
    return keras.Model([inputs, mask], layers.LSTM(4)(inputs, mask=mask))


@architecture
def states() -> Any:
    inputs = keras.Input((5, 3))
    whole, hidden, cell = layers.LSTM(4, return_sequences=True, return_state=True)(inputs)
    decoded = layers.LSTM(4, return_sequences=True)(whole, initial_state=[hidden, cell])
    return keras.Model(inputs, [decoded, hidden])


@architecture
def stateful() -> Any:
    inputs = keras.Input(batch_shape=(2, 5, 3))
    return keras.Model(inputs, layers.GRU(4, stateful=True, reset_after=False)(inputs))


@architecture
def cells() -> Any:
    inputs = keras.Input((5, 3))
    stacked = layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], return_sequences=True)(inputs)
    return keras.Model(inputs, layers.RNN(layers.SimpleRNNCell(2), go_backwards=True)(stacked))


@architecture
def convolutional_lstm() -> Any:
    inputs = keras.Input((3, 8, 8, 1))
    return keras.Model(inputs, layers.ConvLSTM2D(2, 3, padding="same")(inputs))


@architecture
def bidirectional_of_two_kinds() -> Any:
    inputs = keras.Input((5, 3))
    both = layers.Bidirectional(
        layers.LSTM(4), backward_layer=layers.GRU(4, go_backwards=True), merge_mode="sum"
    )
    return keras.Model(inputs, both(inputs))


@architecture
def wrappers() -> Any:
    inputs = keras.Input((3, 8, 8, 1))
    x = layers.TimeDistributed(layers.Conv2D(2, 3, activation="relu"))(inputs)
    x = layers.TimeDistributed(layers.Flatten())(x)
    x = layers.SpectralNormalization(layers.Dense(4), power_iterations=2)(x)
    return keras.Model(inputs, layers.GlobalAveragePooling1D()(x))


@architecture
def models_distributed_over_time() -> Any:
    frame = keras.Input((8, 8, 1))
    features = keras.Model(frame, layers.Flatten()(layers.Conv2D(3, 3)(frame)))
    head = keras.Sequential([layers.Dense(4), layers.Dropout(0.2)], name="head")
    inputs = keras.Input((5, 8, 8, 1))
    x = layers.TimeDistributed(features)(inputs)
    return keras.Model(inputs, layers.LSTM(3)(layers.TimeDistributed(head)(x)))


@architecture
def transformer() -> Any:
    tokens = keras.Input((6,), dtype="int32")
    x = layers.Embedding(30, 8)(tokens) + layers.Embedding(6, 8)(ops.arange(6))
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.MultiHeadAttention(num_heads=2, key_dim=4)(y, y, use_causal_mask=True)
        x = layers.Add()([x, y])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dense(16, activation="gelu")(y)
        x = layers.Add()([x, layers.Dense(8)(y)])
    return keras.Model(tokens, layers.Dense(30)(x))


@architecture
def attention() -> Any:
    query, value = keras.Input((4, 6)), keras.Input((5, 6))
    dot = layers.Attention(use_scale=True)([query, value])
    added = layers.AdditiveAttention()([query, value])
    grouped = layers.GroupQueryAttention(3, 4, 2)(query, value)
    return keras.Model([query, value], [dot, added, grouped])


@architecture
def attention_scores() -> Any:
    query, value = keras.Input((4, 6)), keras.Input((5, 6))
    out, scores = layers.MultiHeadAttention(2, 3)(query, value, return_attention_scores=True)
    return keras.Model([query, value], [out, scores])


@architecture
def u_net() -> Any:
    x = inputs = keras.Input((16, 16, 1))
    skips = []
    for filters in (4, 8):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    for filters, skip in zip((8, 4), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(filters, 2, strides=2)(x)
        x = layers.Concatenate()([x, skip])
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))


@architecture
def inception() -> Any:
    inputs = keras.Input((8, 8, 3))
    branches = [layers.Conv2D(2, size, padding="same")(inputs) for size in (1, 3, 5)]
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(inputs)
    branches.append(layers.Conv2D(2, 1)(pooled))
    return keras.Model(inputs, layers.Concatenate()(branches))


@architecture
def squeeze_and_excite() -> Any:
    x = inputs = keras.Input((8, 8, 4))
    for _ in range(3):
        scale = layers.GlobalAveragePooling2D(keepdims=True)(x)
        scale = layers.Conv2D(2, 1, activation="relu")(scale)
        scale = layers.Conv2D(4, 1, activation="sigmoid")(scale)
        x = layers.Multiply()([x, scale])
    return keras.Model(inputs, x)


@architecture
def convolutions() -> Any:
    inputs = keras.Input((12, 12, 4))
    x = layers.SeparableConv2D(6, 3, depth_multiplier=2, dilation_rate=2)(inputs)
    x = layers.DepthwiseConv2D((3, 1), strides=(1, 1), padding="same")(x)
    x = layers.Conv2D(6, (1, 3), groups=2, use_bias=False)(x)
    x = layers.ZeroPadding2D(((1, 0), (2, 0)))(x)
    x = layers.Cropping2D(1)(x)
    x = layers.UpSampling2D((2, 1), interpolation="bilinear")(x)
    x = layers.AveragePooling2D((2, 1), strides=(1, 1))(x)
    return keras.Model(inputs, layers.Permute((3, 1, 2))(x))


@architecture
def autoencoder() -> Any:
    a = keras.Input((8,))
    encoder = keras.Model(a, layers.Dense(2, name="code")(layers.Dense(4)(a)), name="encoder")
    b = keras.Input((2,))
    decoder = keras.Model(b, layers.Dense(8)(layers.Dense(4)(b)), name="decoder")
    c = keras.Input((8,))
    return keras.Model(c, decoder(encoder(c)), name="autoencoder")


@architecture
def initialized_and_regularized() -> Any:
    dense = layers.Dense(
        4,
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02, seed=3),
        bias_initializer=keras.initializers.Constant(0.1),
        kernel_regularizer=keras.regularizers.L1L2(1e-5, 1e-4),
        activity_regularizer=keras.regularizers.L2(0.003),
        kernel_constraint=keras.constraints.MaxNorm(2, axis=0),
        bias_constraint="non_neg",
    )
    other = layers.Dense(3, kernel_initializer="he_normal", kernel_regularizer="l2")
    return keras.Sequential([keras.Input((5,)), dense, other])


@architecture
def activations() -> Any:
    x = inputs = keras.Input((4,))
    names = ("relu", "gelu", "swish", "elu", "selu", "softplus", "mish", "leaky_relu")
    for name in names:
        x = layers.Dense(4, activation=name)(x)
    x = layers.PReLU()(layers.ReLU(max_value=6.0)(x))
    return keras.Model(inputs, layers.Softmax(axis=-1)(layers.ELU(alpha=0.5)(x)))


@architecture
def normalizations() -> Any:
    inputs = keras.Input((4, 4, 6))
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-4, scale=False)(inputs)
    x = layers.LayerNormalization(axis=[1, 2])(x)
    x = layers.GroupNormalization(groups=3)(x)
    return keras.Model(inputs, layers.UnitNormalization()(layers.RMSNormalization()(x)))


@architecture
def mixed_precision() -> Any:
    policy = "mixed_float16"
    inputs = keras.Input((4,))
    x = layers.Dense(8, activation="relu", dtype=policy)(inputs)
    x = layers.Dense(8, dtype=policy)(x)
    return keras.Model(inputs, layers.Dense(2, dtype="float32")(x))


@architecture
def quantized() -> Any:
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4), layers.Dense(2)])
    model.quantize("int8")
    return model


@architecture
def frozen_layers() -> Any:
    inputs = keras.Input((4,))
    x = layers.Dense(4, trainable=False)(inputs)
    return keras.Model(inputs, layers.Dense(2)(x))


@architecture
def frozen_base() -> Any:
    base = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dropout(0.5)], name="base")
    base.trainable = False
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2)(base(inputs, training=False)))


@architecture
def partly_frozen_base() -> Any:
    a = keras.Input((4,))
    base = keras.Model(a, layers.Dense(3, name="b")(layers.Dense(3, name="a")(a)), name="base")
    base.trainable = False
    base.get_layer("b").trainable = True
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2)(base(inputs)))


@architecture
def adapted_numbers() -> Any:
    normalization = layers.Normalization()
    normalization.adapt(np.arange(30.0).reshape(10, 3))
    inputs = keras.Input((3,))
    given = layers.Normalization(mean=[0.5, 0.1, 0.2], variance=[1.0, 2.0, 3.0])(inputs)
    return keras.Model(inputs, layers.Dense(2)(layers.Rescaling(1 / 255)(normalization(given))))


@architecture
def discretized() -> Any:
    inputs = keras.Input((1,))
    x = layers.Discretization(bin_boundaries=[0.2, 0.5, 0.8])(inputs)
    return keras.Model(inputs, layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")(x))


@architecture
def augmented_images() -> Any:
    inputs = keras.Input((16, 16, 3))
    x = layers.RandomFlip("horizontal", seed=1)(inputs)
    x = layers.RandomRotation(0.1, fill_mode="nearest", seed=2)(x)
    x = layers.CenterCrop(8, 8)(layers.Resizing(12, 12)(x))
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))


@architecture
def pipeline_of_layers() -> Any:
    rescale = keras.Sequential([keras.Input((8, 8, 3)), layers.Rescaling(2.0)])
    pipeline = layers.Pipeline([layers.CenterCrop(8, 8), rescale, layers.UnitNormalization()])
    return keras.Sequential([keras.Input((9, 9, 3)), pipeline, layers.Conv2D(2, 3)])


@architecture
def noise() -> Any:
    inputs = keras.Input((4,))
    x = layers.GaussianNoise(0.1)(layers.AlphaDropout(0.2, seed=4)(inputs))
    return keras.Model(inputs, layers.ActivityRegularization(l2=0.01)(layers.Dense(2)(x)))


@architecture
def own_layer() -> Any:
    inputs = keras.Input((4,))
    x = _own["Scale"](2.5, name="scaled")(inputs)
    return keras.Model(inputs, layers.Dense(2)(_own["Scale"](0.5)(x)))


@architecture
def own_layer_of_layers() -> Any:
    """Lists must come back as lists, and what stands beside the layers must not be lost."""
    parts = [layers.Dense(3), layers.Dense(2)]
    chain = _own["Chain"](parts, weights=[2, 3], limits={"low": [0.5, "a"]})
    return keras.Sequential([keras.Input((4,)), chain, layers.Dense(1)])


@architecture
def named_lambda() -> Any:
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2)(layers.Lambda(_own["double"])(inputs)))


@architecture
def own_activation() -> Any:
    return keras.Sequential([keras.Input((4,)), layers.Dense(2, activation=_own["double"])])


@architecture
def odd_names() -> Any:
    x = inputs = keras.Input((4,), name="input; import os")
    for name in ("a'b", 'c"d', "e{f}", '"""', "g\\h", "ünï", "0 class", "#"):
        x = layers.Dense(4, name=name)(x)
    return keras.Model(inputs, x, name='it\'s "odd"\n')


@architecture
def mixed_precision_everywhere() -> Any:
    keras.config.set_dtype_policy("mixed_float16")
    inputs = keras.Input((6, 6, 2))
    x = layers.Flatten()(layers.BatchNormalization()(layers.Conv2D(4, 3)(inputs)))
    x = layers.Dense(4, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(2, activation="softmax", dtype="float32")(x))


@architecture
def brain_floats_everywhere() -> Any:
    keras.config.set_dtype_policy("mixed_bfloat16")
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(4, activation="gelu"), layers.Dense(2)]
    )


@architecture
def nested_dictionaries() -> Any:
    inputs = {
        "a": {"b": keras.Input((2,), name="b"), "c": [keras.Input((3,), name="c")]},
        "d": keras.Input((4,), name="d"),
    }
    joined = layers.Concatenate()([inputs["a"]["b"], inputs["a"]["c"][0], inputs["d"]])
    x = layers.Dense(3)(joined)
    return keras.Model(inputs, {"x": {"y": x, "z": [layers.Dense(1)(x)]}})


@architecture
def attention_with_masks() -> Any:
    query, value = keras.Input((4, 6)), keras.Input((5, 6))
    seen = keras.Input((4, 5), dtype="bool")
    valid = keras.Input((5,), dtype="bool")
    x = layers.MultiHeadAttention(2, 3)(query, value, attention_mask=seen)
    return keras.Model(
        [query, value, seen, valid],
        layers.MultiHeadAttention(2, 3, dropout=0.1)(
            x, value, key=value, value_mask=valid, training=False
        ),
    )


@architecture
def matrix_products() -> Any:
    x, y = keras.Input((4, 3)), keras.Input((3, 5))
    return keras.Model([x, y], [ops.matmul(x, y), layers.Dot(axes=(2, 1))([x, y])])


@architecture
def stacked_cells() -> Any:
    inputs = keras.Input((5, 3))
    cell = layers.StackedRNNCells([layers.LSTMCell(4, dropout=0.1), layers.GRUCell(3)])
    return keras.Model(inputs, layers.RNN(cell, return_state=True)(inputs))


@architecture
def stacked_cells_both_ways() -> Any:
    inputs = keras.Input((5, 3))
    cells = layers.RNN([layers.SimpleRNNCell(2), layers.LSTMCell(4)], return_state=True)
    given = layers.Bidirectional(cells, merge_mode=None)(inputs)
    return keras.Model(inputs, given)


@architecture
def one_stacked_cell() -> Any:
    inputs = keras.Input((5, 3))
    return keras.Model(inputs, layers.RNN([layers.LSTMCell(4)], return_state=True)(inputs))


@architecture
def hashed_numbers() -> Any:
    inputs = keras.Input((3,), dtype="int32")
    hashed = layers.Hashing(num_bins=7, salt=[3, 5])(inputs)
    return keras.Model(inputs, layers.Embedding(7, 2)(hashed))


@architecture
def adapted_bins() -> Any:
    bins = layers.Discretization(num_bins=4)
    bins.adapt(np.arange(40.0).reshape(40, 1) / 40)
    inputs = keras.Input((1,))
    return keras.Model(inputs, layers.Embedding(4, 2)(bins(inputs)))
