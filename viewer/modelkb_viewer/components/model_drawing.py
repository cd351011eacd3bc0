"""A model as Netron draws it."""

from __future__ import annotations

import streamlit as st

from modelkb_viewer.components.base_path import base_path
from modelkb_viewer.routes.architectures import architecture_address
from modelkb_viewer.routes.netron import netron_address

_HEIGHT = 640


def show_model_drawing(architecture_id: str, name: str) -> None:
    """Show the drawing of an architecture; a click on a layer opens its configuration.

    Args:
        architecture_id: Whose file is drawn.
        name: The model's name.
    """
    address = base_path() + netron_address(architecture_address(architecture_id), f"{name}.h5")
    with st.container(border=True):
        st.iframe(address, height=_HEIGHT, alt=f"The layers of {name} and how they are connected")
    st.link_button(
        "Open the drawing in a tab of its own",
        address,
        icon=":material/open_in_new:",
        type="tertiary",
    )
