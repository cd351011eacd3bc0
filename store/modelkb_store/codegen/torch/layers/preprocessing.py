"""Layers that prepare data."""

from __future__ import annotations

import ast
from typing import Any

from modelkb_store.codegen.torch.code import call, code
from modelkb_store.codegen.torch.settings import Settings
from modelkb_store.codegen.torch.site import Site
from modelkb_store.codegen.torch.value import Value


def _rescaling(site: Site) -> Value:
    x, settings = site.x, site.settings
    parts = [_numbers(settings, "scale"), _numbers(settings, "offset", 0.0)]
    if any(isinstance(each, list) for each in parts):
        x = site.last(x)
        parts = [
            call("torch.tensor", each, device=ast.Attribute(x.node, "device"))
            if isinstance(each, list)
            else each
            for each in parts
        ]
    scale, offset = parts
    made = code("x * scale", x=x.node, scale=scale)
    if offset != 0:
        made = code("x + offset", x=made, offset=offset)
    return x.changed(made)


def _numbers(settings: Settings, key: str, default: Any = None) -> Any:
    """Return a number, or a list of numbers."""
    value = settings.get(key, default)
    if isinstance(value, dict):  # an array as Keras serializes it
        config = value.get("config")
        value = config.get("value") if isinstance(config, dict) else None
    if isinstance(value, (list, tuple)):
        return [
            _numbers(Settings({key: each}, settings.where), key)
            if isinstance(each, (list, tuple))
            else float(settings.as_number(each, key))
            for each in value
        ]
    return settings.as_number(value, key)


def _normalization(site: Site) -> Value:
    x, settings = site.last(site.x), site.settings
    settings.refuse("invert")
    shape = x.shape or site.built_shape()
    axes = settings.config.get("axis", -1)
    kept = [] if axes is None else settings.integers("axis", None, -1)
    if shape is None:
        site.refuse("the shape of its input is not known; save the model after it was built")
    assert shape is not None
    places = {axis % len(shape) for axis in kept}
    sizes = [site.channels(x, axis) if axis in places else 1 for axis in range(1, len(shape))]
    given = [settings.config.get(key) for key in ("mean", "variance")]
    piece = site.piece("Normalization")
    if any(each is not None for each in given):
        mean, variance = (_numbers(settings, key) for key in ("mean", "variance"))
        module = site.module(call(piece, tuple(sizes), mean, variance))
    else:
        module = site.module(call(piece, tuple(sizes)), "load_normalization")
    return x.changed(call(module, x.node))


def _resizing(site: Site) -> Value:
    x, settings = site.x, site.settings
    for key in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        settings.refuse(key)
    settings.text("data_format", "channels_last", ("channels_last",))
    sizes = (settings.integer("height"), settings.integer("width"))
    mode = settings.text("interpolation", "bilinear", ("bilinear",))
    x = site.first(x, 4)
    made = call("F.interpolate", x.node, size=sizes, mode=mode, align_corners=False)
    shape = x.shape or (None,) * 4
    return x.changed(made, (shape[0], *sizes, shape[-1]))


def _augmentation(site: Site) -> Value:
    site.note("it is left out, as it changes pictures in training alone")
    return site.x


_IN_TRAINING = (
    *("RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast"),
    *("RandomErasing", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue"),
    *("RandomInvert", "RandomPosterization", "RandomRotation", "RandomSaturation"),
    *("RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom"),
)
WRITERS = {
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Resizing": _resizing,
    **dict.fromkeys(_IN_TRAINING, _augmentation),
}
