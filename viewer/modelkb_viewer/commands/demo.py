"""``modelkb demo``: a first run to look at."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import click

from modelkb_store import Experiment, Store
from modelkb_store.listing import history_name
from modelkb_viewer.colours import wants_colours
from modelkb_viewer.options import json_option, store_option
from modelkb_viewer.printing import number, print_json


@click.command("demo")
@store_option
@json_option
def command(store: str | None, as_json: bool) -> None:
    """Train a classifier of handwritten digits, and record it.

    Needs Keras with a backend, and scikit-learn for its bundled digits.

    Examples:
      modelkb demo
      modelkb demo --store /tmp/first-store --json
    """
    # TensorFlow's messages about the machine would hide what the demo says.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Inside: this command alone trains, so it alone may load Keras.
    from modelkb_viewer.demo import train_digits

    experiment_id = train_digits(store, verbose=0 if as_json else _verbosity())
    opened = Store(store)
    experiment = opened.experiment(experiment_id)
    last = {
        history_name(row["split"], row["metric"]): row["value"]
        for row in experiment.table("metrics").to_pylist()
    }
    if as_json:
        print_json(
            {
                "experiment_id": experiment_id,
                "project": experiment.project,
                "store": opened.uri,
                "architecture": f"{opened.uri}/{experiment.architecture_path()}",
                "checkpoints": experiment.table("checkpoints")["kind"].to_pylist(),
                "metrics": last,
            }
        )
        return
    _print_where(opened, experiment)
    click.echo("\nLast metrics")
    for name, value in last.items():
        click.echo(f"  {name:<14}{number(value)}")
    _print_next_commands(opened, experiment_id, store)


def _verbosity() -> int:
    """Return what Keras shows: bars on a terminal, which always have colours; else lines."""
    return 1 if sys.stdout.isatty() and wants_colours() is not False else 2


def _print_where(store: Store, experiment: Experiment) -> None:
    click.echo(f"\nRecorded experiment {experiment.id}")
    click.echo(f"  tables        {store.uri}/metrics, {store.uri}/experiments, ..")
    click.echo(f"  architecture  {store.uri}/{experiment.architecture_path()}")
    click.echo("  weights       Store().experiment(..).load_model(), .save_model('digits.keras')")


def _print_next_commands(store: Store, experiment_id: str, given: str | None) -> None:
    # As this command was typed: in a fresh checkout it is not on the PATH.
    modelkb, python = "modelkb", "python"
    if shutil.which("modelkb") is None:
        typed = Path(sys.argv[0])
        is_command = typed.stem == modelkb
        python = shlex.quote(str(typed.with_name(python)) if is_command else sys.executable)
        modelkb = shlex.quote(str(typed)) if is_command else f"{python} -m modelkb_viewer"
    where = f" --store {shlex.quote(given)}" if given else ""
    # Double quotes inside, so that the shell's single ones around it stay readable.
    read = f"import pandas; print(pandas.read_parquet({json.dumps(store.uri + '/metrics')}))"
    click.echo("\nNow type")
    click.echo(f"  {modelkb} ls{where}")
    click.echo(f"  {modelkb} show {experiment_id[-10:]}{where}")
    click.echo(f"  {python} -c {shlex.quote(read)}")
