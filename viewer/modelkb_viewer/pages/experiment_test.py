"""The tab Test of an experiment's page: predictions on the fly, without any deployment."""

from __future__ import annotations

import re

import streamlit as st

from modelkb_store import Experiment, Store
from modelkb_store.errors import ModelKBError
from modelkb_viewer import addresses
from modelkb_viewer.components.column_settings import FOUR_DIGITS, time_column
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import show_table
from modelkb_viewer.content.checkpoint_choices import checkpoint_choices
from modelkb_viewer.content.predictions import recent_predictions
from modelkb_viewer.content.tried_models import (
    Tried,
    offered_experiments,
    prepare_inputs,
    try_experiment,
)
from modelkb_viewer.opened_predictor import opened_predictor, tried_predictions
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.pages.test_inputs import give_input
from modelkb_viewer.pages.test_results import show_preparation, show_tried
from modelkb_viewer.pages.visitor import may_edit, why_not
from modelkb_viewer.prediction.given import Given, Way
from modelkb_viewer.prediction.input_spec import InputSpec, input_specs

_LAST = "test-last"
_SHOWN_ID = re.compile(r"\(([0-9a-f]{10})\)$")
_SECONDS = st.column_config.NumberColumn(format=FOUR_DIGITS)
_MOST_OTHERS = 3
_UPLOADED = (Way.PICTURE, Way.TABLE, Way.ARRAY)


def show(experiment: Experiment) -> None:
    """Draw the tab."""
    with part("The model's test"):
        _show_test(experiment)
    with part("The latest predictions"):
        frame = recent_predictions(experiment)
        if not frame.empty:
            st.subheader("Latest predictions", anchor=False)
            settings = {"Time (UTC)": time_column("Time"), "Seconds": _SECONDS}
            show_table(frame, "Latest predictions", key="test-latest", column_config=settings)


def _show_test(experiment: Experiment) -> None:
    choices = checkpoint_choices(experiment)
    if not choices and experiment.artifacts().empty:
        st.info(plain(_why_no_weights(experiment)), icon=":material/info:")
        return
    specs = input_specs(experiment)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        checkpoint = _choose_checkpoint(experiment, choices)
        others = _choose_others(experiment)
    given_column, seen_column = st.columns(2, gap="large")
    with given_column:
        st.subheader("Input", anchor=False)
        given = _give_inputs(specs)
    with seen_column:
        can_be_used = given is not None and _show_prepared(experiment, given)
    with given_column:
        is_asked = st.button(
            "Predict", type="primary", key="test-predict", disabled=not can_be_used
        )
    if given is None or not can_be_used:
        return
    is_asked = is_asked or all(each.way in _UPLOADED for each in given.values())
    tried = _tried([experiment, *others], checkpoint, given, is_asked=is_asked)
    if tried:
        st.subheader("Prediction", anchor=False)
        if not may_edit():
            st.caption(why_not("Recording what was tried"))
        show_tried(tried)


def _show_prepared(experiment: Experiment, given: dict[str, Given]) -> bool:
    """Draw the input as the model takes it, and return whether it can be."""
    st.subheader("As the model takes it", anchor=False)
    is_prepared = False
    with part("The input"):
        show_preparation(*prepare_inputs(experiment, given))
        is_prepared = True
    return is_prepared  # noqa: RET504 - what goes wrong in a part ends it


def _why_no_weights(experiment: Experiment) -> str:
    if experiment.record.status == "running":
        return (
            "The run goes on and has kept no weights yet. Its model can be tried when it ends, or "
            "before that if it is recorded with checkpoints='epoch' or 'best'."
        )
    reasons = "; ".join(experiment.record.problems)
    return (
        f"The weights of this experiment were not kept, so its model cannot be tried. {reasons}"
    ).strip()


def _choose_checkpoint(experiment: Experiment, choices: dict[str, str]) -> str | None:
    if experiment.record.status == "running":
        st.info("The run goes on: what is tried is a checkpoint of it.", icon=":material/info:")
    if len(choices) < 2:
        return None
    return st.selectbox(
        "Checkpoint",
        list(choices),
        format_func=choices.__getitem__,
        key=addresses.CHECKPOINT,
        bind="query-params",
        width=280,
    )


def _choose_others(experiment: Experiment) -> list[Experiment]:
    store = opened_store()
    offered = offered_experiments(store, experiment)
    chosen = st.multiselect(
        "Side by side with",
        list(offered),
        format_func=lambda each: offered.get(each) or _name_of(store, each),
        max_selections=_MOST_OTHERS,
        key=addresses.BESIDE,
        bind="query-params",
        accept_new_options=True,
        placeholder="Other experiments on the same input",
        help="Choose one of this project, or type the id of any other.",
    )
    found = []
    for each in chosen:
        try:
            found.append(store.experiment(_id_in(each)))
        except ModelKBError as error:
            st.error(plain(error))
    return found


def _id_in(chosen: str) -> str:
    """Return the id in what an address has: an id, or the name of one that is offered no more."""
    shown = _SHOWN_ID.search(chosen)
    return shown[1] if shown else chosen


def _name_of(store: Store, experiment_id: str) -> str:
    try:
        return store.experiment(experiment_id).record.name
    except ModelKBError:
        return experiment_id


def _give_inputs(specs: list[InputSpec]) -> dict[str, Given] | None:
    """Return what was given for each input; None until all are there."""
    given: dict[str, Given | None] = {}
    for place, spec in enumerate(specs):
        with st.container(border=len(specs) > 1):
            given[spec.label] = give_input(spec, f"test-input-{place}", is_alone=len(specs) == 1)
    found = {label: each for label, each in given.items() if each is not None}
    return found if len(found) == len(specs) else None


def _tried(
    experiments: list[Experiment],
    checkpoint: str | None,
    given: dict[str, Given],
    *,
    is_asked: bool,
) -> list[Tried]:
    """Return what was predicted for just this; it is predicted once, however often it is drawn."""
    asked = [
        [each.id for each in experiments],
        checkpoint,
        [(label, each.content_key()) for label, each in given.items()],
    ]
    known = st.session_state.get(_LAST)
    if known is not None and known[0] == asked:
        return list(known[1])
    if not is_asked:
        return []
    recorded_by = tried_predictions() if may_edit() else None
    with st.spinner("Predicting. The first time Keras has to start, which takes some seconds."):
        tried = [
            try_experiment(each, checkpoint, given, opened_predictor(), recorded_by)
            for each in experiments
        ]
    st.session_state[_LAST] = (asked, tried)
    return tried
