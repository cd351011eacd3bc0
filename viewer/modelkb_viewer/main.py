"""The command ``modelkb``: its commands, by what people want, and how it ends."""

from __future__ import annotations

import importlib
import keyword
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import takewhile

import click
from click.shell_completion import CompletionItem, shell_complete

from modelkb_store._version import FORMAT_VERSION, __version__
from modelkb_viewer.colours import wants_colours
from modelkb_viewer.ending import UNREAD, ended
from modelkb_viewer.help_text import with_blocks
from modelkb_viewer.light_start import start_without_pandas

# Name to one line of help. A command's module is imported only when it runs, so that `ls`
# never waits for what `demo` needs.
COMMANDS = {
    "check": "Check every file of a store, and repair it.",
    "code": "Write the code of a model.",
    "compact": "Merge small files of a store into large ones.",
    "compare": "Show what differs between experiments.",
    "completion": "Have a shell complete commands, ids and projects.",
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
    "reproduce": "Run experiments again, and compare.",
    "run": "Run a script and record its trainings.",
    "scan": "Show what a script says of its training, without running it.",
    "serve": "Serve a store to other machines.",
    "show": "Show all that is recorded of experiments.",
    "sql": "Answer an SQL query over the tables of a store.",
    "token": "Make, list and revoke the tokens of a server.",
    "view": "Show a store in the browser.",
}
# As they are listed by --help.
SECTIONS = {
    "Record": ("demo", "run", "scan"),
    "Look": ("ls", "show", "compare", "find", "sql", "view"),
    "Reproduce": ("code", "regenerate", "reproduce"),
    "Share": ("push", "pull", "export", "import", "serve", "token"),
    "Maintain": ("check", "compact", "delete", "gc", "completion"),
}
# Those without --json, and why.
WITHOUT_JSON = {
    "completion": "it prints a script for a shell",
    "run": "what it prints is the script's",
    "serve": "it prints nothing but where it listens, and runs until Ctrl-C",
    "view": "it prints nothing but where it listens, and runs until Ctrl-C",
}
_WITHOUT_PANDAS = {"check", "find", "ls", "show", "sql"}
COMPLETE_VARIABLE = "_MODELKB_COMPLETE"
_EPILOG = """\b
Exit codes:
  0    done
  1    an error, or a negative judgement (check, reproduce, import)
  2    wrong usage
  130  stopped by Ctrl-C

\b
Environment:
  MODELKB_STORE  the store, where --store does not say it
  MODELKB_TOKEN  the token for a store on a server
  NO_COLOR       print without colours

`modelkb COMMAND --help` has examples of a command. docs/commands.md says what all have in common.
"""


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
        if cmd_name in _WITHOUT_PANDAS:
            start_without_pandas()
        command = importlib.import_module(module_of(cmd_name)).command
        assert isinstance(command, click.Command)
        return with_blocks(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; of one that is not there, say what it may be."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(name, COMMANDS, n=3, cutoff=0.5)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise click.UsageError(f"No such command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands for ``--help`` without importing them."""
        width = max(map(len, COMMANDS))
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{name:<{width}}", COMMANDS[name]) for name in names if name in COMMANDS]
                )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command without importing any."""
        found = [
            CompletionItem(name, help=text)
            for name, text in sorted(COMMANDS.items())
            if name.startswith(incomplete)
        ]
        return found + super(click.Group, self).shell_complete(ctx, incomplete)


@click.command(
    cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(
    __version__,
    message=f"%(prog)s %(version)s (store format {FORMAT_VERSION}, "
    f"Python {'.'.join(map(str, sys.version_info[:3]))})",
)
def modelkb() -> None:
    """Keep track of Keras experiments: record, list, show and share them."""


def main() -> None:
    """Run the command line; the entry point of the distribution."""
    _open_closed_streams()
    try:
        code = ended(_run, as_json=asks_for_json(sys.argv[1:]))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read it has seen enough. Python would complain of what it could not write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = UNREAD
    if code:
        sys.exit(code)


def _open_closed_streams() -> None:
    # Where a shell has closed one (`>&-`), Python has none at all.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON, also where it cannot be parsed.

    Example:
        >>> asks_for_json(["ls", "--json"])
        True
        >>> asks_for_json(["run", "train.py", "--json"])  # the script is asked
        False
    """
    ours = list(takewhile(lambda argument: argument != "--", arguments))
    name = next((each for each in ours if not each.startswith("-")), "")
    return "--json" in ours and name not in WITHOUT_JSON


def _run() -> None:
    # What click's own `main` does, but for its ways to end, which `ended` knows better. As
    # `python -m modelkb_viewer`, too, it is called modelkb.
    if asked := os.environ.get(COMPLETE_VARIABLE):
        sys.exit(shell_complete(modelkb, {}, "modelkb", COMPLETE_VARIABLE, asked))
    with modelkb.make_context("modelkb", sys.argv[1:], color=wants_colours()) as context:
        modelkb.invoke(context)
