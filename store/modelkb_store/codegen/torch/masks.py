"""What becomes of Keras' masks in layers that are not written for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Value

# These pass on the mask of their input, and compute without it.
PASSING = frozenset(
    (
        *("Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization"),
        *("Dense", "Dropout", "ELU", "EinsumDense", "GaussianDropout", "GaussianNoise"),
        *("GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU", "PReLU"),
        *("RMSNormalization", "ReLU", "SpatialDropout1D", "TimeDistributed"),
        *("UnitNormalization",),
    )
)
# These are written so that they take a mask.
TAKING = frozenset(
    (
        *("Add", "AdditiveAttention", "Attention", "Average", "Bidirectional", "Embedding"),
        *("GRU", "GlobalAveragePooling1D", "LSTM", "Masking", "Maximum", "Minimum"),
        *("MultiHeadAttention", "Multiply", "RNN", "SimpleRNN", "Subtract"),
    )
)
# These end a mask, as Keras' layers say.
ENDING = frozenset(("Dot", "Flatten", "GlobalMaxPooling1D"))


def check_masks(site: Site) -> None:
    """Take a mask that is given by name for that of the input; refuse what cannot be followed."""
    mask = site.kwargs.get("mask")
    if isinstance(mask, Value):
        site.args = _with_mask(site.args, mask)
    elif mask is not None:
        masks = iter(mask) if isinstance(mask, (list, tuple)) else iter(())
        site.args = _with_masks(site.args, masks)
    class_name = site.layer.class_name
    has_mask = any(value.mask is not None for value in site.values)
    if not has_mask or class_name in PASSING | TAKING:
        return
    if class_name in ENDING:
        site.args = _without(site.args)
        return
    site.refuse("what it makes of a mask (Masking, Embedding(mask_zero=True)) cannot be written")


def _with_mask(args: Any, mask: Value) -> Any:
    if isinstance(args, Value):
        return dataclasses.replace(args, mask=mask.node)
    if isinstance(args, (list, tuple)):
        return type(args)([_with_mask(each, mask) for each in args[:1]] + list(args[1:]))
    return args


def _with_masks(args: Any, masks: Any) -> Any:
    if isinstance(args, Value):
        mask = next(masks, None)
        return dataclasses.replace(args, mask=mask.node) if isinstance(mask, Value) else args
    if isinstance(args, (list, tuple)):
        return type(args)(_with_masks(each, masks) for each in args)
    return args


def _without(args: Any) -> Any:
    if isinstance(args, Value):
        return dataclasses.replace(args, mask=None)
    if isinstance(args, (list, tuple)):
        return type(args)(_without(each) for each in args)
    if isinstance(args, Mapping):
        return {key: _without(each) for key, each in args.items()}
    return args
