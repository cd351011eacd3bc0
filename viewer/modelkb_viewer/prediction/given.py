"""What a reader gives for one input, before it is brought to what a model takes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from modelkb_viewer.prediction.array_input import prepare_array, read_array
from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec
from modelkb_viewer.prediction.picture import open_picture
from modelkb_viewer.prediction.picture_input import PictureChoices, prepare_pictures
from modelkb_viewer.prediction.prepared import Prepared
from modelkb_viewer.prediction.table_input import prepare_table
from modelkb_viewer.prediction.typed_input import (
    AT_END,
    prepare_form,
    prepare_numbers,
    prepare_text,
)


class Way(Enum):
    """A way to give an input; its value is what people read."""

    PICTURE = "Image"
    TEXT = "Text"
    FORM = "Form"
    NUMBERS = "Numbers"
    TABLE = "CSV"
    ARRAY = "NumPy array"


@dataclass(frozen=True, slots=True)
class File:
    """A file that was uploaded: its name, and the bytes in it."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """What was given for one input.

    Attributes:
        way: How.
        files: What was uploaded: pictures, or one table or array.
        text: What was typed.
        fields: The fields of a form.
        padding: Where typed numbers are padded.
        choices: What was decided about pictures.
    """

    way: Way
    files: tuple[File, ...] = ()
    text: str = ""
    fields: tuple[float, ...] = ()
    padding: str = AT_END
    choices: PictureChoices = field(default_factory=PictureChoices)

    def content_key(self) -> str:
        """Return what is another if anything of it is."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(hashlib.sha256(file.content).digest())
        names = [file.name for file in self.files]
        rest = (self.way.value, names, self.text, self.fields, self.padding, self.choices)
        digest.update(repr(rest).encode("utf-8", "replace"))
        return digest.hexdigest()


def ways_of(spec: InputSpec) -> list[Way]:
    """Return the ways in which an input can be given, the most usual one first."""
    found = []
    if spec.is_text:
        found.append(Way.TEXT)
    if spec.picture_size is not None and len(spec.shape) > 1:
        found.append(Way.PICTURE)
    if spec.field_count is not None:
        found.append(Way.FORM)
    elif len(spec.shape) == 1 and not spec.is_text:
        found.append(Way.NUMBERS)
    if spec.picture_size is not None and len(spec.shape) == 1:
        found.append(Way.PICTURE)
    if spec.value_count is not None or len(spec.shape) <= 1:
        found.append(Way.TABLE)
    return [*found, Way.ARRAY]


def prepare(given: Given, spec: InputSpec) -> Prepared:
    """Bring what was given to the shape, type and range that a model was trained with.

    Raises:
        InputError: It cannot be; says what was received and what is expected.
    """
    if given.way is Way.TEXT:
        return prepare_text(given.text, spec)
    if given.way is Way.FORM:
        return prepare_form(given.fields, spec)
    if given.way is Way.NUMBERS:
        return prepare_numbers(given.text, spec, given.padding)
    if not given.files:
        raise InputError(spec.label, "there is no file", "one to be uploaded")
    if given.way is Way.PICTURE:
        pictures = (open_picture(file.name, file.content) for file in given.files)
        return prepare_pictures(pictures, spec, given.choices)
    file = given.files[0]
    if given.way is Way.TABLE:
        return prepare_table(file.name, file.content, spec)
    return prepare_array(file.name, read_array(file.name, file.content), spec)


def together(
    prepared: Sequence[Prepared],
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    """Return the arrays of several inputs with the same number of samples in each.

    One sample of an input goes with all samples of the others.

    Raises:
        InputError: They have different numbers.
    """
    counts = [len(each.array) for each in prepared]
    most = max(counts)
    if any(count not in (1, most) for count in counts):
        received = ", ".join(map(str, counts))
        problem = f"they have {received} samples"
        raise InputError("These inputs", problem, "the same number, or one, in each")
    return [
        each.array if len(each.array) == most else np.repeat(each.array, most, axis=0)
        for each in prepared
    ]
