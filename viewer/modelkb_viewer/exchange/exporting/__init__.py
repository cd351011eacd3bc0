"""One module for each tool that experiments can go to; see :mod:`.exporters`."""
