"""Options that every command takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from modelkb_store.layout import DEFAULT_STORE, STORE_VARIABLE

Command = TypeVar("Command", bound=Callable[..., Any])


def store_option(command: Command) -> Command:
    """Add ``--store PATH``: a folder, or the address of a bucket or a server."""
    return click.option(
        "--store",
        metavar="PATH",
        help="Folder or address (s3://, gs://, https://) of the store.  "
        f"[default: ${STORE_VARIABLE}, else ./{DEFAULT_STORE}]",
    )(command)


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        command
    )


def allow_host_option(command: Command) -> Command:
    """Add ``--allow-host NAME``, which may be given more than once."""
    return click.option(
        "--allow-host",
        "allowed_hosts",
        metavar="NAME",
        multiple=True,
        help="A further name under which this machine is asked, such as that of a proxy on it.",
    )(command)
