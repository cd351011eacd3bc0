"""The folders ``mlruns`` that MLflow wrote before it had databases: many small files.

An experiment is a folder with ``meta.yaml``, a run a folder in it with ``meta.yaml`` and a file for
each parameter, tag and metric.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path

from modelkb_viewer.exchange.errors import DamagedSourceError
from modelkb_viewer.exchange.importing.imported_run import ImportedRun, RunReader
from modelkb_viewer.exchange.importing.mlflow_facts import MLflowRun

_META = "meta.yaml"
_PARTS = ("metrics", "params")
# MLflow writes the number of the state.
_STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}


def is_mlruns(path: Path) -> bool:
    """Return whether a folder holds experiments of MLflow."""
    return any(path.glob(f"*/{_META}"))


def runs_of_folder(path: Path, project: str | None) -> Sequence[RunReader]:
    """Find the runs of a folder; see :class:`.importers.Importer`."""
    found: list[RunReader] = []
    for experiment in sorted(path.glob(f"*/{_META}")):
        facts = _read_meta(experiment)
        if facts.get("lifecycle_stage") == "deleted" or "name" not in facts:
            continue
        for run in sorted(experiment.parent.glob(f"*/{_META}")):
            # Models and data sets have such a file, too.
            is_run = any((run.parent / part).is_dir() for part in _PARTS)
            if is_run and not _is_deleted(run):
                found.append(functools.partial(_read, run.parent, facts["name"], project))
    return found


def _is_deleted(meta: Path) -> bool:
    try:
        return _read_meta(meta).get("lifecycle_stage") == "deleted"
    except DamagedSourceError:
        return False  # whoever reads the run is told


def _read(folder: Path, experiment: str, project: str | None) -> ImportedRun:
    facts = _read_meta(folder / _META)
    status = facts.get("status", "")
    return MLflowRun(
        run_id=facts.get("run_id") or facts.get("run_uuid") or folder.name,
        name=facts.get("run_name"),
        experiment=experiment,
        user=facts.get("user_id"),
        status=_STATUS.get(status, status),
        start_time=_integer(facts.get("start_time")),
        end_time=_integer(facts.get("end_time")),
        params=_texts(folder / "params"),
        tags=_texts(folder / "tags"),
        metrics={
            name: [_point(folder / "metrics" / name, line) for line in text.splitlines()]
            for name, text in _texts(folder / "metrics").items()
        },
    ).imported(project)


def _texts(folder: Path) -> dict[str, str]:
    """Return the contents of files by name; a name with a slash is a folder with a file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _text(path) for path in files}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError) as error:
        raise DamagedSourceError(path, error) from error


def _point(path: Path, line: str) -> tuple[int, int, float]:
    """Return step, time and value of a line; the oldest MLflow had no steps."""
    try:
        timestamp, value, *rest = line.split(" ")
        return int(rest[0]) if rest else 0, int(timestamp), float(value)
    except ValueError as error:
        raise DamagedSourceError(path, f"the line {line!r}") from error


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.lstrip("-").isdigit() else None


def _read_meta(path: Path) -> dict[str, str]:
    """Return the entries of a ``meta.yaml``, of which MLflow writes one a line."""
    entries: dict[str, str] = {}
    name = None
    for line in _text(path).splitlines():
        if line.startswith(" ") and name is not None:  # a long text goes on
            entries[name] = f"{entries[name]} {line.strip()}"
            continue
        name, colon, text = line.partition(":")
        if not colon:
            raise DamagedSourceError(path, f"the line {line!r}")
        entries[name] = text.strip()
    plain = {name: _unquoted(text) for name, text in entries.items()}
    return {name: text for name, text in plain.items() if text is not None}


def _unquoted(text: str) -> str | None:
    if text in ("null", "~", ""):
        return None
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return text.strip('"')
    return text
