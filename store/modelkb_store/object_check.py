"""Looking whether a file of content that somebody has sent is what its name says."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from modelkb_store import layout
from modelkb_store.architecture_file import read_architecture
from modelkb_store.errors import InvalidObjectError, ModelKBError
from modelkb_store.files.content_hash import sha256_of
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.weights.pack import opened_pack, pack_id, verify_pack
from modelkb_store.weights.plain_pack import check_that_it_is_plain

# A model that describes itself in more is none; its text is read at once.
_LARGEST_ARCHITECTURE_BYTES = 256 << 20


def check_object(path: str, local: Path) -> None:
    """Pass if a file can be kept under a path of a store.

    Args:
        path: ``objects/KIND/..``: what its content is known by.
        local: The file.

    Raises:
        InvalidObjectError: It is damaged, or has another content than the path says.
    """
    checks = {"architectures": _architecture, "packs": _pack, "files": _kept_file}
    parts = PurePosixPath(path).parts
    check = checks.get(parts[1]) if len(parts) > 1 else None
    if check is None:
        raise InvalidObjectError(path, f"it is none of {', '.join(checks)}")
    try:
        found = check(local)
    # Whatever is wrong with it, HDF5 has many words for it.
    except (ModelKBError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise InvalidObjectError(path, error) from error
    if found != path:
        raise InvalidObjectError(path, f"its content is that of {found}")


def _architecture(local: Path) -> str:
    if local.stat().st_size > _LARGEST_ARCHITECTURE_BYTES:
        raise ValueError(f"it has more than {_LARGEST_ARCHITECTURE_BYTES} bytes")
    return layout.architecture_file(
        read_architecture(LocalFiles(local.parent), local.name).architecture_id
    )


def _pack(local: Path) -> str:
    with opened_pack(local) as file:
        check_that_it_is_plain(file, local.stat().st_size)
    return layout.pack_file(pack_id(verify_pack(local)))


def _kept_file(local: Path) -> str:
    with local.open("rb") as file:
        return layout.kept_file(sha256_of(file))
