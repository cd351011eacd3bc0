"""What the arguments and options of commands have in common: names, forms, completion."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from modelkb_store.errors import InvalidSettingError
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.completing import columns, experiments, projects

LOOPBACK = "127.0.0.1"
Command = TypeVar("Command", bound=Callable[..., Any])


def store_option(command: Command) -> Command:
    """Add ``--store PATH``: a folder, or the address of a bucket or a server."""
    return _store_option("s3://, gs://, https://")(command)


def store_files_option(command: Command) -> Command:
    """Add ``--store PATH`` to a command that needs the files themselves: no server's address."""
    return _store_option("s3://, gs://")(command)


def _store_option(schemes: str) -> Callable[[Command], Command]:
    return click.option(
        "--store",
        metavar="PATH",
        type=click.Path(),
        help=f"Folder or address ({schemes}) of the store.  "
        "[default: $MODELKB_STORE, else ./modelkb]",
    )


def listening_options(default_port: int) -> Callable[[Command], Command]:
    """Add ``--port`` and ``--address``: where a server listens, by default for this machine."""

    def add(command: Command) -> Command:
        with_address = click.option(
            "--address",
            default=LOOPBACK,
            show_default=True,
            help="The network address to listen on.",
        )(command)
        return click.option(
            "--port",
            type=click.IntRange(1, 65535),
            help=f"Where to listen.  [default: {default_port}, or the next that is free]",
        )(with_address)

    return add


def served_location(store: str | None) -> str:
    """Return the place of the store that a server is started for.

    Raises:
        InvalidSettingError: It is a file.
    """
    location = resolve_store_location(store)
    if os.path.isfile(location):
        raise InvalidSettingError("store", location, "a folder, not a file")
    return location


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        command
    )


def project_option(
    what: str = "Only this project's experiments.",
) -> Callable[[Command], Command]:
    """Add ``--project NAME``.

    Args:
        what: What is done with it.
    """
    return click.option("--project", metavar="NAME", help=what, shell_complete=projects)


def output_option(
    what: str, *, metavar: str = "FILE", required: bool = False
) -> Callable[[Command], Command]:
    """Add ``-o``, ``--output``.

    Args:
        what: What is written there.
        metavar: What is named.
        required: Whether it cannot be printed instead.
    """
    return click.option(
        "-o", "--output", metavar=metavar, type=click.Path(), required=required, help=what
    )


def yes_option(command: Command) -> Command:
    """Add ``--yes``."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(command)


def experiment_argument(command: Command) -> Command:
    """Add ``ID``: one experiment."""
    return click.argument("experiment_id", metavar="ID", shell_complete=experiments)(command)


def experiments_argument(*, required: bool = False) -> Callable[[Command], Command]:
    """Add ``ID...``: experiments.

    Args:
        required: Whether there has to be one.
    """
    return click.argument(
        "ids",
        nargs=-1,
        required=required,
        metavar="ID..." if required else "[ID]...",
        shell_complete=experiments,
    )


def order_options(command: Command) -> Command:
    """Add ``--order-by COLUMN`` and ``--limit N``."""
    command = click.option(
        "--limit", type=click.IntRange(min=0), metavar="N", help="No more than these."
    )(command)
    return click.option(
        "--order-by",
        metavar="COLUMN",
        multiple=True,
        shell_complete=columns,
        help="Sort by it; with - in front from large to small. May be given again.",
    )(command)


def allow_host_option(command: Command) -> Command:
    """Add ``--allow-host NAME``, which may be given more than once."""
    return click.option(
        "--allow-host",
        "allowed_hosts",
        metavar="NAME",
        multiple=True,
        help="A further name under which this machine is asked, such as that of a proxy on it.",
    )(command)
