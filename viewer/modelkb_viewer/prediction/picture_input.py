"""Pictures brought to the shape and the value range that a model was trained with."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec, number
from modelkb_viewer.prediction.picture import Picture
from modelkb_viewer.prediction.prepared import MOST_VALUES, Prepared, as_recorded_type, common_steps

STRETCH, CROP, PAD = "Stretch", "Crop", "Pad"
FITS = (STRETCH, CROP, PAD)
AS_RECORDED = "As in training"
_RANGES = {"0..255": (0.0, 255.0), "0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0)}
SCALES = (AS_RECORDED, *_RANGES)
_MOST_SIDE = 1024  # where a model takes pictures of any size
_SHOWN_SIDE = 160
# How far the data may be from a usual range that is meant: seldom are all values there.
_SHORT_OF, _BEYOND = 0.1, 0.15
_USUAL = ((0.0, 1.0), (-1.0, 1.0))


@dataclass(frozen=True, slots=True)
class PictureChoices:
    """What the reader decides about pictures.

    Attributes:
        fit: ``Stretch``, ``Crop`` (the middle) or ``Pad`` (with black), where sides differ.
        inverted: Whether light and dark are exchanged.
        scale: ``As in training``, or a range such as ``0..1``.
    """

    fit: str = STRETCH
    inverted: bool = False
    scale: str = AS_RECORDED


def prepare_pictures(
    pictures: Iterable[Picture], spec: InputSpec, choices: PictureChoices | None = None
) -> Prepared:
    """Return pictures as samples of an input.

    Args:
        pictures: They are taken one after the other, and none is kept.
        spec: The input.
        choices: What the reader decides.

    Raises:
        InputError: The input takes no pictures, or these have different sizes and it takes any.
    """
    size = spec.picture_size
    if size is None:
        raise InputError("A picture", "the input is none", spec.text())
    choices = choices or PictureChoices()
    low, high, words, warnings = _value_range(spec, choices.scale)
    seen = [_see(picture, size, choices) for picture in pictures]
    arrays = [each.pixels for each in seen]
    if len({each.shape for each in arrays}) > 1:
        sizes = ", ".join(f"{each.shape[1]} x {each.shape[0]}" for each in arrays)
        raise InputError("These pictures", f"their sizes differ ({sizes})", "one size at a time")
    if sum(each.size for each in arrays) > MOST_VALUES:
        expected = f"{MOST_VALUES:,} values at most in all of them"
        raise InputError("These pictures", "they are too many for their size", expected)
    values = low + np.stack(arrays).astype(np.float64) / 255.0 * (high - low)
    names = [each.name for each in seen]
    laid_out, layout_steps = _laid_out(values, spec)
    return Prepared(
        array=as_recorded_type(laid_out, spec),
        samples=tuple(names),
        steps=(*common_steps(names, [each.steps for each in seen]), words, *layout_steps),
        warnings=warnings,
        originals=tuple(each.thumbnail for each in seen),
        seen=tuple(_enlarged(each) for each in arrays),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """One picture as the model sees it, without that which it was made from."""

    name: str
    pixels: np.ndarray[Any, Any]
    steps: list[str]
    thumbnail: bytes


def _see(
    picture: Picture, size: tuple[int | None, int | None, int], choices: PictureChoices
) -> _Seen:
    steps = list(picture.steps)
    pixels = _pixels(picture.image, size, choices, steps)
    return _Seen(picture.name, pixels, steps, _thumbnail(picture.image))


def _pixels(
    image: Image.Image,
    size: tuple[int | None, int | None, int],
    choices: PictureChoices,
    steps: list[str],
) -> np.ndarray[Any, Any]:
    """Return rows, columns and channels of 0..255."""
    rows, columns, channels = size
    if channels == 1 and image.mode != "L":
        steps.append("RGB -> grey")
        image = image.convert("L")
    elif channels > 1 and image.mode != "RGB":
        steps.append("grey -> RGB")
        image = image.convert("RGB")
    image = _resized(image, rows, columns, choices.fit, steps)
    if choices.inverted:
        steps.append("light and dark exchanged")
        image = ImageOps.invert(image)
    if channels == 4:
        steps.append("a fourth channel added: nothing is transparent")
        image = image.convert("RGBA")
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _resized(
    image: Image.Image, rows: int | None, columns: int | None, fit: str, steps: list[str]
) -> Image.Image:
    width, height = image.size
    scale = min(1.0, _MOST_SIDE / max(width, height))
    target = (columns or max(1, round(width * scale)), rows or max(1, round(height * scale)))
    if target == image.size:
        return image
    same_form = width * target[1] == height * target[0]
    if fit == CROP and not same_form:
        steps.append("the middle cut out")
        image = _middle(image, target)
    # Averaging keeps what single pixels of a small picture were, where one was enlarged.
    is_much_smaller = width >= 2 * target[0] and height >= 2 * target[1]
    method = Image.Resampling.BOX if is_much_smaller else Image.Resampling.BILINEAR
    if fit == PAD and not same_form:
        steps.append("edges added in black")
        smaller = ImageOps.contain(image, target, method)
        resized = Image.new(image.mode, target)
        resized.paste(
            smaller, ((target[0] - smaller.width) // 2, (target[1] - smaller.height) // 2)
        )
    else:
        resized = image.resize(target, method)
    how = "averaged" if is_much_smaller else "bilinear"
    steps.append(f"resized {width} x {height} -> {target[0]} x {target[1]} ({how})")
    return resized


def _middle(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    width, height = image.size
    scale = min(width / target[0], height / target[1])
    cut = (max(1, round(target[0] * scale)), max(1, round(target[1] * scale)))
    left, top = (width - cut[0]) // 2, (height - cut[1]) // 2
    return image.crop((left, top, left + cut[0], top + cut[1]))


def _value_range(spec: InputSpec, scale: str) -> tuple[float, float, str, tuple[str, ...]]:
    """Return the range that 0..255 becomes, in words, too, and what is to be warned of."""
    if scale in _RANGES:
        low, high = _RANGES[scale]
        return low, high, f"values 0..255 -> {scale}, as you chose", ()
    if spec.low is None or spec.high is None or spec.low >= spec.high:
        warning = (
            "the range of the training data is not known: choose another one for the values if "
            "this is not what the model was trained with"
        )
        return 0.0, 255.0, "values 0..255 kept", (warning,)
    seen = f"{number(spec.low)}..{number(spec.high)}"
    if 128 < spec.high <= 256 and spec.low >= 0:
        return 0.0, 255.0, f"values 0..255 kept; the training data has {seen}", ()
    for low, high in _USUAL:
        span = high - low
        is_near_low = -_BEYOND * span <= spec.low - low <= _SHORT_OF * span
        is_near_high = -_SHORT_OF * span <= spec.high - high <= _BEYOND * span
        if is_near_low and is_near_high:
            words = f"values 0..255 -> {number(low)}..{number(high)}"
            return low, high, f"{words}; the training data has {seen}", ()
    words = f"values 0..255 -> {seen}, the range of the training data"
    return spec.low, spec.high, words, ()


def _laid_out(
    values: np.ndarray[Any, Any], spec: InputSpec
) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Return pictures with their axes as the model takes them."""
    if len(spec.shape) == 3:
        if spec.channels_first:
            return np.moveaxis(values, -1, 1), ["channels put before rows"]
        return values, []
    if len(spec.shape) == 2:
        return values[..., 0], []
    count = int(np.prod(values.shape[1:]))
    return values.reshape(len(values), count), [f"rows put one after the other: {count} values"]


def _thumbnail(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return _png(small)


def _enlarged(pixels: np.ndarray[Any, Any]) -> bytes:
    """Return what the model sees as a picture in which single pixels can be made out."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels[..., :3])
    factor = max(1, _SHOWN_SIDE // max(image.size))
    large = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    large.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return _png(large)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
