"""What goes wrong with object stores, in the words of the machine's own files."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from modelkb_store.errors import StoreUnreachableError

# What is said of an object that was deleted since it was opened; the second, if the answer came
# without its explanation.
_DELETED = ("NO_SUCH_KEY", "RESOURCE_NOT_FOUND")


@contextlib.contextmanager
def reached(uri: str, path: str) -> Iterator[None]:
    """Translate what the libraries of S3 and GCS raise in the block.

    Args:
        uri: The store, without credentials.
        path: What is worked on.

    Raises:
        FileNotFoundError: It is not there, or not any more.
        StoreUnreachableError: The server does not answer, or refuses.
    """
    try:
        yield
    except StoreUnreachableError:
        raise
    except OSError as error:
        if isinstance(error, NotADirectoryError) or any(name in str(error) for name in _DELETED):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error
        # Errors of the machine itself have numbers, those of the libraries none.
        if error.errno is not None:
            raise
        raise StoreUnreachableError(uri, error) from error
