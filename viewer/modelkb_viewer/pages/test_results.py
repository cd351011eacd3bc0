"""The part of the tab Test where predictions are shown."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from modelkb_viewer.components.figure import show_figure
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import download_menu, show_table
from modelkb_viewer.content.tried_models import Tried
from modelkb_viewer.figures.probabilities import MOST_BARS, probability_bars
from modelkb_viewer.pages import links
from modelkb_viewer.prediction.input_spec import InputSpec, number
from modelkb_viewer.prediction.prepared import Prepared
from modelkb_viewer.prediction.reading import Kind, Reading

_PROBABILITY = {
    "Probability": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
}
_PICTURES_SHOWN = 8


def show_preparation(specs: Sequence[InputSpec], prepared: Sequence[Prepared]) -> None:
    """Draw how inputs were brought to what a model takes, and what it sees."""
    for spec, each in zip(specs, prepared, strict=True):
        if len(specs) > 1:
            st.markdown(f"**{plain(spec.label)}**")
        if each.seen:
            _pictures(each)
        steps = [*each.steps, f"given to the model: {_words(each)}"]
        st.markdown("\n".join(f"{place + 1}. {plain(step)}" for place, step in enumerate(steps)))
        for warning in each.warnings:
            st.warning(plain(warning), icon=":material/warning:")


def _words(prepared: Prepared) -> str:
    shape = " x ".join(map(str, prepared.array.shape))
    kind = "texts" if prepared.array.dtype.kind == "U" else str(prepared.array.dtype)
    return f"{shape}, {kind}"


def _pictures(prepared: Prepared) -> None:
    with st.container(horizontal=True):
        for name, original, seen in list(
            zip(prepared.samples, prepared.originals, prepared.seen, strict=True)
        )[:_PICTURES_SHOWN]:
            st.image(original, caption=plain(name), alt=f"{name} as it was uploaded")
            st.image(seen, caption="As the model sees it", alt=f"{name} as the model sees it")
    hidden = len(prepared.samples) - _PICTURES_SHOWN
    if hidden > 0:
        st.caption(f"And {hidden} more images.")


def show_tried(tried: Sequence[Tried]) -> None:
    """Draw what each experiment made of the input, side by side."""
    samples = next((each.samples for each in tried if each.readings), ())
    place: int | None = 0
    if len(samples) > 1:
        place = st.selectbox(
            "Sample",
            range(len(samples)),
            format_func=lambda each: samples[each],
            key="test-sample",
        )
    for column, each in zip(st.columns(len(tried)), tried, strict=True):
        with column, part(f"The prediction of {each.name}"):
            _show_one(each, place or 0, is_alone=len(tried) == 1)


def _show_one(tried: Tried, place: int, *, is_alone: bool) -> None:
    if not is_alone:
        links.experiment_link(tried.experiment_id, tried.name)
    if tried.problem is not None:
        st.error(plain(tried.problem), icon=":material/error:")
        return
    for output, reading in enumerate(tried.readings):
        key = f"test-{tried.experiment_id}-{output}"
        # A single value stands under its name anyway.
        if len(tried.readings) > 1 and not reading.is_one_value:
            st.markdown(f"**{plain(reading.name)}**")
        _show_reading(tried, reading, min(place, len(tried.samples) - 1), key, is_alone=is_alone)
    words = f"{tried.checkpoint}, {tried.seconds:.3g} s"
    if tried.backend is not None:
        words += f", computed on {tried.backend}, as what it was trained on is not installed here"
    st.caption(plain(words))
    if tried.not_recorded is not None:
        st.warning(plain(f"This could not be recorded as a prediction. {tried.not_recorded}"))
    if not is_alone:
        with st.expander("How the input was prepared"):
            show_preparation(tried.specs, tried.prepared)


def _show_reading(tried: Tried, reading: Reading, place: int, key: str, *, is_alone: bool) -> None:
    if reading.kind is Kind.ARRAY:
        shape = " x ".join(map(str, reading.values.shape[1:]))
        st.markdown(plain(f"An array of {shape} for each sample."))
        _array_figures(reading, place)
        _download_array(reading, key)
        return
    frame = reading.of_sample(place)
    if reading.kind is Kind.VALUES:
        _show_values(frame, reading, key)
    else:
        _show_likely(frame, reading, key, is_alone=is_alone)
    for note in reading.notes:
        st.caption(plain(note[0].upper() + note[1:] + "."))
    if len(tried.samples) > 1:
        st.markdown(f"**All {len(tried.samples):,} samples**")
        _show_samples(tried, reading, f"{key}-all")


def _show_values(frame: pd.DataFrame, reading: Reading, key: str) -> None:
    if len(frame) == 1:
        st.metric(plain(reading.name), plain(number(frame["Value"].iloc[0])), border=True)
        download_menu(frame, f"Prediction {reading.name}", key=f"{key}-values")
        return
    show_table(frame, f"Prediction {reading.name}", key=f"{key}-values")


def _show_likely(frame: pd.DataFrame, reading: Reading, key: str, *, is_alone: bool) -> None:
    left, right = st.columns([3, 2], gap="large") if is_alone else (st.container(), None)
    with left:
        _show_bars(frame, reading, key)
    if right is not None:
        with right:
            _show_table(frame, reading, key)
        return
    with st.expander(f"Table of all {len(frame):,} probabilities"):
        _show_table(frame, reading, key)


def _show_table(frame: pd.DataFrame, reading: Reading, key: str) -> None:
    name = f"Probabilities {reading.name}"
    show_table(frame, name, key=f"{key}-table", column_config=_PROBABILITY)


def _show_bars(frame: pd.DataFrame, reading: Reading, key: str) -> None:
    name = str(frame.columns[0])
    if reading.kind is Kind.CLASSES:
        st.caption("Most likely class")
        # Not as a metric, which cuts long names off.
        st.subheader(plain(frame[name].iloc[0]), anchor=False)
        st.markdown(plain(f"{frame['Probability'].iloc[0]:.1%} probability"))
    top = frame.head(3)
    alt = "; ".join(f"{each} {share:.1%}" for each, share in zip(*top.to_numpy().T, strict=True))
    show_figure(probability_bars(frame), f"Probabilities: {alt}", key=f"{key}-bars")
    if len(frame) > MOST_BARS:
        st.caption(f"The {MOST_BARS} most likely of {len(frame):,}.")


def _show_samples(tried: Tried, reading: Reading, key: str) -> None:
    frame = reading.of_all(tried.samples)
    shown = frame
    pictures = next((each.originals for each in tried.prepared if each.originals), ())
    settings = dict(_PROBABILITY)
    if len(pictures) == len(frame):
        shown = frame.copy()
        shown.insert(0, "Image", [_data_address(each) for each in pictures])
        settings["Image"] = st.column_config.ImageColumn("Image", width="small")
    name = f"Predictions {reading.name}"
    st.dataframe(shown, key=key, hide_index=True, alt=name, column_config=settings)
    download_menu(frame, name, key=key)


def _array_figures(reading: Reading, place: int) -> None:
    values = reading.values[place]
    if values.dtype.kind not in "biuf" or not values.size:
        st.text(str(values.tolist())[:1000])
        return
    low, high, mean = (number(float(each)) for each in (values.min(), values.max(), values.mean()))
    st.markdown(plain(f"Values {low} to {high}, mean {mean}."))


def _download_array(reading: Reading, key: str) -> None:
    st.download_button(
        "Download all samples as a NumPy array",
        lambda: _npy(reading),
        f"{reading.name}.npy",
        "application/octet-stream",
        key=f"{key}-npy",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
    )


def _npy(reading: Reading) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, reading.values, allow_pickle=False)
    return buffer.getvalue()


def _data_address(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
