"""The version of the distribution ``modelkb``, and of the store format that it writes."""

__version__ = "0.1.0"
FORMAT_VERSION = 2
