"""What people type: a text, numbers, or the fields of a form."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec
from modelkb_viewer.prediction.prepared import Prepared, as_recorded_type, value_warnings

_MOST_CHARACTERS = 100_000
_MOST_NUMBERS = 1_000_000
_BETWEEN = re.compile(r"[\s,;\[\]()]+")
_WHAT_TEXT, _WHAT_NUMBERS = "The text", "What you typed"
AT_END, AT_BEGINNING = "At the end", "At the beginning"


def prepare_text(text: str, spec: InputSpec) -> Prepared:
    """Return a text as one sample of an input.

    Raises:
        InputError: It is empty, or the input takes no texts.
    """
    if not text.strip():
        raise InputError(_WHAT_TEXT, "it is empty", "at least one word")
    if len(spec.shape) > 1 or spec.value_count not in (1, None):
        raise InputError(_WHAT_TEXT, "the input takes several in each sample", spec.text())
    steps = []
    if len(text) > _MOST_CHARACTERS:
        steps.append(f"cut from {len(text):,} to {_MOST_CHARACTERS:,} characters")
        text = text[:_MOST_CHARACTERS]
    # Half a character can be typed, but not be written as UTF-8; and NumPy ends a text at NUL.
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
    if whole != text:
        steps.append("characters that are none replaced")
    words = len(whole.split())
    steps.append(f"given as it is: {words:,} words; the model itself takes it apart")
    shaped = np.array(whole).reshape(1, *(1 for _ in spec.shape))
    return Prepared(shaped, ("your text",), tuple(steps))


def prepare_numbers(text: str, spec: InputSpec, padding: str = AT_END) -> Prepared:
    """Return typed numbers as one sample of an input.

    Args:
        text: Numbers with blanks, commas or line breaks between.
        spec: The input.
        padding: Where whole numbers, such as those of words, are padded with 0 or cut.

    Raises:
        InputError: One is no number, or there are more or less than the input takes.
    """
    words = [word for word in _BETWEEN.split(text) if word]
    if not words or len(words) > _MOST_NUMBERS:
        raise InputError(_WHAT_NUMBERS, f"it has {len(words):,} numbers", spec.text())
    values = np.array([_number(word) for word in words])
    steps: list[str] = []
    wanted = spec.value_count
    if wanted is not None and len(values) != wanted:
        if not spec.is_integer:
            raise InputError(_WHAT_NUMBERS, f"it has {len(values):,} numbers", f"{wanted:,}")
        values = _brought_to(values, wanted, padding, steps)
    if wanted is None and len(spec.shape) != 1:
        raise InputError(_WHAT_NUMBERS, "it has one axis", spec.text())
    shape = tuple(each or 0 for each in spec.shape) if wanted is not None else (len(values),)
    return _prepared(values.reshape(1, *shape), spec, "your numbers", steps)


def prepare_form(values: Sequence[float], spec: InputSpec) -> Prepared:
    """Return the fields of a form as one sample of an input.

    Raises:
        InputError: The input takes another number of values.
    """
    if len(values) != spec.value_count:
        raise InputError("The form", f"it has {len(values)} fields", spec.text())
    shape = tuple(each or 0 for each in spec.shape)
    return _prepared(np.array(values, dtype=np.float64).reshape(1, *shape), spec, "your values", [])


def _prepared(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    spec: InputSpec,
    sample: str,
    steps: list[str],
) -> Prepared:
    typed = as_recorded_type(values, spec)
    if spec.is_integer and not np.array_equal(typed, values):
        steps.append("rounded to whole numbers")
    steps.append("values kept as they are")
    return Prepared(typed, (sample,), tuple(steps), tuple(value_warnings(values, spec)))


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        shown = word if len(word) <= 40 else f"{word[:40]}.."
        raise InputError(_WHAT_NUMBERS, f"{shown!r} is none", "numbers alone") from None


def _brought_to(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
    wanted: int,
    padding: str,
    steps: list[str],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    count, where = len(values), padding.lower()
    at_beginning = padding == AT_BEGINNING
    if count > wanted:
        steps.append(f"cut from {count:,} to {wanted:,} numbers {where}")
        return values[count - wanted :] if at_beginning else values[:wanted]
    steps.append(f"padded with 0 from {count:,} to {wanted:,} numbers {where}")
    room = wanted - count
    return np.pad(values, (room, 0) if at_beginning else (0, room))
