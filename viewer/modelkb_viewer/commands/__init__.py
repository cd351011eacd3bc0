"""The commands of ``modelkb``: one module for each."""
