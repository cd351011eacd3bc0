"""Each layer alone: what Keras and the module of PyTorch make of the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

LINE, PLANE, ROOM = (9, 4), (9, 7, 4), (5, 6, 4, 2)

CONVOLUTIONS = {
    "conv1d": (LINE, layers.Conv1D(3, 3, activation="relu")),
    "conv1d_causal": (LINE, layers.Conv1D(3, 3, padding="causal", dilation_rate=2)),
    "conv1d_same": (LINE, layers.Conv1D(3, 2, strides=2, padding="same")),
    "conv2d": (PLANE, layers.Conv2D(6, (3, 2), activation="softmax")),
    "conv2d_groups": (PLANE, layers.Conv2D(6, 3, groups=2, use_bias=False)),
    "conv2d_same": (PLANE, layers.Conv2D(6, (4, 3), padding="same", dilation_rate=(1, 2))),
    "conv2d_same_strides": (PLANE, layers.Conv2D(6, (3, 2), strides=(2, 3), padding="same")),
    "conv3d": (ROOM, layers.Conv3D(3, 2, strides=2, padding="same")),
    "depthwise1d": (LINE, layers.DepthwiseConv1D(3, depth_multiplier=2)),
    "depthwise2d": (PLANE, layers.DepthwiseConv2D(3, strides=2, padding="same")),
    "depthwise2d_several": (PLANE, layers.DepthwiseConv2D(3, depth_multiplier=3)),
    "separable1d": (LINE, layers.SeparableConv1D(5, 3, strides=2, padding="same")),
    "separable2d": (PLANE, layers.SeparableConv2D(5, 3, depth_multiplier=2, activation="gelu")),
    "transpose1d": (LINE, layers.Conv1DTranspose(3, 4, strides=3, padding="same")),
    "transpose2d": (PLANE, layers.Conv2DTranspose(5, 3, strides=2, padding="same")),
    "transpose2d_even": (PLANE, layers.Conv2DTranspose(5, 4, strides=2, padding="same")),
    "transpose2d_valid": (PLANE, layers.Conv2DTranspose(5, (3, 2), strides=2)),
    "transpose2d_wide": (PLANE, layers.Conv2DTranspose(5, 2, strides=3)),
    "transpose2d_output": (
        PLANE,
        layers.Conv2DTranspose(5, 3, strides=2, padding="same", output_padding=1),
    ),
    "transpose3d": (ROOM, layers.Conv3DTranspose(3, 3, strides=2, padding="same")),
}
POOLS = {
    "max1d": (LINE, layers.MaxPooling1D(2)),
    "max2d_same": (PLANE, layers.MaxPooling2D(3, strides=2, padding="same")),
    "max3d": (ROOM, layers.MaxPooling3D(2)),
    "average1d_same": (LINE, layers.AveragePooling1D(4, padding="same")),
    "average2d": (PLANE, layers.AveragePooling2D((2, 3))),
    "average2d_same": (PLANE, layers.AveragePooling2D(3, strides=2, padding="same")),
    "average3d": (ROOM, layers.AveragePooling3D(2, padding="same")),
    "global_average1d": (LINE, layers.GlobalAveragePooling1D()),
    "global_average2d": (PLANE, layers.GlobalAveragePooling2D(keepdims=True)),
    "global_average3d": (ROOM, layers.GlobalAveragePooling3D()),
    "global_max1d": (LINE, layers.GlobalMaxPooling1D()),
    "global_max2d": (PLANE, layers.GlobalMaxPooling2D()),
    "up1d": (LINE, layers.UpSampling1D(2)),
    "up2d": (PLANE, layers.UpSampling2D((2, 3))),
    "up2d_bilinear": (PLANE, layers.UpSampling2D(2, interpolation="bilinear")),
    "up3d": (ROOM, layers.UpSampling3D(2)),
}
NORMALIZATIONS = {
    "batch_of_numbers": ((6,), layers.BatchNormalization()),
    "batch_of_lines": (LINE, layers.BatchNormalization(epsilon=0.01)),
    "batch_of_planes": (PLANE, layers.BatchNormalization(scale=False)),
    "batch_without_center": (PLANE, layers.BatchNormalization(center=False)),
    "batch_without_both": (ROOM, layers.BatchNormalization(center=False, scale=False)),
    "batch_axis": (PLANE, layers.BatchNormalization(axis=1)),
    "layer": (PLANE, layers.LayerNormalization()),
    "layer_axes": (PLANE, layers.LayerNormalization(axis=[2, 3])),
    "layer_without_center": (LINE, layers.LayerNormalization(center=False)),
    "layer_without_scale": (LINE, layers.LayerNormalization(scale=False)),
    "rms": (LINE, layers.RMSNormalization()),
    "group": (PLANE, layers.GroupNormalization(2)),
    "group_each": (PLANE, layers.GroupNormalization(-1)),
    "group_without_scale": (LINE, layers.GroupNormalization(2, scale=False)),
    "unit": (PLANE, layers.UnitNormalization()),
    "unit_axis": (PLANE, layers.UnitNormalization(axis=1)),
    "rescaling": (PLANE, layers.Rescaling(1 / 127.5, offset=-1)),
    "rescaling_channels": (PLANE, layers.Rescaling([1.0, 0.5, 2.0, 3.0], offset=0.5)),
    "normalization": (PLANE, layers.Normalization()),
    "normalization_given": (LINE, layers.Normalization(mean=[1, 2, 3, 4], variance=[1, 2, 3, 4])),
}
SHAPES = {
    "flatten": (PLANE, layers.Flatten()),
    "flatten_first": (PLANE, layers.Flatten(data_format="channels_first")),
    "reshape": (PLANE, layers.Reshape((7, -1))),
    "permute": (PLANE, layers.Permute((3, 1, 2))),
    "repeat": ((6,), layers.RepeatVector(3)),
    "pad1d": (LINE, layers.ZeroPadding1D((1, 2))),
    "pad2d": (PLANE, layers.ZeroPadding2D(((1, 2), (0, 3)))),
    "pad3d": (ROOM, layers.ZeroPadding3D((1, 2, 3))),
    "crop1d": (LINE, layers.Cropping1D((1, 2))),
    "crop2d": (PLANE, layers.Cropping2D(((1, 0), (0, 2)))),
    "crop3d": (ROOM, layers.Cropping3D(1)),
    "resizing": (PLANE, layers.Resizing(5, 11)),
    "dense": (PLANE, layers.Dense(5, activation="tanh")),
    "dense_without_bias": ((6,), layers.Dense(5, use_bias=False)),
    "einsum": (LINE, layers.EinsumDense("abc,cde->abde", (None, 3, 5), bias_axes="de")),
    "distributed_dense": (LINE, layers.TimeDistributed(layers.Dense(3, activation="relu"))),
    "distributed_conv": (ROOM, layers.TimeDistributed(layers.Conv2D(3, 2, padding="same"))),
}
NOISE = {
    "dropout": (PLANE, layers.Dropout(0.5)),
    "spatial": (PLANE, layers.SpatialDropout2D(0.5)),
    "spatial1d": (LINE, layers.SpatialDropout1D(0.5)),
    "alpha": (LINE, layers.AlphaDropout(0.5)),
    "gaussian": (LINE, layers.GaussianDropout(0.5)),
    "noise": (LINE, layers.GaussianNoise(0.5)),
}
ACTIVATIONS = {
    "relu": (PLANE, layers.ReLU()),
    "relu6": (PLANE, layers.ReLU(6.0)),
    "relu_all": (PLANE, layers.ReLU(0.9, 0.1, 0.2)),
    "relu_slope": (PLANE, layers.ReLU(negative_slope=0.1)),
    "leaky": (PLANE, layers.LeakyReLU(0.1)),
    "prelu": (PLANE, layers.PReLU()),
    "prelu_shared": (PLANE, layers.PReLU(shared_axes=[1, 2])),
    "elu": (PLANE, layers.ELU(0.5)),
    "softmax": (PLANE, layers.Softmax()),
    "softmax_axis": (PLANE, layers.Softmax(axis=1)),
    **{
        name: (PLANE, layers.Activation(name))
        for name in (
            *("celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid"),
            *("hard_silu", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax"),
            *("mish", "relu", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus"),
            *("softsign", "tanh", "tanh_shrink"),
        )
    },
}
GROUPS = {
    "convolutions": CONVOLUTIONS,
    "pools": POOLS,
    "normalizations": NORMALIZATIONS,
    "shapes": SHAPES,
    "noise": NOISE,
    "activations": ACTIVATIONS,
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("between", [False, True], ids=["alone", "between_others"])
def test_layers_give_the_same(
    group: str, between: bool, check_same: Callable[..., str], random: np.random.Generator
) -> None:
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for name, (shape, layer) in GROUPS[group].items():
        key = "x".join(map(str, shape))
        x = inputs.setdefault(key, keras.Input(shape, name=key))
        if between:
            x = layers.BatchNormalization()(x)
        # Its own name may be one that Keras gives to a layer made here.
        x = type(layer).from_config(layer.get_config() | {"name": f"layer_{name}"})(x)
        if between:
            x = layers.Activation("relu")(x)
            x = layers.Concatenate()([x, x])
        outputs[name] = x
    given = {
        key: random.normal(size=(2, *each.shape[1:])).astype("float32")
        for key, each in inputs.items()
    }
    check_same(keras.Model(inputs, outputs), given)


def test_channels_first_where_keras_has_them_so(
    check_same: Callable[..., str], random: np.random.Generator
) -> None:
    model = keras.Sequential(
        [
            keras.Input((3, 8, 7)),
            layers.ZeroPadding2D(1, data_format="channels_first"),
            layers.UpSampling2D(2, data_format="channels_first"),
            layers.BatchNormalization(axis=1),
            layers.Flatten(data_format="channels_first"),
        ]
    )
    check_same(model, random.normal(size=(2, 3, 8, 7)).astype("float32"))
