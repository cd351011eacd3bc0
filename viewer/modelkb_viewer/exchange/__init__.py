"""Experiments to and from the tools that people already use."""
