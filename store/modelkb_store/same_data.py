"""Whether two descriptions are of the same data, as far as fingerprints tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OF_ALL = ("all", "epoch")


def same_data(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool | None:
    """Return whether two rows of the table ``datasets`` are of the same samples.

    Args:
        one: A row by column name; empty if nothing was recorded.
        other: Another.

    Returns:
        None where it cannot be known. FORMAT.md says when that is.
    """
    if not one or not other:
        return None
    counts = one["sample_count"], other["sample_count"]
    if None not in counts and counts[0] != counts[1]:
        return False
    scopes = {one.get("fingerprint_scope"), other.get("fingerprint_scope")}
    if (
        one["fingerprint"] is None
        or other["fingerprint"] is None
        or not scopes <= {*_OF_ALL, "rows"}
    ):
        return None
    if one["fingerprint"] == other["fingerprint"]:
        return True if "rows" not in scopes or scopes == {"rows"} else None
    # Sampled rows are others in another order; an epoch that was cut shows a part of the data.
    seen = one["fingerprint_sample_count"] == other["fingerprint_sample_count"]
    return False if "rows" not in scopes and (seen or None not in counts) else None
