"""What Streamlit runs for every look at a page."""

from modelkb_viewer.pages.navigation import show_page

show_page()
