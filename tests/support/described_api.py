"""How Schemathesis asks the API: with what the store has, now and then, and else with anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig

from modelkb_store import Store
from small_experiment import record_complete_experiment

# A request may be as the description says, and yet be none that can be done: a query in another
# language, a log or file that is not what its name says, an experiment that has ended.
UNDOABLE = ("400", "401", "403", "404", "409", "410", "413", "415", "422", "429", "501", "503")
BINARY = (
    "application/vnd.apache.arrow.stream",
    "application/x-npy",
    *(f"image/{name}" for name in ("bmp", "gif", "jpeg", "png", "tiff", "webp")),
)
DOOMED = 30


@schemathesis.serializer(*BINARY)
def _passed_on(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def record_store(store: Path) -> SchemathesisConfig:
    """Record some experiments, and return how an API of them is asked."""
    runs = [record_complete_experiment(store, number=number) for number in (1, 2)]
    doomed = [
        record_complete_experiment(store, "doomed", number=10 + each) for each in range(DOOMED)
    ]
    ids = [run.experiment.experiment_id for run in runs]
    known = {
        "experiments": ids,
        "doomed": [run.experiment.experiment_id for run in doomed],
        "projects": ["digits"],
        "hashes": Store(store).experiment(ids[0]).artifacts()["sha256"].tolist(),
        "objects": _objects(store),
        "targets": ["keras", "torch"],
        "pairs": [",".join(ids)],
        "metrics": ["loss", "val_loss"],
        "conditions": ["metrics.loss > 0", "status = 'finished'"],
        "queries": ["select 1", "select * from experiments"],
    }
    return SchemathesisConfig.from_dict(
        {
            "dictionaries": {name: {"values": values} for name, values in known.items()},
            "parameters": {
                "path.experiment_id": _often("experiments"),
                "path.project": _often("projects"),
                "query.project": _often("projects"),
                "path.sha256": _often("hashes"),
                "path.path": _often("objects"),
                "path.target": _often("targets"),
                "query.experiments": _often("pairs"),
                "query.metric": _often("metrics"),
                "query.where": _often("conditions"),
                "body.query": _often("queries"),
            },
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", *UNDOABLE]}
            },
            "operations": [
                {
                    "include-operation-id": "removeExperiment",
                    "parameters": {"path.experiment_id": _often("doomed")},
                }
            ],
        }
    )


def _often(name: str) -> dict[str, Any]:
    return {"dictionary": name, "probability": 0.7}


def _objects(store: Path) -> list[str]:
    files = (path for path in (store / "objects").rglob("*") if path.is_file())
    return [path.relative_to(store / "objects").as_posix() for path in files]
