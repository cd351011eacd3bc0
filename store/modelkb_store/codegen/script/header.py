"""The docstring of a script: which experiment it is of, and what could not be recorded."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from datetime import timezone
from typing import Any

from modelkb_store._version import __version__
from modelkb_store.codegen.script.environment import HASH_SEED
from modelkb_store.codegen.script.recorded import Recorded

NOTEBOOK_SUFFIX = ".ipynb"

_WIDTH = 88
_MOST_CHARACTERS = 2_000
_BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


def header_text(
    recorded: Recorded, file_name: str, missing: Iterable[str], notes: Iterable[str] = ()
) -> str:
    """Return what a reader of the script should know.

    Args:
        recorded: The experiment.
        file_name: The script's own name.
        missing: What could not be recorded, or not be written.
        notes: Further sentences.
    """
    record = recorded.record
    paragraphs = [
        f"{one_line(record.name)}: this training as ModelKB recorded it.",
        " ".join(_origin(recorded)),
        f"Run it with: {_command(recorded, file_name)}",
        *notes,
    ]
    wrapped = [textwrap.fill(each, _WIDTH, break_long_words=False) for each in paragraphs]
    if record.notes:
        wrapped.append(_bullets("Notes:", record.notes.splitlines()))
    found = list(dict.fromkeys(missing))
    if found:
        wrapped.append(_bullets("Not recorded:", found))
    return "\n\n".join(wrapped)


def docstring(text: str) -> str:
    """Return a text as a string literal on lines of its own; whatever it holds, it stays one."""
    plain = "\n".join(one_line(line).rstrip() for line in text.splitlines())
    escaped = plain.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    end = "\n" if "\n" in plain or escaped.endswith('"') else ""
    return f'"""{escaped}{end}"""'


def one_line(text: str) -> str:
    """Return a text on one line, with characters that nobody sees spelled out."""
    short = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."
    if short.isprintable():
        return short
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in short
    )


def _origin(recorded: Recorded) -> Iterator[str]:
    record = recorded.record
    started = record.started_at.astimezone(timezone.utc)
    script = recorded.text("script")
    source = f" from {one_line(script)}" if script else ""
    yield (
        f"Experiment {one_line(record.experiment_id)} of the project "
        f"{one_line(recorded.project)}, run{source} on {started:%Y-%m-%d at %H:%M} UTC"
    )
    versions = ", ".join(_versions(recorded))
    yield f"by {versions}." if versions else "by versions that are not known."
    yield f"Written by ModelKB {__version__}."


def _versions(recorded: Recorded) -> Iterator[str]:
    environment = recorded.environment
    backend = _BACKENDS.get(recorded.backend, recorded.backend)
    for name, column in (
        ("Python", "python_version"),
        ("Keras", "keras_version"),
        (backend, "backend_version"),
    ):
        if environment.get(column):
            yield f"{name} {one_line(str(environment[column]))}"
    yield f"ModelKB {one_line(recorded.record.modelkb_version)}"


def _command(recorded: Recorded, file_name: str) -> str:
    variables: dict[str, Any] = dict(recorded.environment.get("variables") or {})
    hash_seed = str(variables.get(HASH_SEED, ""))
    prefix = f"{HASH_SEED}={hash_seed} " if hash_seed.isdigit() else ""
    program = "jupyter lab" if file_name.endswith(NOTEBOOK_SUFFIX) else "python"
    return f"{prefix}{program} {one_line(file_name)}"


def _bullets(title: str, items: Iterable[str]) -> str:
    lines = [
        textwrap.fill(
            one_line(item),
            _WIDTH,
            initial_indent="- ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for item in items
    ]
    return "\n".join([title, *lines])
