"""``modelkb sql``: an SQL query over the tables of a store."""

from __future__ import annotations

import click

from modelkb_store import Store
from modelkb_viewer.options import json_option, store_option
from modelkb_viewer.printing import cell, print_json, print_table


@click.command("sql")
@click.argument("query")
@store_option
@json_option
def command(query: str, store: str | None, as_json: bool) -> None:
    """Answer an SQL query over the tables of a store.

    QUERY is one SELECT in DuckDB's SQL; it can only read. The tables are experiments,
    hyperparameters, metrics, metric_summaries, models, layers and the others of FORMAT.md.

    Examples:
      modelkb sql "select owner, count(*) as runs from experiments group by owner"
      modelkb sql "from metric_summaries where metric = 'loss' order by min limit 5" --json
    """
    result = Store(store).sql_table(query)
    rows = result.to_pylist()
    if as_json:
        print_json(rows)
        return
    names = result.column_names
    print_table(names, [[cell(row[name]) for name in names] for row in rows])
