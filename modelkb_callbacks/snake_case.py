"""Class names as Keras spells them in names that it makes up."""

from __future__ import annotations

import re


def snake_case(name: str) -> str:
    """Return a class name in lower case with underscores, as in Keras' layer names.

    Example:
        >>> snake_case("MaxPooling2D"), snake_case("LSTM")
        ('max_pooling2d', 'lstm')
    """
    before_words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", before_words).lower()
