"""Predictions with recorded models, made in a process of their own."""
