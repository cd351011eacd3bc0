"""Queries choose what DuckDB chooses, asked the same in SQL."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from held_tables import STARTED, HeldTables, TableBuilder
from modelkb_store.queries.selection import select_experiments

_WORDS = ["adam", "sgd", "Adam", "a_b", "50%", "it's", 'say "x"', "back\\slash", "ü", ""]
_TAGS = ["baseline", "final", "it's", 'a "b"']
_NAMES = {
    "name": ("text", "name"),
    "notes": ("text", "notes"),
    "params.optimizer": ("text", "optimizer"),
    "params.lr": ("number", "lr"),
    "params.`odd name.x`": ("number", "odd"),
    "params.adam.beta": ("number", "beta"),
    "epochs_completed": ("number", "epochs_completed"),
    "seed": ("number", "seed"),
    "metrics.val_loss": ("number", "last"),
    "metrics.val_loss.last": ("number", "last"),
    "metrics.val_loss.best": ("number", "low"),
    "metrics.val_loss.min": ("number", "low"),
    "metrics.val_loss.max": ("number", "high"),
    "metrics.val_loss.first": ("number", "first"),
    "metrics.val_loss@1": ("number", "second"),
    "metrics.accuracy.best": ("number", "best_accuracy"),
    "params.shuffle": ("truth", "shuffle"),
    "started_at": ("time", "started_at"),
}
_COLUMN_OF_SQL = {ours: f'"{column}"' for ours, (_, column) in _NAMES.items()}


def _runs(seed: int, count: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)

    def maybe(value: Any) -> Any:
        return None if rng.random() < 0.25 else value

    rows = []
    for number in range(count):
        curve = maybe([rng.randrange(8) / 4 for _ in range(rng.randint(1, 4))])
        accuracy = maybe([rng.randrange(8) / 4 for _ in range(rng.randint(1, 4))])
        rows.append(
            {
                "id": f"2026-{number:03d}",
                "name": rng.choice(_WORDS),
                "notes": maybe(rng.choice(_WORDS)),
                "optimizer": maybe(rng.choice(_WORDS)),
                "lr": maybe(rng.choice([0.5, 0.25, 1.0, 2.0, -1.0])),
                "odd": maybe(rng.randrange(4)),
                "beta": maybe(rng.choice([0.5, 1, 2])),
                "epochs_completed": rng.randrange(4),
                "seed": maybe(rng.choice([0, 1, 2, 1 << 40])),
                "curve": curve,
                "last": curve and curve[-1],
                "first": curve and curve[0],
                "low": curve and min(curve),
                "high": curve and max(curve),
                "second": curve[1] if curve and len(curve) > 1 else None,
                "accuracy": accuracy,
                "best_accuracy": accuracy and max(accuracy),
                "shuffle": maybe(rng.random() < 0.5),
                "started_at": STARTED + timedelta(hours=rng.randrange(72)),
                "tags": rng.sample(_TAGS, rng.randrange(3)),
            }
        )
    return rows


def _tables(rows: list[dict[str, Any]]) -> HeldTables:
    builder = TableBuilder()
    parameters = {
        "optimizer": "optimizer",
        "lr": "lr",
        "odd": "odd name.x",
        "beta": "adam.beta",
        "shuffle": "shuffle",
    }
    columns = ("name", "notes", "epochs_completed", "seed", "started_at", "tags")
    for row in rows:
        builder.experiment(
            row["id"],
            params={name: row[k] for k, name in parameters.items() if row[k] is not None},
            metrics={
                name: row[k]
                for k, name in (("curve", "val_loss"), ("accuracy", "accuracy"))
                if row[k] is not None
            },
            **{name: row[name] for name in columns},
        )
    return builder.tables()


ROWS = _runs(seed=4, count=60)
TABLES = _tables(ROWS)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    columns = [c for c in ROWS[0] if c not in ("curve", "accuracy")]
    table = pa.table(
        {name: pa.array([row[name] for row in ROWS], _TYPES.get(name)) for name in columns}
    )
    connection.register("held", table)
    connection.execute("CREATE TABLE runs AS SELECT * FROM held")
    return connection


_TYPES = {
    "started_at": pa.timestamp("us", tz="UTC"),
    "tags": pa.list_(pa.string()),
    "lr": pa.float64(),
    "beta": pa.float64(),
}


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _our_text(text: str, *, double: bool) -> str:
    return '"' + text.replace('"', '""') + '"' if double else _sql_text(text)


_NUMBERS = st.sampled_from(["0", "1", "-1", "0.5", ".25", "2.", "1e0", "25e-2", "1099511627776"])
_TIMES = st.sampled_from(["2026-11-01", "2026-11-02", "2026-11-01 10:00", "2026-11-03 00:00:00"])


@st.composite
def _literals(draw: st.DrawFn, kind: str) -> tuple[str, str]:
    if kind == "number":
        number = draw(_NUMBERS)
        return number, number
    if kind == "truth":
        truth = draw(st.sampled_from(["true", "FALSE", "True", "false"]))
        return truth, truth
    if kind == "time":
        text = draw(_TIMES)
        return _our_text(text, double=draw(st.booleans())), f"TIMESTAMPTZ '{text}'"
    text = draw(st.sampled_from(_WORDS))
    return _our_text(text, double=draw(st.booleans())), _sql_text(text)


def _named(kind: str | None = None) -> st.SearchStrategy[str]:
    return st.sampled_from([name for name, (of, _) in _NAMES.items() if kind in (None, of)])


@st.composite
def _comparisons(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(_named())
    kind, sql = _NAMES[name][0], _COLUMN_OF_SQL[name]
    operators = ["=", "==", "!=", "<>"]
    if kind != "truth":
        operators += ["<", "<=", ">", ">="]
    operator = draw(st.sampled_from(operators))
    if draw(st.booleans()):
        other = draw(_named(kind))
        ours, theirs = other, _COLUMN_OF_SQL[other]
    else:
        ours, theirs = draw(_literals(kind))
    if draw(st.booleans()):
        return f"{name} {operator} {ours}", f"({sql} {operator} {theirs})"
    return f"{ours}{operator}{name}", f"({theirs} {operator} {sql})"


@st.composite
def _memberships(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(_named())
    items = draw(st.lists(_literals(_NAMES[name][0]), min_size=1, max_size=3))
    word = draw(st.sampled_from(["in", "not in", "IN", "Not In"]))
    ours, theirs = (", ".join(item[side] for item in items) for side in (0, 1))
    return f"{name} {word} ({ours})", f"({_COLUMN_OF_SQL[name]} {word} ({theirs}))"


@st.composite
def _betweens(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(_named().filter(lambda name: _NAMES[name][0] != "truth"))
    low, high = draw(_literals(_NAMES[name][0])), draw(_literals(_NAMES[name][0]))
    word = draw(st.sampled_from(["between", "not between"]))
    ours = f"{name} {word} {low[0]} and {high[0]}"
    return ours, f"({_COLUMN_OF_SQL[name]} {word} {low[1]} AND {high[1]})"


@st.composite
def _likenesses(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(_named("text"))
    pattern = "".join(draw(st.lists(st.sampled_from([*"%_aA's\\ü5"]), max_size=4)))
    word = draw(st.sampled_from(["like", "not like", "ilike"]))
    ours = f"{name} {word} {_our_text(pattern, double=draw(st.booleans()))}"
    return ours, f"({_COLUMN_OF_SQL[name]} {word} {_sql_text(pattern)})"


@st.composite
def _absences(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(_named())
    word = draw(st.sampled_from(["is null", "is not null", "IS NULL"]))
    return f"{name} {word}", f"({_COLUMN_OF_SQL[name]} {word})"


@st.composite
def _tagged(draw: st.DrawFn) -> tuple[str, str]:
    tag = draw(st.sampled_from([*_TAGS, "none such"]))
    text = _our_text(tag, double=draw(st.booleans()))
    if draw(st.booleans()):
        return f"{text} in tags", f"list_contains(tags, {_sql_text(tag)})"
    return f"{text} not in tags", f"(NOT list_contains(tags, {_sql_text(tag)}))"


@st.composite
def _joined(draw: st.DrawFn, inner: st.SearchStrategy[tuple[str, str]]) -> tuple[str, str]:
    word = draw(st.sampled_from(["and", "or", "not", "AND", "Or"]))
    first = draw(inner)
    # No parentheses but those of some of the texts: SQL and we are to read it alike.
    shape = draw(st.sampled_from(["{}", "({})"]))
    if word == "not":
        return tuple(f"not ({text})" for text in first)  # type: ignore[return-value]
    second = draw(inner)
    return tuple(  # type: ignore[return-value]
        shape.format(f"{one} {word} {two}") for one, two in zip(first, second, strict=True)
    )


_LEAVES = st.one_of(
    _comparisons(), _memberships(), _betweens(), _likenesses(), _absences(), _tagged()
)
_CONDITIONS = st.recursive(_LEAVES, _joined, max_leaves=6)


def _chosen(where: str, **settings: Any) -> list[str]:
    table = select_experiments(TABLES, where=where, **settings)
    ids: list[str] = table["experiment_id"].to_pylist()
    return ids


@settings(max_examples=300, deadline=None)
@given(condition=_CONDITIONS)
def test_any_condition(condition: tuple[str, str], database: duckdb.DuckDBPyConnection) -> None:
    ours, sql = condition
    chosen = _chosen(ours)
    found = database.execute(f"SELECT id FROM runs WHERE {sql} ORDER BY id").fetchall()
    assert chosen == [row[0] for row in found]


@settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(st.tuples(_named(), st.booleans()), min_size=1, max_size=3),
    most=st.none() | st.integers(0, 70),
)
def test_any_order(
    keys: list[tuple[str, bool]], most: int | None, database: duckdb.DuckDBPyConnection
) -> None:
    chosen = _chosen(
        "",
        order_by=[f"{name} desc" if down else name for name, down in keys],
        limit=most,
    )
    order = ", ".join(
        f"{_COLUMN_OF_SQL[name]} {'DESC' if down else 'ASC'} NULLS LAST" for name, down in keys
    )
    limit = "" if most is None else f"LIMIT {most}"
    found = database.execute(f"SELECT id FROM runs ORDER BY {order}, id {limit}").fetchall()
    assert chosen == [row[0] for row in found]


def test_names_are_not_all_alike(database: duckdb.DuckDBPyConnection) -> None:
    for _, column in _NAMES.values():
        distinct = f'SELECT count(DISTINCT "{column}"), count("{column}") FROM runs'
        several, known = database.execute(distinct).fetchone() or (0, 0)
        assert several > 1
        assert known > 10
