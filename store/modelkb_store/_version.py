"""The version of the distribution ``modelkb``."""

__version__ = "0.1.0"
