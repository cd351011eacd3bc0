"""From what a person types to the one experiment that is meant."""

from __future__ import annotations

from collections.abc import Sequence

from modelkb_store.errors import AmbiguousIdError, ExperimentNotFoundError

# What an id from elsewhere may be.
EXPERIMENT_ID = "[0-9A-Za-z][0-9A-Za-z-]{0,99}"


def resolve_experiment_id(wanted: str, ids: Sequence[str], names: Sequence[str]) -> str:
    """Return the whole id of an experiment.

    Args:
        wanted: The id; or as much as is unique of its beginning or of its last part, the ten
            characters after the last dash; or the experiment's name, which goes first.
        ids: The ids of all experiments.
        names: Their names, in the same order.

    Raises:
        ExperimentNotFoundError: None has this id.
        AmbiguousIdError: Several do.

    Example:
        >>> resolve_experiment_id("9f1c", ["20261123-142233512-9f1c2b7a4d"], ["first"])
        '20261123-142233512-9f1c2b7a4d'
    """
    if wanted in ids:
        return wanted
    named = [each for each, name in zip(ids, names, strict=True) if wanted and name == wanted]
    matches = named or [each for each in ids if wanted and _begins(each, wanted)]
    if not matches:
        raise ExperimentNotFoundError(wanted, [*ids, *names])
    if len(matches) > 1:
        raise AmbiguousIdError(wanted, matches)
    return matches[0]


def _begins(experiment_id: str, wanted: str) -> bool:
    return experiment_id.startswith(wanted) or experiment_id.rpartition("-")[2].startswith(wanted)
