"""Opening pictures that people upload, whatever they are."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from modelkb_viewer.prediction.errors import InputError

# No format that starts a program of its own (EPS), or that is seldom used and so seldom tried.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
EXTENSIONS = ("png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm")
_MOST_PIXELS = 50_000_000  # 150 MB of colours
_MOST_BYTES = 100 << 20
_EXPECTED = "a whole picture in PNG, JPEG, GIF, BMP, WebP, TIFF or PPM"
_ORIENTATION = 0x0112
_TO_EIGHT_BITS = 257.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        name: The name of its file.
        image: Its pixels, of eight bits: grey (``L``) or ``RGB``, nothing transparent.
        steps: What was done to it, in words.
    """

    name: str
    image: Image.Image
    steps: tuple[str, ...]


def open_picture(name: str, content: bytes) -> Picture:
    """Read the picture in a file; what the file is called says nothing.

    Raises:
        InputError: It is no picture, damaged, or too large.
    """
    if len(content) > _MOST_BYTES:
        problem = f"it takes {len(content) >> 20} MiB"
        raise InputError(name, problem, f"{_MOST_BYTES >> 20} MiB at most")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > _MOST_PIXELS:
                raise _too_large(name, f"{width:,} x {height:,} pixels")
            steps: list[str] = []
            return Picture(name, _converted(_upright(opened, steps), steps), tuple(steps))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, "it has too many pixels") from error
    except InputError:
        raise
    # Damaged files raise many kinds, struct.error and SyntaxError among them.
    except Exception as error:
        raise InputError(name, _reason(error), _EXPECTED) from error


def _too_large(name: str, problem: str) -> InputError:
    return InputError(name, problem, f"{_MOST_PIXELS // 1_000_000} million pixels at most")


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture of a known format"
    return f"it is damaged ({' '.join(str(error).split())[:200] or type(error).__name__})"


def _upright(opened: Image.Image, steps: list[str]) -> Image.Image:
    """Return the first frame as its camera meant it."""
    frames = int(getattr(opened, "n_frames", 1))
    if frames > 1:
        opened.seek(0)
        steps.append(f"the first of {frames} frames taken")
    opened.load()
    orientation = opened.getexif().get(_ORIENTATION, 1)
    if orientation in range(2, 9):
        steps.append("turned as its camera says (EXIF)")
        return ImageOps.exif_transpose(opened)
    return opened


def _converted(image: Image.Image, steps: list[str]) -> Image.Image:
    """Return an image as eight bits of grey or RGB."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return _of_wide_values(image, steps)
    if mode == "1":
        steps.append("black and white -> grey")
        return image.convert("L")
    if mode == "P":
        steps.append("palette -> RGB")
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif mode in ("LA", "La", "PA", "RGBa"):
        image = image.convert("RGBA")
    elif mode == "LAB":
        raise ValueError("colours in the space LAB")
    elif mode not in ("L", "RGB", "RGBA"):
        steps.append(f"{mode} -> RGB")
        image = image.convert("RGB")
    if image.mode != "RGBA":
        return _without_alpha_key(image, steps)
    if image.getchannel("A").getextrema()[0] == 255:
        return image.convert("RGB")
    steps.append("what is transparent made white")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _without_alpha_key(image: Image.Image, steps: list[str]) -> Image.Image:
    """Make the one colour white that a PNG may name as transparent."""
    if "transparency" not in image.info:
        return image
    steps.append("what is transparent made white")
    clear = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, clear).convert(image.mode)


def _of_wide_values(image: Image.Image, steps: list[str]) -> Image.Image:
    values: np.ndarray[Any, Any] = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = float(values.min()), float(values.max())
    if image.mode != "F" and low >= 0 and high <= 65535:
        if high > 255 or image.mode.startswith("I;16"):
            steps.append("16 bits -> 8 bits")
            values = values / _TO_EIGHT_BITS
    else:
        steps.append(f"values {low:.4g}..{high:.4g} -> 0..255")
        values = (values - low) * (255.0 / (high - low) if high > low else 0.0)
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
