"""What does experiments again, set up as `modelkb reproduce` and the viewer need it."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from modelkb_store.reproduction import IsolatedPythons, Reproducer


@contextlib.contextmanager
def open_reproducer(
    location: str,
    *,
    told: Callable[[str], None],
    printed: Callable[[str], None],
    keep: str | None = None,
    isolated: bool = False,
    stop: threading.Event | None = None,
) -> Iterator[Reproducer]:
    """Give a reproducer of a store's experiments; what it makes is gone afterwards.

    Args:
        location: Where the store is.
        told: Gets what is being done, line by line.
        printed: Gets what the scripts print.
        keep: A folder in which the scripts are kept.
        isolated: Whether each runs in a virtual environment with the recorded versions.
        stop: Set by another thread, it ends what is being done.
    """
    # Inside: only what starts a training needs it.
    from modelkb_callbacks.startup import recording_environment

    with tempfile.TemporaryDirectory(prefix="modelkb-reproduce-") as temporary:
        pythons = None
        if isolated:
            folder = Path(temporary) / "environments"
            pythons = IsolatedPythons(folder, _recording_packages(), told)
        yield Reproducer(
            location,
            Path(keep).absolute() if keep else Path(temporary),
            recording_environment,
            told=told,
            printed=printed,
            isolated=pythons,
            stop=stop,
        )


def _recording_packages() -> list[Path]:
    """Return the folders of the packages that a training imports to be recorded."""
    import modelkb_callbacks
    import modelkb_store

    return [Path(each.__path__[0]).resolve() for each in (modelkb_callbacks, modelkb_store)]
