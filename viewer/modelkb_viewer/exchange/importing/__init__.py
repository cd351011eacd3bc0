"""One module for each tool whose runs can come in; see :mod:`.importers`."""
