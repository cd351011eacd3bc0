"""The command ``modelkb``.

Exit codes: 0 done, 1 an error of ModelKB's (its text says what to do), 2 wrong usage. Commands
that judge (`check`, `reproduce`) end with 1, too, where the outcome is not good.
"""

from __future__ import annotations

import importlib
import keyword
import sys

import click

from modelkb_store._version import __version__
from modelkb_store.errors import ModelKBError

# Name to one line of help. A command's module is imported only when it runs, so that `ls`
# never waits for what `demo` needs.
COMMANDS = {
    "check": "Check every file of a store, and repair it.",
    "code": "Write the code of a model.",
    "compact": "Merge small files of a store into large ones.",
    "compare": "Show what differs between experiments.",
    "delete": "Delete experiments, or bring them back.",
    "demo": "Train a small classifier and record it.",
    "export": "Write experiments as other tools have them.",
    "find": "List the experiments for which something holds.",
    "gc": "Free the space of deleted experiments.",
    "import": "Take over the runs of other tools.",
    "ls": "List the experiments of a store.",
    "pull": "Copy experiments from another store.",
    "push": "Copy experiments to another store.",
    "regenerate": "Write the script of an experiment again.",
    "reproduce": "Run an experiment again, and compare.",
    "run": "Run a script and record its trainings.",
    "scan": "Show what a script says of its training, without running it.",
    "serve": "Serve a store to other machines.",
    "show": "Show one experiment.",
    "sql": "Answer an SQL query over the tables of a store.",
    "token": "Make, list and revoke the tokens of a server.",
    "view": "Show a store in the browser.",
}


def module_of(name: str) -> str:
    """Return the module of a command: `import` is no name for one, and has an underscore."""
    return f"modelkb_viewer.commands.{name}{'_' if keyword.iskeyword(name) else ''}"


class LazyGroup(click.Group):
    """A group whose commands lie in :mod:`modelkb_viewer.commands`, one module each."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(module_of(cmd_name)).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands for ``--help`` without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=LazyGroup)
@click.version_option(__version__, prog_name="modelkb")
def modelkb() -> None:
    """Keep track of Keras experiments: record, list and show them."""


def main() -> None:
    """Run the command line; the entry point of the distribution."""
    try:
        modelkb()
    except ModelKBError as error:
        click.echo(f"modelkb: {error}", err=True)
        sys.exit(1)
