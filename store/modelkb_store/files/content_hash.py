"""The hash that a file's content is known by."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

_BLOCK_BYTES = 1 << 20


def sha256_of(file: BinaryIO) -> str:
    """Return the SHA-256 of what is left to read of a file, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()
