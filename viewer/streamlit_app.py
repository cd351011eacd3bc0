"""What ``streamlit run viewer`` finds: the viewer of the store in ``$MODELKB_STORE`` or here."""

import streamlit as st

from modelkb_viewer.server import MIDDLEWARE, SCRIPT, lifespan, routes

app = st.App(SCRIPT, routes=routes(), middleware=MIDDLEWARE, lifespan=lifespan)
