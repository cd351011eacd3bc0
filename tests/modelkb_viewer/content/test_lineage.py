from __future__ import annotations

import re
from pathlib import Path

from modelkb_store import Store
from modelkb_viewer.content.lineage import lineage_of
from modelkb_viewer.figures.lineage_graph import lineage_graph
from sweep import record_run


def record(store: Path, number: int, **changes: object) -> str:
    return record_run(store, "digits", number, **changes)


def test_parents_children_and_runs_again(store: Path) -> None:
    grandparent = record(store, 0)
    parent = record(store, 1, parent_experiment_id=grandparent)
    record(store, 2, parent_experiment_id=grandparent)  # a sibling of the parent
    run = record(store, 3, parent_experiment_id=parent)
    child = record(store, 4, parent_experiment_id=run)
    again = record(store, 5, reproduces_experiment_id=run)
    lineage = lineage_of(Store(store), run)
    assert {each.experiment_id: each.generation for each in lineage.relatives} == {
        grandparent: -2,
        parent: -1,
        run: 0,
        child: 1,
        again: 1,
    }
    assert lineage.trained_further == ((grandparent, parent), (parent, run), (run, child))
    assert lineage.done_again == ((run, again),)
    assert lineage.left_out == 0


def test_a_parent_that_is_not_in_the_store_is_told(store: Path) -> None:
    run = record(store, 0, parent_experiment_id="20200101-000000000-abcdefabcd")
    first, _ = lineage_of(Store(store), run).relatives
    assert first.name is None
    assert "not in this store" in lineage_graph(lineage_of(Store(store), run))


def test_many_children_are_cut_short(store: Path) -> None:
    run = record(store, 0)
    for number in range(1, 71):
        record(store, number, parent_experiment_id=run)
    lineage = lineage_of(Store(store), run)
    assert (len(lineage.relatives), lineage.left_out) == (60, 11)


def test_runs_that_are_each_other_s_parents_end(store: Path) -> None:
    ids = [f"20260102-030405678-{1000 + number:010x}" for number in range(2)]
    record(store, 0, parent_experiment_id=ids[1])
    record(store, 1, parent_experiment_id=ids[0])
    assert len(lineage_of(Store(store), ids[0]).relatives) == 2


def test_names_are_texts_in_the_graph(store: Path) -> None:
    name = '"]; y [URL="a" label="\\N'
    parent = record(store, 0, name=name)
    run = record(store, 1, parent_experiment_id=parent)
    graph = lineage_graph(lineage_of(Store(store), run))
    (line,) = (line for line in graph.splitlines() if line.startswith("n0 ["))
    # No quote of the name ends the text, and no backslash of it escapes.
    assert re.fullmatch(r'n0 \[label="([^"\\]|\\["\\n])*", fillcolor="#\w+"\];', line)
    assert 'label=\\"\\\\N' in line
