"""What a shell completes from the store: experiments, projects, columns, tokens.

Whoever presses Tab waits for it and wants no message: only stores on this machine are read, and
where one cannot be, nothing is completed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from modelkb_store import Store

_MOST = 200


def experiments(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete an experiment: the last part of its id, the whole id, or its name."""
    with contextlib.suppress(Exception), _opened(context) as store:
        rows = store.table("experiments", columns=["experiment_id", "name", "project"]).to_pylist()
        rows.sort(key=lambda row: str(row["experiment_id"]), reverse=True)
        named = [
            (form, f"{row['name']} in {row['project']}")
            for row in rows
            for form in _forms(row["experiment_id"], row["name"], incomplete)
        ]
        return _that_fit(named, incomplete)
    return []


def projects(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the name of a project."""
    with contextlib.suppress(Exception), _opened(context) as store:
        names = store.table("projects", columns=["project"])["project"].to_pylist()
        return _that_fit([(name, "") for name in sorted(set(names))], incomplete)
    return []


def columns(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a column of the list of experiments, such as ``metrics.val_loss``."""
    with contextlib.suppress(Exception), _opened(context) as store:
        table = store.experiment_table(context.params.get("project"))
        return _that_fit([(name, "") for name in table.column_names], incomplete)
    return []


def tokens(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the id of a token."""
    with contextlib.suppress(Exception), _opened(context) as store:
        from modelkb_viewer.tokens import Tokens

        found = [(token.token_id, token.name) for token in Tokens(store.files).all()]
        return _that_fit(found, incomplete)
    return []


def experiments_or_files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete an experiment, or else a file."""
    found = experiments(context, parameter, incomplete) if incomplete else []
    return found or [CompletionItem(incomplete, type="file")]


@contextlib.contextmanager
def _opened(context: click.Context) -> Iterator[Store]:
    """Give the store that a command line names so far, if it is on this machine."""
    # Inside: only whoever presses Tab needs them.
    from modelkb_store.files.open_files import is_remote
    from modelkb_store.layout import resolve_store_location
    from modelkb_store.store import Store
    from modelkb_viewer.light_start import start_without_pandas

    # Of `pull` the experiments are those of the other store.
    named = context.params.get("source") or context.params.get("store")
    location = resolve_store_location(named)
    if is_remote(location):
        raise LookupError(location)
    start_without_pandas()
    yield Store(location)


def _forms(experiment_id: str, name: str, incomplete: str) -> list[str]:
    """Return how an experiment may be named; of whole ids only what is begun."""
    forms = [experiment_id.rpartition("-")[2]]
    if incomplete:
        forms += [experiment_id, name]
    return forms


def _that_fit(named: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    """Return what begins so. Shells would take a text with spaces for several."""
    found = {
        text: CompletionItem(text, help=meaning or None)
        for text, meaning in named
        if text.startswith(incomplete) and not any(map(str.isspace, text))
    }
    return list(found.values())[:_MOST]
