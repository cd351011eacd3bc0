"""Bringing experiments from one store to another, at once or as they are recorded."""
