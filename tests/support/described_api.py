"""How Schemathesis asks the API: with what the store has, now and then, and else with anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

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


@dataclass(slots=True)
class Asked:
    """What came of it.

    Attributes:
        operations: How many operations were asked.
        cases: How many requests were made and their answers looked at.
        failures: What is wrong, as texts: the first of each kind for each operation.
    """

    operations: int = 0
    cases: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def ask_all(
    address: str,
    settings: dict[str, Any],
    *,
    token: str | None = None,
    examples: int = 2,
    covers: bool = False,
    without: Sequence[str] = (),
) -> Asked:
    """Ask each operation of an API for all that its description allows, and for what it does not.

    Args:
        address: Where its description is.
        settings: As of :func:`record_store`.
        token: Sent with every request.
        examples: How many are made up for each operation and mode.
        covers: Whether all limits that the description names are tried as well, which is most
            of the work.
        without: Operations that are left out.
    """
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    made = {"max-examples": examples, "deterministic": True, "database": "none"}
    config = SchemathesisConfig.from_dict(
        {
            **settings,
            "seed": 7,
            "headers": headers,
            "generation": made,
            "phases": {"coverage": {"enabled": covers}, "stateful": {"enabled": False}},
            "continue-on-failure": True,
            "request-timeout": 60,
            "suppress-health-check": ["all"],
        }
    )
    schema = schemathesis.openapi.from_url(address, config=config)
    asked = Asked()
    labels = set()
    for event in from_schema(schema.exclude(operation_id=list(without))).execute():
        if isinstance(event, (events.NonFatalError, events.FatalError)):
            error = getattr(event, "value", None) or getattr(event, "exception", event)
            asked.failures.setdefault(f"{getattr(event, 'label', '')}: error", str(error))
        if isinstance(event, events.ScenarioFinished):
            labels.add(event.recorder.label)
            asked.cases += len(event.recorder.interactions)
            for kind, text in _failures(event.recorder):
                asked.failures.setdefault(kind, text)
    asked.operations = len(labels)
    return asked


def _failures(recorder: Any) -> Iterator[tuple[str, str]]:
    for checks in recorder.checks.values():
        for check in checks:
            found = check.failure_info
            if found is not None:
                yield f"{recorder.label}: {check.name}", f"{found.failure}\n{found.code_sample}"


def record_store(store: Path) -> dict[str, Any]:
    """Record some experiments, and return settings of Schemathesis to ask an API of them."""
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
    return {
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
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", *UNDOABLE]}},
        "operations": [
            {
                "include-operation-id": "removeExperiment",
                "parameters": {"path.experiment_id": _often("doomed")},
            },
            # Some of what is to be ended has not arrived: come again.
            {
                "include-operation-id": ["sealSegment", "endLog"],
                "checks": {"not_a_server_error": {"expected-statuses": ["2xx", "4xx", "503"]}},
            },
        ],
    }


def _often(name: str) -> dict[str, Any]:
    return {"dictionary": name, "probability": 0.7}


def _objects(store: Path) -> list[str]:
    files = (path for path in (store / "objects").rglob("*") if path.is_file())
    return [path.relative_to(store / "objects").as_posix() for path in files]
