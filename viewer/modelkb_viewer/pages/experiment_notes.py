"""Tags and notes of an experiment, edited in place."""

from __future__ import annotations

import streamlit as st

from modelkb_store import Experiment, ModelKBError, Store
from modelkb_store.editing import LONGEST_NOTES
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.pages.visitor import may_edit, note_edit, why_not

_MOST_OFFERED = 200
_EDITING = "Changing tags and notes"


def show(store: Store, experiment: Experiment) -> None:
    """Draw tags and notes; a changed tag is kept at once, notes by a button.

    The page may have stood open for long: what others have changed meanwhile stays.
    """
    run = experiment.id
    if not may_edit():
        _show_unchangeable(experiment)
        return
    seen = _seen(experiment)
    left, right = st.columns([2, 3])
    tags = list(seen.record.tags)
    left.multiselect(
        "Tags",
        list(dict.fromkeys([*tags, *_tags_of_project(store, seen.project)])),
        default=tags,
        key=f"tags-{run}-{_version(run)}",
        accept_new_options=True,
        on_change=_keep_tags,
        args=(seen,),
        placeholder="Add a tag",
        help="Choose a tag, or type a new one and press Enter.",
    )
    with right.form(f"notes-form-{run}", border=False):
        st.text_area(
            "Notes",
            seen.record.notes,
            key=f"notes-{run}-{_version(run)}",
            max_chars=LONGEST_NOTES,
            height=100,
            placeholder="What you tried, and what you saw",
        )
        st.form_submit_button(
            "Save notes", icon=":material/save:", on_click=_keep_notes, args=(store, seen)
        )
    _offer_what_is_new(experiment, seen)
    problem = st.session_state.pop(f"edit-problem-{run}", None)
    if problem:
        st.error(plain(problem), icon=":material/error:")


def _show_unchangeable(experiment: Experiment) -> None:
    left, right = st.columns([2, 3])
    left.text_input("Tags", ", ".join(experiment.record.tags), disabled=True)
    right.text_area("Notes", experiment.record.notes, height=100, disabled=True)
    st.caption(why_not(_EDITING))


def _seen(experiment: Experiment) -> Experiment:
    """Return the experiment as the boxes show it: as it was when they were made.

    What is being typed is known to the browser alone, so boxes that are there are left as they are.
    """
    key = f"seen-{experiment.id}"
    if f"notes-{experiment.id}-{_version(experiment.id)}" not in st.session_state:
        st.session_state[key] = experiment
    found: Experiment = st.session_state[key]
    return found


def _offer_what_is_new(experiment: Experiment, seen: Experiment) -> None:
    now, then = experiment.record, seen.record
    if (now.tags, now.notes) != (then.tags, then.notes):
        st.caption(
            "The run or somebody else has changed tags or notes meanwhile; both stay when you save."
        )
        st.button(
            "Show them as they are now",
            key=f"notes-now-{experiment.id}",
            icon=":material/refresh:",
            on_click=_forget_boxes,
            args=(experiment.id,),
        )


def _keep_tags(seen: Experiment) -> None:
    if not _is_allowed(seen):
        return
    chosen = st.session_state[f"tags-{seen.id}-{_version(seen.id)}"]
    try:
        seen.set_tags(chosen)
        note_edit(seen)
    except ModelKBError as error:
        st.session_state[f"edit-problem-{seen.id}"] = str(error)
        _forget_boxes(seen.id)


def _keep_notes(store: Store, seen: Experiment) -> None:
    if not _is_allowed(seen):
        return
    run = seen.id
    text = st.session_state[f"notes-{run}-{_version(run)}"]
    try:
        now = store.experiment(run).record.notes
        if not now.startswith(seen.record.notes):
            st.session_state[f"edit-problem-{run}"] = (
                f"Somebody else has changed the notes meanwhile. They say now:\n{now}\n"
                "Save again to put yours in their place."
            )
            st.session_state[f"seen-{run}"] = store.experiment(run)
            return
        seen.set_notes(text)
        note_edit(seen)
    except ModelKBError as error:
        st.session_state[f"edit-problem-{run}"] = str(error)
        return
    _forget_boxes(run)


def _is_allowed(seen: Experiment) -> bool:
    """Return whether it is still: somebody else may have signed in since the boxes were drawn."""
    is_allowed = may_edit()
    if not is_allowed:
        st.session_state[f"edit-problem-{seen.id}"] = why_not(_EDITING)
    return is_allowed


def _version(run: str) -> int:
    return int(st.session_state.get(f"boxes-{run}", 0))


def _forget_boxes(run: str) -> None:
    """Have the boxes made anew, with what is recorded now."""
    st.session_state[f"boxes-{run}"] = _version(run) + 1


def _tags_of_project(store: Store, project: str) -> list[str]:
    lists = store.table("experiments", project, ["tags"])["tags"].to_pylist()
    known = dict.fromkeys(tag for tags in lists for tag in tags or ())
    return list(known)[:_MOST_OFFERED]
