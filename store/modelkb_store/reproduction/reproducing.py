"""Doing an experiment again: its script is written, run and recorded, and both are compared."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modelkb_store.errors import CorruptFileError, ModelKBError
from modelkb_store.experiment import Experiment
from modelkb_store.reproduction.cause import Cause
from modelkb_store.reproduction.comparison import Comparison, Verdict, compare
from modelkb_store.reproduction.following import Ended, run_program
from modelkb_store.reproduction.isolation import IsolatedPythons
from modelkb_store.reproduction.surroundings import surroundings
from modelkb_store.store import Store

_VERDICTS = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Reproducer:
    """Does experiments of one store again, each in a process of its own.

    The scripts run where this process does, so that data is found under the same relative paths.

    Args:
        location: Where the store is.
        folder: Where the scripts are written.
        recorded: Makes of environment variables those under which a new Python records its
            trainings, given the settings of the recording.
        told: Gets what is being done, line by line.
        printed: Gets what the scripts print.
        isolated: Gives interpreters of virtual environments; by default the running one is taken.
        stop: Set by another thread, it ends the reproduction as Ctrl-C does in the main thread.

    Example:
        >>> reproducer = Reproducer("modelkb", Path("scripts"), recording_environment)
        >>> reproducer.reproduce(Store("modelkb").experiment("baseline")).verdict.value
        'identical'
    """

    location: str
    folder: Path
    recorded: Callable[[Mapping[str, str], Mapping[str, Any]], dict[str, str]]
    told: Callable[[str], None] = lambda _: None
    printed: Callable[[str], None] = lambda _: None
    isolated: IsolatedPythons | None = None
    stop: threading.Event | None = None

    def reproduce(self, original: Experiment) -> Comparison:
        """Do one experiment again, and compare.

        Whatever goes wrong with its script is told by the verdict.

        Raises:
            KeyboardInterrupt: A person, a signal or a thread asked to stop; the reproduction has
                ended.
            CorruptFileError: A file of the store is damaged.
        """
        script = self._script(original)
        if isinstance(script, Cause):
            return _failed(original, script)
        python = self._python(original, script)
        if isinstance(python, Cause):
            return _failed(original, python)
        known = set(self._reproductions(original))
        self.told(f"Running {script} with {python} in {os.getcwd()}")
        try:
            ended = run_program(
                [str(python), str(script)], self._environment(original), self.printed, self.stop
            )
        except KeyboardInterrupt:
            for each in self._reproductions(original):
                if each not in known:
                    status = Store(self.location).experiment(each).record.status
                    self.told(f"The reproduction {each} is {status}.")
            raise
        return self._outcome(original, ended, known)

    def _script(self, original: Experiment) -> Path | Cause:
        path = self.folder / f"train-{original.id.rpartition('-')[2]}.py"
        self.told(f"Writing the script of {original.id}")
        try:
            return original.save_script(path)[0]
        except CorruptFileError:
            raise
        except ModelKBError as error:
            return Cause("script", str(error))

    def _python(self, original: Experiment, script: Path) -> Path | Cause:
        if self.isolated is None:
            return Path(sys.executable)
        self.told("Making a virtual environment with the recorded versions")
        return self.isolated.python_for(original, script)

    def _environment(self, original: Experiment) -> dict[str, str]:
        variables = surroundings(original, self.location, os.environ)
        if self.isolated is not None:
            variables = self.isolated.environment(variables)
        settings = {"store": self.location, "project": original.project}
        return self.recorded(variables, settings)

    def _reproductions(self, original: Experiment) -> dict[str, int]:
        """Return the runs that do an experiment again, with their processes."""
        rows = Store(self.location).table(
            "experiments",
            columns=["experiment_id", "process_id"],
            where={"reproduces_experiment_id": [original.id]},
        )
        return dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))

    def _outcome(self, original: Experiment, ended: Ended, known: set[str]) -> Comparison:
        """Return the best of what the process recorded: a script may train several times."""
        found = {
            each: process
            for each, process in self._reproductions(original).items()
            if each not in known
        }
        own = [each for each, process in found.items() if process == ended.process_id]
        store = Store(self.location)
        compared = [compare(original, store.experiment(each)) for each in own or found]
        best = min(compared, key=_distance, default=None)
        if ended.exit_code:
            error = Cause("error", ended.error)
            if best is None:
                return _failed(original, error)
            return replace(best, verdict=Verdict.FAILED, causes=(error, *best.causes))
        return best or _failed(original, Cause("error", "the script ended and recorded nothing"))


def _failed(original: Experiment, cause: Cause) -> Comparison:
    return Comparison(original.id, None, Verdict.FAILED, causes=(cause,))


def _distance(comparison: Comparison) -> tuple[int, float]:
    difference = comparison.max_difference
    place = _VERDICTS.index(comparison.verdict)
    return place, math.inf if difference is None else difference
