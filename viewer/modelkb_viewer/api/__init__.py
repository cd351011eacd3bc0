"""The REST API of a store, for programs on this machine and elsewhere."""
