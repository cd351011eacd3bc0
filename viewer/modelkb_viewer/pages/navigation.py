"""The router: which pages there are, and which one is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from modelkb_viewer import addresses
from modelkb_viewer.components.damage import show_damage
from modelkb_viewer.components.part import part
from modelkb_viewer.damaged_files import DAMAGED_FILES
from modelkb_viewer.pages import compare, dashboard, experiment, history, links, project, sign_out
from modelkb_viewer.pages.visitor import is_signed_in

_ICON = Path(__file__).parents[1] / "icon.png"


def show_page() -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title="ModelKB", page_icon=str(_ICON), layout="wide")
    pages = make_pages()
    links.remember(pages)
    shown = [*pages.values(), *([_sign_out_page()] if is_signed_in() else [])]
    page = st.navigation(shown, position="top")
    history.restore(page.url_path)
    damage = st.container()
    with part("This page"):
        page.run()
    with damage:
        show_damage(DAMAGED_FILES.met_lately())


def make_pages() -> dict[str, Any]:
    """Return the pages by their path."""
    return {
        "": st.Page(dashboard.show, title="Dashboard", icon=":material/home:", default=True),
        addresses.PROJECT_PATH: st.Page(
            project.show,
            title="Project",
            icon=":material/folder:",
            url_path=addresses.PROJECT_PATH,
        ),
        addresses.EXPERIMENT_PATH: st.Page(
            experiment.show,
            title="Experiment",
            icon=":material/science:",
            url_path=addresses.EXPERIMENT_PATH,
        ),
        addresses.COMPARE_PATH: st.Page(
            compare.show,
            title="Compare",
            icon=":material/compare_arrows:",
            url_path=addresses.COMPARE_PATH,
        ),
    }


def _sign_out_page() -> Any:
    return st.Page(
        sign_out.show,
        title="Sign out",
        icon=":material/logout:",
        url_path=addresses.SIGN_OUT_PATH,
    )
