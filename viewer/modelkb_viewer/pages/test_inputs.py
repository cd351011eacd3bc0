"""The part of the tab Test where inputs are given."""

from __future__ import annotations

import streamlit as st

from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.prediction.given import File, Given, Way, ways_of
from modelkb_viewer.prediction.input_spec import InputSpec, number
from modelkb_viewer.prediction.picture import EXTENSIONS
from modelkb_viewer.prediction.picture_input import (
    AS_RECORDED,
    FITS,
    SCALES,
    STRETCH,
    PictureChoices,
)
from modelkb_viewer.prediction.prepared import MOST_SAMPLES
from modelkb_viewer.prediction.typed_input import AT_BEGINNING, AT_END

_MOST_PICTURES = 32
_MOST_MEGABYTES = 50
_HELP = {
    Way.TABLE: f"One sample in each row, with or without a header; up to {MOST_SAMPLES:,} rows.",
    Way.ARRAY: f"One sample, or up to {MOST_SAMPLES:,} along the first axis; nothing is unpickled.",
}


def give_input(spec: InputSpec, key: str, *, is_alone: bool = True) -> Given | None:
    """Draw the ways to give an input.

    Args:
        spec: The input.
        key: The beginning of the names of what is drawn.
        is_alone: Whether the model takes no other one.

    Returns:
        What was given; None if nothing was yet.
    """
    title = "The model takes" if is_alone else plain(spec.label)
    st.markdown(f"**{title}**: {plain(spec.text())}")
    ways = ways_of(spec)
    way = st.segmented_control(
        f"How to give {plain(spec.label)}",
        ways,
        format_func=lambda each: each.value,
        default=ways[0],
        required=True,
        key=f"{key}-way",
        label_visibility="collapsed",
    )
    if way is Way.PICTURE:
        return _pictures(spec, key)
    if way is Way.TEXT:
        text = st.text_area("Text", key=f"{key}-text", height=120)
        return Given(way, text=text) if text.strip() else None
    if way is Way.NUMBERS:
        return _numbers(spec, key)
    if way is Way.FORM:
        return _form(spec, key)
    return _file(way, key)


def _pictures(spec: InputSpec, key: str) -> Given | None:
    uploaded = st.file_uploader(
        "Images",
        type=list(EXTENSIONS),
        accept_multiple_files=True,
        key=f"{key}-pictures",
        help=f"Up to {_MOST_PICTURES} at once.",
        max_upload_size=_MOST_MEGABYTES,
    )
    with st.expander("How the image is brought to the model's input"):
        fit = st.radio(
            "Where its sides are in another proportion", FITS, horizontal=True, key=f"{key}-fit"
        )
        inverted = st.checkbox(
            "Exchange light and dark",
            key=f"{key}-inverted",
            help="For a model that learned from light strokes on dark, and ink on paper.",
        )
        scale = st.selectbox("Range of the values", SCALES, key=f"{key}-scale")
    if not uploaded:
        return None
    if len(uploaded) > _MOST_PICTURES:
        st.warning(f"The first {_MOST_PICTURES} of {len(uploaded)} images are taken.")
    files = tuple(File(each.name, each.getvalue()) for each in uploaded[:_MOST_PICTURES])
    choices = PictureChoices(fit or STRETCH, inverted, scale or AS_RECORDED)
    return Given(Way.PICTURE, files, choices=choices)


def _file(way: Way, key: str) -> Given | None:
    kind = "csv" if way is Way.TABLE else "npy"
    uploaded = st.file_uploader(
        "CSV file" if way is Way.TABLE else ".npy file",
        type=[kind, "txt", "tsv"] if way is Way.TABLE else kind,
        key=f"{key}-{kind}",
        help=_HELP[way],
    )
    if uploaded is None:
        return None
    return Given(way, (File(uploaded.name, uploaded.getvalue()),))


def _numbers(spec: InputSpec, key: str) -> Given | None:
    text = st.text_area(
        "Numbers",
        key=f"{key}-numbers",
        height=120,
        help="With blanks, commas or line breaks between.",
    )
    padding = AT_END
    if spec.is_integer and spec.value_count is not None:
        padding = (
            st.radio(
                f"Where fewer than {spec.value_count} numbers are padded, or more are cut",
                [AT_END, AT_BEGINNING],
                horizontal=True,
                key=f"{key}-padding",
            )
            or AT_END
        )
    return Given(Way.NUMBERS, text=text, padding=padding) if text.strip() else None


def _form(spec: InputSpec, key: str) -> Given:
    count = spec.field_count or 1
    start = _middle(spec)
    if spec.low is not None and spec.high is not None:
        st.caption(plain(f"In the training data: {number(spec.low)} to {number(spec.high)}."))
    values = []
    with st.container(horizontal=True):
        for place in range(count):
            label = spec.label if count == 1 else f"Feature {place + 1}"
            value = st.number_input(
                plain(label),
                value=start,
                format="%d" if spec.is_integer else "%g",
                key=f"{key}-field-{place}",
                width=140,
            )
            values.append(float(value))
    return Given(Way.FORM, fields=tuple(values))


def _middle(spec: InputSpec) -> float | int:
    """Return the value that a field has at first: the middle of the training data's range."""
    if spec.low is None or spec.high is None:
        return 0 if spec.is_integer else 0.0
    middle = (spec.low + spec.high) / 2
    return round(middle) if spec.is_integer else float(f"{middle:.3g}")
