"""Weights, each variable stored once however many checkpoints have it."""
