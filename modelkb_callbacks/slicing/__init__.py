"""The part of a source that a run needs: its data, and classes of its own."""
