"""The environment variables that a reproduction runs under."""

from __future__ import annotations

from collections.abc import Mapping

from modelkb_store.codegen.script.environment import BIT_DECIDING_VARIABLES, HASH_SEED
from modelkb_store.experiment import Experiment
from modelkb_store.layout import STORE_VARIABLE

REPRODUCES_VARIABLE = "MODELKB_REPRODUCES"
PROJECT_VARIABLE = "MODELKB_PROJECT"
_BACKEND = "KERAS_BACKEND"


def surroundings(original: Experiment, location: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables for doing an experiment again.

    Those that decide bits are as they were: set to what is recorded, and absent where they were.

    Args:
        original: The experiment.
        location: Where the store is, in which the reproduction is recorded.
        environ: The environment variables here.
    """
    recorded = original.environment()
    chosen = dict(environ)
    if recorded:
        deciding = (*BIT_DECIDING_VARIABLES, HASH_SEED)
        then = recorded["variables"]
        chosen = {name: value for name, value in chosen.items() if name not in deciding}
        chosen |= {name: then[name] for name in deciding if name in then}
        chosen[_BACKEND] = recorded["backend"]
    return {
        **chosen,
        STORE_VARIABLE: location,
        PROJECT_VARIABLE: original.project,
        REPRODUCES_VARIABLE: original.id,
    }
