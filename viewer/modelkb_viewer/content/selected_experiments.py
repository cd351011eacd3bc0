"""Several experiments at once, each with a label that no other of them has."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from modelkb_store import Store

LABEL = "label"


def selected_experiments(
    store: Store, experiment_ids: Sequence[str], project: str | None = None
) -> pd.DataFrame:
    """Return the rows of some experiments, in the order of their ids.

    Args:
        store: The store.
        experiment_ids: Whole ids; what is not there (any more) is left out.
        project: Where all are known to be in one.

    Returns:
        The columns of :meth:`Store.experiments` that one of them has, and ``label``: the
        experiment's name, with the end of its id behind it where others have the same name.

    Raises:
        CorruptFileError: A file of the store is damaged.
    """
    ids = list(dict.fromkeys(experiment_ids))
    if not ids:
        nothing: pd.DataFrame = pd.DataFrame(columns=["experiment_id", "name", LABEL], dtype="str")
        return nothing
    quoted = ", ".join("'{}'".format(each.replace("'", "''")) for each in ids)
    found = store.experiments(project, where=f"experiment_id in ({quoted})")
    place = {each: number for number, each in enumerate(ids)}
    found = found.sort_values("experiment_id", key=lambda known: known.map(place))
    labelled: pd.DataFrame = found.reset_index(drop=True)
    labelled[LABEL] = unique_labels(labelled["name"], labelled["experiment_id"])
    return labelled


def unique_labels(names: Sequence[str] | pd.Series, ids: Sequence[str] | pd.Series) -> list[str]:
    """Return a label for each experiment.

    Example:
        >>> unique_labels(["a", "base", "base"], ["1-x", "1-y", "1-z"])
        ['a', 'base (y)', 'base (z)']
    """
    known = list(names)
    often = {name for name in known if known.count(name) > 1}
    labels = [
        f"{name} ({each.rpartition('-')[2]})" if name in often else name
        for name, each in zip(known, ids, strict=True)
    ]
    # A name may look like the label of another one.
    return labels if len(set(labels)) == len(labels) else list(ids)
