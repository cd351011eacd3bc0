"""How a command ends: its exit code, and its errors as text and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from modelkb_store.errors import ModelKBError

DONE = 0
FAILED = 1
INTERRUPTED = 130
# As if the signal SIGPIPE had ended it, which is what other programs do.
UNREAD = 141


def ended(work: Callable[[], object], *, as_json: bool) -> int:
    """Do the work of a command, and tell of errors.

    Errors are a sentence on standard error. For programs that asked for JSON they are also a
    document on standard output: ``{"error": {"type": .., "message": .., ..}}``.

    Args:
        work: Parses the command line and carries it out.
        as_json: Whether the command line asks for JSON.

    Returns:
        The exit code.

    Raises:
        BrokenPipeError: Nobody reads what is printed any more.
    """
    try:
        work()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else DONE
    except click.exceptions.Exit as error:
        return error.exit_code
    except BrokenPipeError:
        raise
    except (click.Abort, KeyboardInterrupt, click.ClickException, ModelKBError, OSError) as error:
        return _told(error, as_json)
    except Exception as error:  # ours to mend: its traceback is shown as well
        _print_error(as_json, type(error).__name__, str(error))
        raise
    return DONE


def _told(error: BaseException, as_json: bool) -> int:
    """Tell of an error, and return the exit code."""
    # Where something is asked, Ctrl-C comes as click's own error.
    if isinstance(error, KeyboardInterrupt) or isinstance(error.__context__, KeyboardInterrupt):
        click.echo(err=True)  # ends the line that has the terminal's ^C
        _print_error(as_json, "Interrupted", "Stopped by Ctrl-C.")
        return INTERRUPTED
    if isinstance(error, click.Abort):
        click.echo("modelkb: nothing was done.", err=True)
        _print_error(as_json, "Aborted", "Nothing was done.")
        return FAILED
    if isinstance(error, click.ClickException):
        error.show()
        _print_error(as_json, "UsageError", error.format_message())
        return error.exit_code
    click.echo(f"modelkb: {error}", err=True)
    _print_error(as_json, type(error).__name__, str(error), _facts(error))
    return FAILED


def _print_error(
    as_json: bool, kind: str, message: str, facts: dict[str, object] | None = None
) -> None:
    if as_json:
        # Inside: those who read text need no JSON.
        from modelkb_viewer.printing import print_json

        print_json({"error": {"type": kind, "message": message, **(facts or {})}})


def _facts(error: BaseException) -> dict[str, object]:
    """Return what an error says besides its text, such as the position in a query."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(error).items()
        if not name.startswith("_") and isinstance(value, (str, int, float, Path))
    }
