"""Plots as Altair charts or in Vega-Lite, made of data frames without Streamlit."""

from altair.utils.schemapi import disable_debug_mode

# Else Altair compares every piece with its schema as it is put together, which takes longer than
# all else; whole charts are compared when they are shown.
disable_debug_mode()
