from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec
from modelkb_viewer.prediction.picture import Picture
from modelkb_viewer.prediction.picture_input import (
    CROP,
    PAD,
    PictureChoices,
    prepare_pictures,
)

DIGITS = InputSpec(None, "input", (8, 8, 1), "float32", 0.0, 16.0)


def _spec(*shape: int | None, **changes: Any) -> InputSpec:
    return InputSpec(None, "input", shape, **{"dtype": "float32", **changes})


def _picture(image: Image.Image, name: str = "a.png") -> Picture:
    return Picture(name, image, ())


def test_a_photo_becomes_what_the_model_was_trained_with() -> None:
    photo = Image.new("RGB", (512, 512), "white")
    prepared = prepare_pictures([_picture(photo)], DIGITS)
    assert prepared.array.shape == (1, 8, 8, 1)
    assert prepared.array.dtype == np.float32
    assert prepared.array.max() == 16.0
    assert prepared.steps == (
        "RGB -> grey",
        "resized 512 x 512 -> 8 x 8 (averaged)",
        "values 0..255 -> 0..16, the range of the training data",
    )


def test_pixels_that_were_enlarged_come_back_to_the_bit() -> None:
    digit = np.random.default_rng(1).integers(0, 256, (8, 8), dtype=np.uint8)
    enlarged = Image.fromarray(digit).resize((256, 256), Image.Resampling.NEAREST)
    spec = _spec(8, 8, 1, dtype="uint8", low=0.0, high=255.0)
    assert np.array_equal(prepare_pictures([_picture(enlarged)], spec).array[0, ..., 0], digit)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 255.0, (0, 255)),
        (3.0, 250.0, (0, 255)),
        (0.0, 1.0, (0, 1)),
        (0.0, 1.146, (0, 1)),
        (0.02, 0.95, (0, 1)),
        (-1.0, 0.98, (-1, 1)),
        (-2.1, 2.6, (-2.1, 2.6)),
        (0.0, 16.0, (0, 16)),
        (None, None, (0, 255)),
        (1.0, 1.0, (0, 255)),
    ],
)
def test_values_get_the_range_of_the_training_data(
    low: float | None, high: float | None, expected: tuple[float, float]
) -> None:
    image = Image.fromarray(np.repeat([[0], [255]], 2, axis=1).astype(np.uint8)).resize((8, 8))
    spec = _spec(8, 8, 1, low=low, high=high)
    prepared = prepare_pictures([_picture(image)], spec)
    assert (prepared.array.min(), prepared.array.max()) == pytest.approx(expected)
    assert bool(prepared.warnings) == (low is None or low == high)


def test_the_reader_can_choose_another_range() -> None:
    choices = PictureChoices(scale="-1..1")
    prepared = prepare_pictures([_picture(Image.new("L", (8, 8)))], DIGITS, choices)
    assert prepared.array.min() == prepared.array.max() == -1.0


def test_light_and_dark_can_be_exchanged() -> None:
    prepared = prepare_pictures(
        [_picture(Image.new("L", (8, 8)))], DIGITS, PictureChoices(inverted=True)
    )
    assert prepared.array.min() == 16.0


def test_sides_in_another_proportion_are_cut_or_filled() -> None:
    wide = Image.new("L", (40, 20), 0)
    wide.paste(255, (10, 0, 30, 20))
    cut = prepare_pictures([_picture(wide)], DIGITS, PictureChoices(fit=CROP))
    assert cut.array.min() == 16.0
    assert cut.steps[0] == "the middle cut out"
    filled = prepare_pictures(
        [_picture(Image.new("L", (40, 20), 255))], DIGITS, PictureChoices(fit=PAD)
    )
    assert filled.array[0, :, 0, 0].tolist() == [0, 0, 16, 16, 16, 16, 0, 0]


def test_grey_becomes_colours_where_the_model_has_them() -> None:
    prepared = prepare_pictures([_picture(Image.new("L", (4, 4), 255))], _spec(4, 4, 3))
    assert prepared.array.shape == (1, 4, 4, 3)
    assert prepared.steps[0] == "grey -> RGB"


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (_spec(3, 16, 16, channels_first=True), (1, 3, 16, 16)),
        (_spec(16, 16), (1, 16, 16)),
        (_spec(256), (1, 256)),
        (_spec(None, None, 3), (1, 20, 40, 3)),
        (_spec(16, 16, 4), (1, 16, 16, 4)),
    ],
)
def test_axes_as_the_model_takes_them(spec: InputSpec, shape: tuple[int, ...]) -> None:
    prepared = prepare_pictures([_picture(Image.new("RGB", (40, 20), "red"))], spec)
    assert prepared.array.shape == shape


def test_several_pictures_are_several_samples() -> None:
    pictures = [_picture(Image.new("L", (8, 8), 255), "a"), _picture(Image.new("L", (9, 9)), "b")]
    prepared = prepare_pictures(pictures, DIGITS)
    assert prepared.samples == ("a", "b")
    assert prepared.array[:, 0, 0, 0].tolist() == [16.0, 0.0]
    assert prepared.steps[0] == "b: resized 9 x 9 -> 8 x 8 (bilinear)"


def test_pictures_of_different_sizes_do_not_go_together_where_any_is_taken() -> None:
    pictures = [_picture(Image.new("L", (8, 8))), _picture(Image.new("L", (9, 9)))]
    with pytest.raises(InputError, match="their sizes differ"):
        prepare_pictures(pictures, _spec(None, None, 1))


def test_what_was_given_and_what_the_model_sees_are_shown() -> None:
    prepared = prepare_pictures([_picture(Image.new("RGB", (900, 300), "red"))], DIGITS)
    with Image.open(io.BytesIO(prepared.originals[0])) as original:
        assert original.size == (160, 53)
    with Image.open(io.BytesIO(prepared.seen[0])) as seen:
        assert seen.size == (160, 160)
        assert seen.mode == "L"


def test_whole_numbers_are_rounded() -> None:
    spec = _spec(8, 8, 1, dtype="int64", low=0.0, high=16.0)
    prepared = prepare_pictures([_picture(Image.new("L", (8, 8), 100))], spec)
    assert prepared.array.dtype == np.int64
    assert prepared.array[0, 0, 0, 0] == 6
