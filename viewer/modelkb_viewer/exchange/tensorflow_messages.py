"""What TensorFlow says when it is loaded, which is of no use to who exports or imports."""

from __future__ import annotations

import os


def quieten_tensorflow() -> None:
    """Have TensorFlow write errors alone, unless the user wants more; call it before the import.

    TensorBoard and Keras load it by themselves, where it is installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
