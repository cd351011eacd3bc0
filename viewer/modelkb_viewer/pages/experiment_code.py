"""The tab Code of an experiment's page."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Experiment
from modelkb_store.codegen.script import ShownScript, shown_script
from modelkb_viewer import addresses
from modelkb_viewer.components.code import show_code
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.content.model_code import model_code, model_file_name, targets
from modelkb_viewer.content.training_code import (
    NOTEBOOK,
    REPOSITORY,
    SCRIPT,
    download_content,
    downloads,
)
from modelkb_viewer.pages.experiment_reproduction import show_reproduction

_TRAINING = "Training"
_LABELS = {
    SCRIPT: "Script",
    NOTEBOOK: "Notebook",
    REPOSITORY: "Repository",
}
_HELP = {
    SCRIPT: "A Python script; with what it loads, in an archive.",
    NOTEBOOK: "A Jupyter notebook; with what it loads, in an archive.",
    REPOSITORY: "A folder with pinned requirements, which Docker, repo2docker and Binder run.",
}


def show(experiment: Experiment) -> None:
    """Draw the tab."""
    # These words stand in the address.
    models = {f"{name} model": target for target, name in targets().items()}
    chosen = st.segmented_control(
        "Code",
        [_TRAINING, *models],
        default=_TRAINING,
        required=True,
        key=addresses.CODE,
        bind="query-params",
    )
    if chosen in models:
        with part("The code"):
            _show_model(experiment, models[chosen])
        return
    with part("The code"):
        _show_training(experiment)
    with part("The reproduction"):
        show_reproduction(experiment)


def _show_training(experiment: Experiment) -> None:
    with st.spinner("Writing the script", show_time=True):
        script = _script(_version(experiment), experiment)
    _show_missing(script)
    with st.container(horizontal=True):
        for each in downloads(experiment, script):
            st.download_button(
                _LABELS[each.kind],
                lambda each=each: download_content(experiment, each),  # type: ignore[misc]
                each.file_name,
                each.media_type,
                key=f"download-{each.kind}",
                help=_HELP[each.kind],
                icon=":material/download:",
                on_click="ignore",
            )
    show_code(script.text)


def _show_missing(script: ShownScript) -> None:
    if script.missing:
        lines = "\n".join(f"- {plain(each)}" for each in script.missing)
        st.warning(f"Not recorded:\n\n{lines}", icon=":material/info:")
    if script.companions:
        names = " and ".join(script.companions)
        st.caption(plain(f"It loads what the training began with: {names}."))


def _show_model(experiment: Experiment, target: str) -> None:
    with st.spinner("Writing the model", show_time=True):
        text = _model(_version(experiment), target, experiment)
    st.download_button(
        "Module",
        text,
        model_file_name(experiment, target),
        "text/x-python",
        key="download-model",
        icon=":material/download:",
        on_click="ignore",
    )
    show_code(text)


@st.cache_data(max_entries=50, show_spinner=False)
def _script(version: str, _experiment: Experiment) -> ShownScript:
    return shown_script(_experiment)


@st.cache_data(max_entries=50, show_spinner=False)
def _model(version: str, target: str, _experiment: Experiment) -> str:
    return model_code(_experiment, target)


def _version(experiment: Experiment) -> str:
    """Return what is another text when another code may be written."""
    return repr((experiment, experiment.record))
