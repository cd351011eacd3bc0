"""What a new user sees: how the first run is recorded. It gives way once there is one."""

from __future__ import annotations

import contextlib
import shlex

import streamlit as st

from modelkb_store.errors import StoreNotFoundError
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.opened_store import opened_store

_CALLBACK = """from modelkb_callbacks import ModelKB

model.fit(x, y, epochs=5, callbacks=[ModelKB(project="my-project", store={store!r})])"""
_SECONDS = 2


def show() -> None:
    """Draw the page, and look for a first run every other second."""
    store = resolve_store_location(None)
    st.title("Record your first run", anchor=False)
    st.write(
        "Nothing is recorded here yet. Add one callback to the training of a Keras model, and its "
        "model, data, hyperparameters, curves, weights and environment are kept. This page turns "
        "into the dashboard by itself."
    )
    st.subheader("In a script or notebook", anchor=False)
    st.code(_CALLBACK.format(store=store), language="python", wrap_lines=True)
    st.subheader("A script that is left as it is", anchor=False)
    st.code(
        f"modelkb run --project my-project --store {shlex.quote(store)} train.py",
        language="shell",
        wrap_lines=True,
    )
    st.subheader("No model at hand", anchor=False)
    st.write("A small one learns to read handwritten digits in a few seconds:")
    st.code(f"modelkb demo --store {shlex.quote(store)}", language="shell", wrap_lines=True)
    st.caption(f"The store that is looked at: {plain(store)}")
    st.fragment(_wait, run_every=_SECONDS)()


def is_needed() -> bool:
    """Return whether there is no store, or no experiment in it."""
    try:
        return not opened_store().experiment_ids()
    except StoreNotFoundError:
        return True


def _wait() -> None:
    # What else may be wrong with the store is said when the page is drawn.
    with contextlib.suppress(Exception):
        if is_needed():
            return
    st.rerun()
