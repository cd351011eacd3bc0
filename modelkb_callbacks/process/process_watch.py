"""What the process does while an experiment runs: resources it uses, text it prints."""

from __future__ import annotations

from pathlib import Path

from modelkb_callbacks.process.console import ConsoleCapture
from modelkb_callbacks.process.resources import ResourceSampler
from modelkb_store.writer import ExperimentWriter


class ProcessWatch:
    """Samples the use of resources and, if asked to, copies what is printed.

    Args:
        writer: The experiment in the store.
        console: Whether to keep what is printed.
    """

    def __init__(self, writer: ExperimentWriter, *, console: bool) -> None:
        self._writer = writer
        self._sampler = ResourceSampler(writer.experiment.experiment_id, writer.append_resources)
        self._console = ConsoleCapture() if console else None

    def start(self) -> None:
        """Begin to watch."""
        self._sampler.start()
        if self._console is not None:
            self._console.start()

    def stop(self) -> None:
        """Watch no more, and put on disk what was seen.

        Raises:
            OSError: The store cannot be written.
        """
        self._sampler.stop()
        if self._console is not None:
            text, writer = self._console.stop(), self._writer
            writer.add_artifacts(
                [writer.add_file("console", "console.txt", lambda path: _write(path, text))]
            )

    @property
    def problem(self) -> str | None:
        """The first thing that went wrong with the sampling, if anything did."""
        return self._sampler.problem


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
