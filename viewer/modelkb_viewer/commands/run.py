"""``modelkb run``: record a script that knows nothing of ModelKB."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import click

from modelkb_viewer.options import project_option, store_option


@click.command(
    "run",
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
)
@click.option("-m", "is_module", is_flag=True, help="SCRIPT is a module, as with python -m.")
@project_option("The project that holds the experiments.")
@click.option("--name", metavar="NAME", help="The experiments' name.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="A tag; can be repeated.")
@click.option("--notes", metavar="TEXT", help="Anything worth remembering.")
@click.option("--console", is_flag=True, help="Keep what the script prints while it trains.")
@click.option("--batch-metrics", is_flag=True, help="Record the curves by batch, too.")
@store_option
@click.argument("arguments", metavar="SCRIPT [ARGS]...", nargs=-1, type=click.UNPROCESSED)
def command(is_module: bool, arguments: tuple[str, ...], **settings: Any) -> None:
    """Run a Python script unchanged, and record every fit in it.

    Options of this command come before the script, the script's own behind it. Its output,
    exit status, tracebacks and signals are as without recording.

    Exit codes:
      those of the script

    Examples:
      modelkb run train.py
      modelkb run --project digits --tag first train.py --epochs 20
      modelkb run -m lab.train --epochs 20
    """
    if not arguments:
        raise click.UsageError("Missing argument 'SCRIPT'.")
    # Inside: only this command starts a training.
    from modelkb_callbacks.settings import Settings
    from modelkb_callbacks.startup import recording_environment

    Settings(**settings)  # tells of a wrong name before anything runs
    chosen = {name: value for name, value in settings.items() if value}
    environment = recording_environment(os.environ, chosen)
    line = [sys.executable, *(["-m"] if is_module else []), *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":  # there, a process that is replaced seems to have ended
        done = subprocess.run(line, env=environment, check=False)  # noqa: S603 - it is asked for
        sys.exit(done.returncode)
    os.execve(sys.executable, line, environment)  # noqa: S606
