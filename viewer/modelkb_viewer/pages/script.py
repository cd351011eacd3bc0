"""What Streamlit runs for every look at a page.

It is in this folder, as beside a folder named ``pages`` Streamlit would take its files for pages.
"""

from modelkb_viewer.pages.navigation import show_page

show_page()
