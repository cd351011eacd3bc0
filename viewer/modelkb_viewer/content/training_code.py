"""The training of an experiment as code: to be read, and as files to be downloaded."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from modelkb_store import Experiment
from modelkb_store.codegen.script import ShownScript, save_script

SCRIPT, NOTEBOOK, REPOSITORY = "script", "notebook", "repo"
_ARCHIVE = ".zip"
_SUFFIXES = {SCRIPT: ".py", NOTEBOOK: ".ipynb", REPOSITORY: _ARCHIVE}
_TYPES = {
    ".py": "text/x-python",
    ".ipynb": "application/x-ipynb+json",
    _ARCHIVE: "application/zip",
}


@dataclass(frozen=True, slots=True)
class Download:
    """A form in which the code can be had.

    Attributes:
        kind: ``script``, ``notebook`` or ``repo``.
        file_name: The name of the file; that of an archive where several belong together.
        media_type: What is in it.
    """

    kind: str
    file_name: str
    media_type: str


def downloads(experiment: Experiment, script: ShownScript) -> list[Download]:
    """Return the forms in which the code of a training can be had.

    Args:
        experiment: The experiment.
        script: Its script, which says what lies beside it.
    """
    found = []
    for kind, suffix in _SUFFIXES.items():
        if suffix == _ARCHIVE or script.companions:
            name, media_type = f"{_stem(experiment)}-{kind}{_ARCHIVE}", _TYPES[_ARCHIVE]
        else:
            name, media_type = f"{_stem(experiment)}{suffix}", _TYPES[suffix]
        found.append(Download(kind, name, media_type))
    return found


def download_content(experiment: Experiment, download: Download) -> bytes:
    """Return what a download holds: the code, or an archive of all that belongs to it.

    Raises:
        CodeGenerationError: The model was not recorded, or cannot be written.
        ArtifactNotFoundError: The weights at the start, which belong to it, are gone.
    """
    with tempfile.TemporaryDirectory(prefix="modelkb-code-") as temporary:
        folder = Path(temporary) / _stem(experiment)
        is_folder = download.kind == REPOSITORY
        target = folder if is_folder else folder / f"{folder.name}{_SUFFIXES[download.kind]}"
        files = save_script(experiment, target, download.kind)
        if download.media_type == _TYPES[_ARCHIVE]:
            return _archive(files, folder.parent)
        return files[0].read_bytes()


def _archive(files: Iterable[Path], root: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(files):
            archive.write(file, file.relative_to(root))
    return buffer.getvalue()


def _stem(experiment: Experiment) -> str:
    return f"train-{experiment.id.rpartition('-')[2]}"
