"""Where an experiment comes from, and what came out of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from modelkb_store import Store

_GENERATIONS = 5
_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Relative:
    """An experiment of a lineage.

    Attributes:
        experiment_id: Its id.
        name: Its name; None if it is not in this store.
        status: Its status; empty if it is not in this store.
        generation: 0 for the experiment that is asked about, less for what it came out of.
    """

    experiment_id: str
    name: str | None
    status: str
    generation: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """An experiment among its relatives.

    Attributes:
        relatives: The experiment itself, and others, those that came first before.
        trained_further: Pairs of ids: the second trained the model of the first further.
        done_again: Pairs of ids: the second does the first again.
        left_out: How many more relatives there are than are shown.
    """

    relatives: tuple[Relative, ...]
    trained_further: tuple[tuple[str, str], ...]
    done_again: tuple[tuple[str, str], ...]
    left_out: int


def lineage_of(store: Store, experiment_id: str) -> Lineage:
    """Return the experiments that one is related to, up to five generations up and down.

    Siblings are left out: what is shown are parents of parents, and children of children.
    """
    columns = ["experiment_id", "name", "status"]
    links = {"trained": "parent_experiment_id", "again": "reproduces_experiment_id"}
    rows = store.table("experiments", columns=[*columns, *links.values()]).to_pylist()
    known = {row["experiment_id"]: row for row in rows}
    up, down = defaultdict(list), defaultdict(list)
    for row in rows:
        for column in links.values():
            if row[column]:
                up[row["experiment_id"]].append(row[column])
                down[row[column]].append(row["experiment_id"])
    generation = {experiment_id: 0}
    for direction, following in ((-1, up), (1, down)):
        last = [experiment_id]
        for step in range(1, _GENERATIONS + 1):
            last = [each for one in last for each in following[one] if each not in generation]
            generation.update(dict.fromkeys(last, direction * step))
    nearest = sorted(generation, key=lambda run: (abs(generation[run]), run))[:_MOST_SHOWN]
    shown = sorted(nearest, key=lambda run: (generation[run], run))
    pairs = {
        kind: tuple(
            (known[run][column], run)
            for run in shown
            if run in known and known[run][column] in shown
        )
        for kind, column in links.items()
    }
    relatives = tuple(
        Relative(
            run,
            known[run]["name"] if run in known else None,
            known[run]["status"] if run in known else "",
            generation[run],
        )
        for run in shown
    )
    return Lineage(relatives, pairs["trained"], pairs["again"], len(generation) - len(shown))
