"""Which distributions a script needs, in the versions that its run had."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata

# For modules that are not installed where the folder is written.
_DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "jax": "jax",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_hub": "tensorflow-hub",
    "tensorflow_text": "tensorflow-text",
    "modelkb_callbacks": "modelkb",
    "modelkb_store": "modelkb",
    "yaml": "PyYAML",
}
_BACKENDS = {
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly"),
    "jax": ("jax", "jaxlib"),
    "torch": ("torch",),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.!_-]*(?:\+[0-9A-Za-z._-]+)?")


@dataclass(frozen=True, slots=True)
class Requirements:
    """What has to be installed.

    Attributes:
        pinned: Lines of a ``requirements.txt``.
        unknown: Modules that no recorded distribution is known for: of the user's own, maybe.
    """

    pinned: tuple[str, ...]
    unknown: tuple[str, ...]


def requirements_of(
    modules: Iterable[str], backend: str, recorded: Mapping[str, str]
) -> Requirements:
    """Return the distributions of some modules, and what these need.

    Args:
        modules: Top-level modules that a script imports.
        backend: Keras' backend.
        recorded: The versions of all distributions that were installed when it ran.
    """
    versions = {_normalized(name): (name, version) for name, version in recorded.items()}
    chosen, unknown = set(), []
    standard = _standard_modules()
    for module in modules:
        found = [name for name in _candidates(module) if name in versions]
        chosen |= set(found)
        if not found and module not in standard:
            unknown.append(module)
    chosen |= {name for name in _BACKENDS.get(backend, ()) if name in versions}
    whole = _with_needs(chosen, versions)
    lines = [_pinned(*versions[name]) for name in sorted(whole)]
    return Requirements(tuple(line for line in lines if line), tuple(unknown))


def _candidates(module: str) -> list[str]:
    """Return distributions that may bring a module, by their normalized names."""
    installed = metadata.packages_distributions().get(module, [])
    return list(dict.fromkeys(map(_normalized, [*installed, _DISTRIBUTIONS.get(module, module)])))


def _with_needs(names: Iterable[str], versions: Mapping[str, object]) -> set[str]:
    """Add what distributions need, as far as they are installed here and were there."""
    whole: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name in whole:
            continue
        whole.add(name)
        pending += [each for each in _needs(name) if each in versions]
    return whole


def _needs(name: str) -> list[str]:
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    found = []
    for line in lines:
        match = _NAME.match(line)
        if match is not None and "extra ==" not in line:
            found.append(_normalized(match[0]))
    return found


def _pinned(name: str, version: str) -> str:
    """Return a line of the file; without what only a build of one's own has (``+cpu``)."""
    if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version):
        return ""
    return f"{name}=={version.partition('+')[0]}"


def _standard_modules() -> frozenset[str]:
    import sys

    return frozenset({*sys.stdlib_module_names, "__main__"})


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
