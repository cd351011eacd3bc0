"""Writes the examples of the API's description: what it answers for a small store.

PYTHONPATH=tests/support python tests/support/make_api_examples.py
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from modelkb_viewer.api import description
from modelkb_viewer.api.application import make_api
from small_experiment import record_complete_experiment
from sweep import record_sweep

LONGEST_LIST = 2
LONGEST_TEXT = 60
RUN = "20260102-030405678-0000000001"
PROBES = {
    "project": "sweep",
    "experiment_id": RUN,
    "table": "metrics",
    "split": "train",
    "checkpoint": "end",
}
# What is sent, by the name of the operation.
REQUESTS: dict[str, Any] = {
    "selectExperiments": {"where": "metrics.val_loss < 1", "order_by": "-started_at", "limit": 1},
    "selectExperimentIds": {"project": "digits"},
    "readExperimentRows": {"experiment_ids": [RUN]},
    "readTable": {"columns": ["experiment_id", "value"], "where": {"metric": ["loss"]}},
    "answerSql": {"query": "select owner, count(*) as runs from experiments group by owner"},
    "editExperiment": {"tags": ["baseline"], "notes": "As in the paper."},
    "createExperiment": {
        "project": "digits",
        "name": "by hand",
        "owner": "ada",
        "tags": ["julia"],
        "hyperparameters": {"learning_rate": 0.001, "optimizer": "adam"},
        "epochs_planned": 2,
        "started_at": "2026-01-02T03:04:05Z",
    },
    "addMetrics": {
        "points": [
            {"metric": "loss", "epoch": 0, "value": 0.7},
            {"metric": "loss", "epoch": 0, "value": 0.8, "split": "validation"},
        ]
    },
    "endExperiment": {"status": "finished", "ended_at": "2026-01-02T03:05:05Z"},
    "createToken": {"name": "laptop", "scope": "write"},
}
QUERIES = {
    "compare": {"experiments": "run-1000,run-1001", "parts": ["hyperparameters", "metrics"]},
    "readTable": {},
}
# What a small store has not, or what would be another each time.
WRITTEN: dict[str, Any] = {
    "predict": {
        "request": {"inputs": [[0.0, 0.5, 1.0, 0.25]]},
        "response": {
            "experiment_id": RUN,
            "outputs": [
                {
                    "name": "kind",
                    "kind": "classes",
                    "values": [[0.9, 0.1]],
                    "labels": ["cat", "dog"],
                    "notes": [],
                }
            ],
            "steps": [],
            "warnings": [],
            "seconds": 0.004,
            "load_seconds": 0.0,
            "backend": "tensorflow",
        },
    },
    "sealSegment": {"request": {"size": 4_194_304}, "response": {"received": 4_194_304}},
    "receivePiece": {"response": {"received": 65_536}},
    "endLog": {
        "request": {"sizes": {"0": 65_536}, "modified": 1_767_323_045.0},
        "response": {"received": 65_536},
    },
    "showImported": {"request": [RUN]},
    "listReproductions": {
        "response": [
            {
                "experiment_id": "20260103-030405678-0000000002",
                "status": "finished",
                "started_at": "2026-01-03T03:04:05.678000Z",
                "epochs_completed": 3,
                "epochs_planned": 3,
                "verdict": "identical",
                "causes": [],
            }
        ]
    },
    "listPredictions": {
        "response": [
            {
                "prediction_id": "20260103-030405678-00000000aa",
                "model_id": "c1" * 16,
                "created_at": "2026-01-03T03:04:05.678000+00:00",
                "source": "viewer",
                "input_shapes": "[[1,4]]",
                "sample_count": 1,
                "batch_size": None,
                "duration_seconds": 0.004,
                "output_summary": None,
            }
        ]
    },
    "createToken": {
        "request": REQUESTS["createToken"],
        "response": {
            "token_id": "0123456789",
            "name": "laptop",
            "scope": "write",
            "project": None,
            "created_at": "2026-01-02T03:04:05Z",
            "token": "mkb_0123456789_" + "x" * 43,
        },
    },
    "listTokens": {
        "response": [
            {
                "token_id": "0123456789",
                "name": "laptop",
                "scope": "write",
                "project": None,
                "created_at": "2026-01-02T03:04:05Z",
            }
        ]
    },
    "listDeletedExperiments": {"response": [RUN]},
    "listWrites": {
        "response": [
            {
                "at": "2026-01-02T03:04:05Z",
                "token_id": "0123456789",
                "token_name": "laptop",
                "address": "127.0.0.1",
                "method": "PATCH",
                "route": "/experiments/{experiment_id}",
                "parameters": {"experiment_id": RUN, "project": "digits"},
                "status": 200,
                "count": 1,
                "until": None,
            }
        ]
    },
    "restoreExperiment": {},
}


def main() -> None:
    """Write the file beside the module that reads it."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "modelkb"
        record_complete_experiment(store)
        record_sweep(store)
        os.environ["MODELKB_STORE"] = str(store)
        app = make_api()
        found = _examples(TestClient(app), app.openapi())
    target = Path(description.__file__).with_name("examples.json")
    target.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _examples(client: TestClient, described: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    by_hand = ""
    for path, method, operation in description.operations_of(described):
        name = operation["operationId"]
        if name in WRITTEN or name in ("removeExperiment", "revokeToken", "followExperiment"):
            found[name] = WRITTEN.get(name, {})
            continue
        if "{path}" in path or "{sha256}" in path or "/imports" in path:
            continue
        run = by_hand if name in ("addMetrics", "endExperiment") else RUN
        sent = REQUESTS.get(name)
        filled = path.format(**{**PROBES, "experiment_id": run, "target": "keras"})
        answer = client.request(method.upper(), filled, json=sent, params=QUERIES.get(name))
        answer.raise_for_status()
        found[name] = {} if sent is None else {"request": sent}
        if answer.headers.get("content-type") == "application/json":
            found[name]["response"] = _shortened(answer.json())
        if name == "createExperiment":
            by_hand = answer.json()["experiment_id"]
    found["restoreExperiment"] = {"response": found["getExperiment"]["response"]}
    return {name: each for name, each in sorted(found.items()) if each}


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shortened(each) for each in value[:LONGEST_LIST]]
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}.."
    return value


if __name__ == "__main__":
    main()
