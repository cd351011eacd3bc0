"""The code behind a run, as far as it is known without reading it."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from modelkb_store.ids import content_id
from modelkb_store.records import ImplementationRecord


def describe_implementation(model: Any) -> ImplementationRecord:
    """Return the script's name and the model's class; source text is not read here."""
    facts = {"script": _script_name(), "model_class": _qualified_name(type(model))}
    return ImplementationRecord(
        implementation_id=content_id(facts),
        created_at=datetime.now(timezone.utc),
        script=facts["script"],
        model_class=facts["model_class"],
    )


def _script_name() -> str | None:
    """Return the main script's file name; None in a notebook or an interpreter."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(path).name if path else None


def _qualified_name(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
