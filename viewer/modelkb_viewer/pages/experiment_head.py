"""The head of an experiment's page: what it is, and how far it has come."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Experiment, Store
from modelkb_store.records import Status
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.content.experiment_frame import status_text
from modelkb_viewer.content.experiment_head import Head, experiment_head
from modelkb_viewer.pages import links
from modelkb_viewer.pages.refreshing import live

_COLOURS = {"running": "blue", "finished": "green", "failed": "red", "interrupted": "orange"}


def show(store: Store, experiment: Experiment) -> None:
    """Draw the head; while the experiment runs it follows by itself."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(plain(experiment.record.name), anchor=False, width="content")
        links.project_link(experiment.project, f"Project {experiment.project}")

    def draw() -> None:
        with part("The head of the experiment"):
            now = store.experiment(experiment.id) if _runs(experiment) else experiment
            if now.record.status != experiment.record.status:
                st.rerun()  # the whole page: weights and evaluation are there now
            _draw(now, experiment_head(now, st.context.timezone))

    live("head", draw, tells_time=True)


def _draw(experiment: Experiment, head: Head) -> None:
    status = experiment.record.status
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.badge(status_text(status), color=_COLOURS.get(status, "gray"))  # type: ignore[arg-type]
        for name, text in head.facts.items():
            st.markdown(f":gray[{name}] {plain(text)}", width="content")
        st.code(experiment.id, language=None, width="content")
    if head.share_done is not None:
        st.progress(head.share_done, text=plain(f"Epochs: {head.facts['Epochs']}"))
    if head.problems:
        lines = "\n".join(f"- {plain(problem)}" for problem in head.problems)
        st.warning(f"Not all could be recorded, or the run was stopped:\n{lines}")


def _runs(experiment: Experiment) -> bool:
    return experiment.record.status == Status.RUNNING.value
