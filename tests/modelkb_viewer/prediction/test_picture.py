from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.picture import open_picture

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90), dtype=np.uint8))


def _file(image: Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def _grey(value: int = 90, size: tuple[int, int] = (4, 3)) -> Image.Image:
    return Image.new("L", size, value)


def test_pictures_of_eight_bits_stay_as_they_are() -> None:
    picture = open_picture("a.png", _file(_grey()))
    assert picture.image.mode == "L"
    assert picture.image.getpixel((0, 0)) == 90
    assert picture.steps == ()
    assert open_picture("b", _file(Image.new("RGB", (2, 2), "red"))).image.mode == "RGB"


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_other_formats_whatever_the_file_is_called(kind: str) -> None:
    picture = open_picture("wrong.png", _file(Image.new("RGB", (9, 5), (200, 10, 10)), kind))
    assert picture.image.size == (9, 5)
    red = np.asarray(picture.image.convert("RGB"))[..., 0]
    assert abs(float(red.mean()) - 200) < 6


def test_colours_for_printing_become_rgb() -> None:
    picture = open_picture("a.jpg", _file(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG"))
    assert picture.image.mode == "RGB"
    assert picture.steps == ("CMYK -> RGB",)


def test_what_is_transparent_becomes_white() -> None:
    clear = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    picture = open_picture("a.png", _file(clear))
    assert picture.image.getpixel((0, 0)) == (255, 255, 255)
    assert picture.steps == ("what is transparent made white",)


def test_an_opaque_fourth_channel_is_no_step() -> None:
    picture = open_picture("a.png", _file(Image.new("RGBA", (2, 2), (7, 8, 9, 255))))
    assert picture.image.getpixel((0, 0)) == (7, 8, 9)
    assert picture.steps == ()


def test_palettes_become_colours() -> None:
    picture = open_picture("a.gif", _file(Image.new("RGB", (2, 2), (255, 0, 0)).quantize(2), "GIF"))
    assert picture.image.getpixel((0, 0)) == (255, 0, 0)


def test_sixteen_bits_become_eight() -> None:
    wide = Image.fromarray(np.array([[0, 65535], [32896, 257]], dtype=np.uint16))
    picture = open_picture("a.png", _file(wide))
    assert np.asarray(picture.image).tolist() == [[0, 255], [128, 1]]
    assert picture.steps == ("16 bits -> 8 bits",)


def test_floats_become_eight_bits() -> None:
    floats = Image.fromarray(np.array([[-1.0, 1.0]], dtype=np.float32))
    picture = open_picture("a.tif", _file(floats, "TIFF"))
    assert np.asarray(picture.image).tolist() == [[0, 255]]
    assert picture.steps == ("values -1..1 -> 0..255",)


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("L", (2, 2), value) for value in (10, 250, 250)]
    content = _file(frames[0], "GIF", save_all=True, append_images=frames[1:])
    picture = open_picture("a.gif", content)
    assert np.asarray(picture.image.convert("L"))[0, 0] == 10
    assert "the first of" in picture.steps[0]


def test_pictures_are_turned_as_the_camera_says() -> None:
    image = Image.new("L", (4, 2))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = open_picture("a.jpg", _file(image, "JPEG", exif=exif))
    assert picture.image.size == (2, 4)
    assert picture.steps == ("turned as its camera says (EXIF)",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture at all",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        _file(NOISE)[:1200],
        _file(NOISE, "JPEG")[:-400],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_what_is_no_whole_picture_is_said_so(content: bytes) -> None:
    with pytest.raises(InputError, match=r"a\.png cannot be used: it is (no picture|damaged)"):
        open_picture("a.png", content)


@pytest.mark.parametrize("side", [9_000, 14_000, 60_000])
def test_a_small_file_of_a_huge_picture_is_refused(side: int) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b""))
    with pytest.raises(InputError, match="million pixels at most"):
        open_picture("bomb.png", bomb)


@given(st.data())
def test_no_change_of_a_file_raises_anything_else(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"]))
    content = bytearray(_file(NOISE.crop((0, 0, 9, 9)).convert("RGB"), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = open_picture("a", bytes(content))
    except InputError:
        return
    assert picture.image.mode in ("L", "RGB")
