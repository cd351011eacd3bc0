"""Project names, and the folder names that they become on any operating system."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from modelkb_store.errors import InvalidNameError

_MAX_FOLDER_LENGTH = 200  # file systems allow 255 bytes, "project=" included
_PREFIX = "project="


def project_folder(project: str) -> str:
    """Return the folder name of a project, in the hive style ``project=NAME``.

    All but ASCII letters, digits, ``_``, ``.`` and ``-`` is percent-encoded, which readers
    of hive partitions decode again; so every name is legal on Windows, too.

    Args:
        project: Any printable name.

    Raises:
        InvalidNameError: The name is empty, too long, or has characters that do not print.

    Example:
        >>> project_folder("cats & dogs")
        'project=cats%20%26%20dogs'
    """
    if not isinstance(project, str) or not project.strip():
        raise InvalidNameError(project, "it must be a text that is not empty")
    if not project.isprintable():
        raise InvalidNameError(project, "it has characters that cannot be printed")
    if project != project.strip():
        raise InvalidNameError(project, "it begins or ends with a space")
    if project.startswith("__HIVE_"):
        raise InvalidNameError(project, "names that begin with __HIVE_ have a meaning in Parquet")
    encoded = quote(normalized(project), safe="")
    encoded = encoded.replace("~", "%7E")
    if encoded.endswith("."):  # Windows drops a dot at the end
        encoded = encoded[:-1] + "%2E"
    if len(encoded) > _MAX_FOLDER_LENGTH:
        raise InvalidNameError(project, f"it is too long ({len(encoded)} > {_MAX_FOLDER_LENGTH})")
    return _PREFIX + encoded


def normalized(project: str) -> str:
    """Return a project's name in one spelling: a letter with an accent has several."""
    return unicodedata.normalize("NFC", project)
