"""The target `keras`: code for Keras 3."""
