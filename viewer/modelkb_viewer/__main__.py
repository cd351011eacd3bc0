"""``python -m modelkb_viewer``: the command line, where its script is not on the path."""

from modelkb_viewer.main import main

main()
