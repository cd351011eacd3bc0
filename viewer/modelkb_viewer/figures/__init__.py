"""Plots as Altair charts, made of data frames without Streamlit."""
