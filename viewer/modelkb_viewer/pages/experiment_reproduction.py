"""Doing an experiment again, below its code: with live progress, to the verdict."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from modelkb_store import Experiment
from modelkb_store.layout import resolve_store_location
from modelkb_store.records import Status
from modelkb_viewer.components.part import part
from modelkb_viewer.components.verdict import show_verdict
from modelkb_viewer.content.reproductions import compare_runs, last_values, reproductions_of
from modelkb_viewer.opened_store import opened_store
from modelkb_viewer.pages.links import experiment_link
from modelkb_viewer.pages.visitor import may_edit, why_not
from modelkb_viewer.permissions import HOW_TO_ALLOW, recorded_code_is_allowed
from modelkb_viewer.reproduction_job import JobState, ReproductionJob
from modelkb_viewer.reproduction_jobs import REPRODUCTIONS

_SECONDS_BETWEEN_LOOKS = 1.0
_LINES_SHOWN = 15
_MOST_COMPARED = 5


def show_reproduction(experiment: Experiment) -> None:
    """Draw the part."""
    st.subheader("Reproduce")
    st.caption(
        "The script is run again on this machine, recorded as a new experiment, and compared with "
        "this one to the bit."
    )
    job = REPRODUCTIONS.find(resolve_store_location(None), experiment.id)
    is_running = job is not None and job.is_running
    if not recorded_code_is_allowed():
        st.info(f"This runs code that was recorded from a script. {HOW_TO_ALLOW}")
    elif not may_edit():
        st.info(why_not("Running a training again"))
    elif not is_running:
        _show_start(experiment)
    if job is not None:
        every = _SECONDS_BETWEEN_LOOKS if is_running else None
        st.fragment(_show_job, run_every=every)(experiment, job)
    with part("The earlier reproductions"):
        _show_earlier(experiment, job)


def _show_start(experiment: Experiment) -> None:
    if experiment.record.status == Status.RUNNING.value:
        st.info("It can be reproduced once it has ended.")
    elif st.button("Reproduce", icon=":material/replay:", key="reproduce"):
        _confirm(experiment)


@st.dialog("Run the recorded code?")
def _confirm(experiment: Experiment) -> None:
    st.markdown(
        "The script above is run with all that this server may do, and takes about as long as the "
        "training did. It finds its data under the same paths, from this folder:"
    )
    st.code(str(Path.cwd()), language=None, wrap_lines=True)
    if st.button("Run it", type="primary", key="run-reproduction") and may_edit():
        REPRODUCTIONS.start(resolve_store_location(None), experiment.id)
        st.rerun()


def _show_job(experiment: Experiment, job: ReproductionJob) -> None:
    """Draw what a job does or has done; while it runs, once a second."""
    was_running = st.session_state.get("reproduction-runs") == job.experiment_id
    if job.is_running:
        st.session_state["reproduction-runs"] = job.experiment_id
        _show_progress(experiment, job)
    else:
        st.session_state.pop("reproduction-runs", None)
        if was_running:
            # The rest of the page has to know, too.
            st.rerun()
        _show_outcome(job)


def _show_progress(experiment: Experiment, job: ReproductionJob) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.text("Stopping" if job.is_stopping else job.step, width="stretch")
        if may_edit() and st.button(
            "Stop", icon=":material/stop:", key="stop-reproduction", disabled=job.is_stopping
        ):
            job.stop()
    with part("The new experiment"):
        for row in reproductions_of(opened_store(), experiment.id, job.started_at)[:1]:
            _show_epochs(experiment, row["experiment_id"])
    _show_lines(job)


def _show_epochs(experiment: Experiment, reproduction_id: str) -> None:
    reproduction = opened_store().experiment(reproduction_id)
    record = reproduction.record
    experiment_link(reproduction_id, f"The new experiment {record.name}")
    if record.epochs_planned:
        share = min(1.0, record.epochs_completed / record.epochs_planned)
        st.progress(share, f"Epoch {record.epochs_completed} of {record.epochs_planned}")
    values = last_values(experiment, reproduction)
    if not values.empty:
        st.dataframe(
            values, key="reproduction-values", hide_index=True, alt="Values of the last epoch"
        )


def _show_lines(job: ReproductionJob) -> None:
    lines = job.last_lines(_LINES_SHOWN)
    if lines:
        st.caption("What it prints")
        st.code("\n".join(lines), language=None, height=300)


def _show_outcome(job: ReproductionJob) -> None:
    if job.comparison is not None:
        if job.comparison.reproduction_id is not None:
            experiment_link(job.comparison.reproduction_id, "The new experiment")
        show_verdict(job.comparison)
    elif job.state is JobState.STOPPED:
        st.info("The reproduction was stopped. What it had recorded until then is kept.")
    else:
        st.error("The reproduction failed.", icon=":material/error:")
        st.text(job.error)
    with st.expander("What it printed"):
        _show_lines(job)


def _show_earlier(experiment: Experiment, job: ReproductionJob | None) -> None:
    """List runs that have ended, the newest with their verdicts."""
    latest = job.comparison.reproduction_id if job is not None and job.comparison else None
    rows = [
        row
        for row in reproductions_of(opened_store(), experiment.id)
        if row["status"] != Status.RUNNING.value and row["experiment_id"] != latest
    ]
    if not rows:
        return
    expander = st.expander(
        f"Earlier reproductions ({len(rows)})", key="earlier-reproductions", on_change="rerun"
    )
    if not expander.open:
        return
    with expander:
        for row in rows[:_MOST_COMPARED]:
            experiment_link(row["experiment_id"], row["experiment_id"])
            with part("The comparison"):
                show_verdict(compare_runs(opened_store(), experiment, row["experiment_id"]))
