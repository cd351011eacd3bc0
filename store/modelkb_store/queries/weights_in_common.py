"""Which experiments have stored weights in common with another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.text_column import numpy_of, positions_in

if TYPE_CHECKING:
    from modelkb_store.tables import Tables


def weights_of(tables: Tables, experiment_id: str, layer: str | None) -> tuple[list[str], set[str]]:
    """Return the weights of an experiment's checkpoints that tell something if shared.

    That are variables of a model, and not of its optimizer, with two axes or more and more
    than one value: biases, scales and counters begin as zeros or ones and may stay so.

    Args:
        tables: The tables of a store.
        experiment_id: The experiment.
        layer: Only weights with this name on their path.

    Returns:
        Ids of variables, and all names on the paths of the experiment's weights.
    """
    checkpoints = tables.read(
        "checkpoints",
        None,
        ["variable_paths", "variable_ids"],
        where={"experiment_id": [experiment_id]},
    )
    names: set[str] = set()
    found: set[str] = set()
    for row in checkpoints.to_pylist():
        pairs = zip(row["variable_paths"] or (), row["variable_ids"] or (), strict=False)
        for path, variable_id in pairs:
            parts = path.split("/")
            if parts[0] == "optimizer":
                continue
            names.update(parts)
            if layer is None or layer in parts:
                found.add(variable_id)
    variables = tables.read(
        "variables", None, ["variable_id", "shape"], where={"variable_id": sorted(found)}
    )
    kept = {row["variable_id"] for row in variables.to_pylist() if _tells(row["shape"])}
    return sorted(found & kept), names


def runs_with_weights(
    tables: Tables, project: str | None, variable_ids: list[str], ids: pa.Array
) -> npt.NDArray[np.bool_]:
    """Return which experiments have at least one of some variables in a checkpoint."""
    found = np.zeros(len(ids), bool)
    checkpoints = tables.read("checkpoints", project, ["experiment_id", "variable_ids"])
    if not checkpoints.num_rows or not variable_ids:
        return found
    lists = checkpoints["variable_ids"].combine_chunks()
    texts = pc.list_flatten(lists).cast(pa.string())
    shared = pc.is_in(texts, value_set=pa.array(variable_ids, pa.string()))
    rows = numpy_of(pc.list_parent_indices(lists).filter(shared))
    runs = positions_in(checkpoints["experiment_id"], ids)[rows]
    found[runs[runs >= 0]] = True
    return found


def _tells(shape: list[Any] | None) -> bool:
    return shape is not None and len(shape) >= 2 and int(np.prod(shape)) > 1
