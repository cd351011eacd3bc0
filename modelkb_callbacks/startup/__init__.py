"""Starting a script so that its trainings are recorded, without a change to it.

Python imports a module named ``sitecustomize`` before it runs a script. The folder of this
package, put on ``PYTHONPATH`` by :func:`recording_environment`, holds one: it turns recording
on, takes every trace of itself away again, and hands over to the one that it covered. All
else, from ``sys.argv`` to exit status, tracebacks and signals, is Python's own doing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Holds the settings for `autolog` and the former PYTHONPATH; gone before the script runs.
VARIABLE = "MODELKB_AUTOLOG"
FOLDER = str(Path(__file__).parent)


def recording_environment(
    environ: Mapping[str, str], settings: Mapping[str, Any]
) -> dict[str, str]:
    """Return the environment in which a new Python process records its trainings.

    Args:
        environ: The environment to start from.
        settings: For :func:`modelkb_callbacks.autolog`; what JSON can hold.

    Example:
        >>> env = recording_environment(os.environ, {"project": "digits"})
        >>> subprocess.run([sys.executable, "train.py"], env=env)
    """
    former = environ.get("PYTHONPATH")
    path = FOLDER if not former else os.pathsep.join([FOLDER, former])
    order = json.dumps({"settings": dict(settings), "PYTHONPATH": former})
    return {**environ, "PYTHONPATH": path, VARIABLE: order}
