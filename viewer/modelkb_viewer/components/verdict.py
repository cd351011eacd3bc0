"""What a reproduction came to."""

from __future__ import annotations

import streamlit as st

from modelkb_store.reproduction import Cause, Comparison, Verdict
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.reproduction_facts import comparison_facts, title_of_causes

_SENTENCES = {
    Verdict.IDENTICAL: "Identical: every value is the same, to the bit.",
    Verdict.CLOSE: "Close: every value is within 0.1% or 0.00001 of the original.",
    Verdict.DIFFERENT: "Different: not every value is within 0.1% or 0.00001 of the original.",
    Verdict.FAILED: "Failed: the reproduction did not come to its end.",
}
_ALREADY_SAID = ("experiment", "reproduction")


def show_verdict(comparison: Comparison) -> None:
    """Show the verdict, how far both runs agree, and what may be why they do not."""
    text = _SENTENCES[comparison.verdict]
    if comparison.verdict is Verdict.IDENTICAL:
        st.success(text, icon=":material/check_circle:")
    elif comparison.verdict is Verdict.CLOSE:
        st.warning(text, icon=":material/check_circle:")
    else:
        st.error(text, icon=":material/error:")
    facts = [
        f"- {name.capitalize()}: {plain(value)}"
        for name, value in comparison_facts(comparison).items()
        if name not in _ALREADY_SAID
    ]
    st.markdown("\n".join(facts))
    if comparison.causes:
        st.markdown(f"{title_of_causes(comparison).capitalize()}:")
        for cause in comparison.causes:
            _show_cause(cause)


def _show_cause(cause: Cause) -> None:
    if "\n" in cause.text:
        st.markdown(f"- {plain(cause.kind)}:")
        st.code(cause.text, language=None, wrap_lines=True)
    else:
        st.markdown(f"- {plain(cause)}")
