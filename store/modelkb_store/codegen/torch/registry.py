"""Which function writes which layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modelkb_store.codegen.torch.layers import (
    activations,
    attention,
    convolution,
    core,
    merging,
    normalization,
    operations,
    pooling,
    preprocessing,
    recurrent,
    reshaping,
    transposed,
)
from modelkb_store.codegen.torch.masks import check_masks
from modelkb_store.codegen.torch.site import Site

Writer = Callable[[Site], Any]

LAYERS: Mapping[str, Writer] = {
    **activations.WRITERS,
    **attention.WRITERS,
    **convolution.WRITERS,
    **core.WRITERS,
    **merging.WRITERS,
    **normalization.WRITERS,
    **pooling.WRITERS,
    **preprocessing.WRITERS,
    **recurrent.WRITERS,
    **reshaping.WRITERS,
    **transposed.WRITERS,
}
# `Dropout` is written for it.
_OTHER_IN_TRAINING = (
    *("AdditiveAttention", "AlphaDropout", "Attention", "BatchNormalization", "Bidirectional"),
    *("GRU", "GaussianDropout", "GaussianNoise", "LSTM", "MultiHeadAttention", "RNN"),
    *("SimpleRNN", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
    *("StochasticDepth", "TimeDistributed"),
)
_NOT_KEPT = (
    *("activity_regularizer", "beta_constraint", "beta_regularizer", "bias_constraint"),
    *("bias_regularizer", "depthwise_constraint", "depthwise_regularizer"),
    *("embeddings_constraint", "embeddings_regularizer", "gamma_constraint"),
    *("gamma_regularizer", "kernel_constraint", "kernel_regularizer"),
    *("pointwise_constraint", "pointwise_regularizer", "recurrent_constraint"),
    *("recurrent_regularizer",),
)


def writer_of(site: Site) -> Writer:
    """Return what writes a layer.

    Raises:
        CodeGenerationError: PyTorch has no counterpart of it, or it is a user's own.
    """
    layer = site.layer
    table = operations.WRITERS if layer.is_operation else LAYERS
    if not _is_of_keras(site) or layer.class_name not in table:
        site.refuse("PyTorch has no counterpart of it that could be written")
    _check_dtype(site)
    if site.kwargs.get("training") is True and layer.class_name in _OTHER_IN_TRAINING:
        site.refuse("it is called with training=True, which in PyTorch holds for whole modules")
    if not layer.is_operation:
        check_masks(site)
        for key in _NOT_KEPT:
            if layer.config.get(key) is not None:
                site.note(f"its {key} is not part of the module")
    return table[layer.class_name]


def _is_of_keras(site: Site) -> bool:
    module, registered = site.layer.module, site.layer.registered_name
    if module is not None and module.split(".")[0] != "keras":
        return False
    return registered in (None, site.layer.class_name, f"Keras>{site.layer.class_name}")


def _check_dtype(site: Site) -> None:
    policy = site.layer.config.get("dtype")
    if isinstance(policy, Mapping):
        config = policy.get("config")
        if policy.get("class_name") == "QuantizedDTypePolicy" or not isinstance(config, Mapping):
            site.refuse("it is quantized")
        policy = config.get("name") if isinstance(config, Mapping) else None
    whole = ("float32", "int32", "int64", "bool", "string", None)
    if not site.layer.is_operation and policy not in whole:
        site.note(f"it computes in float32, in Keras in {str(policy)[:40]!r}")
