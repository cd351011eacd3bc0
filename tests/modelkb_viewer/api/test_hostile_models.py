"""Models with code in them, sent by somebody who may write: the server runs none of it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

pytest.importorskip("tensorflow")

from modelkb_store import Store
from modelkb_store.architecture_file import Architecture
from modelkb_store.server.connection import Connection
from modelkb_store.server.server_target import ServerTarget
from modelkb_store.transfer.copying import copy_experiments
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    DATASET,
    ENVIRONMENT,
    IMPLEMENTATION,
    LAYER,
    MODEL,
    STARTED,
    experiment_record,
    write_weights,
)
from store_server import StoreServer

pytestmark = pytest.mark.slow


def sequential(*further: Any) -> dict[str, Any]:
    """The configuration of a model that takes four numbers."""
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])
    config: dict[str, Any] = keras.saving.serialize_keras_object(model)
    config["config"]["layers"] += further
    config.pop("compile_config", None)
    return config


def with_lambda(stolen: str) -> Any:
    import keras

    code = f"lambda x: (__import__('os').system('touch {stolen}'), x)[1]"
    return keras.saving.serialize_keras_object(keras.layers.Lambda(eval(code)))


def with_function(stolen: str) -> Any:
    """An activation that names a function of Python's own library."""
    call = {
        "module": "os",
        "class_name": "function",
        "config": "system",
        "registered_name": "system",
    }
    config = {"name": "d", "units": 2, "activation": call}
    return {"module": "keras.layers", "class_name": "Dense", "config": config}


def with_module(stolen: str) -> Any:
    """A class that is imported by its name, and called."""
    config = {"args": f"touch {stolen}", "shell": True}
    return {"module": "subprocess", "class_name": "Popen", "config": config}


def with_own_class(stolen: str) -> Any:
    return {"module": None, "class_name": "Own", "config": {}, "registered_name": "Own"}


def record(root: Path, number: int, layer: Any, *, class_name: str, definitions: str | None) -> str:
    """Record an experiment whose model has one layer more, as a hostile program might."""
    content = f"{number:02}" * 16
    writer = ExperimentWriter(root, "digits", experiment_record(number))
    architecture = Architecture(content, sequential(layer), None, "3.15.1", "tensorflow")
    row = dataclasses.replace(LAYER, architecture_id=content, class_name=class_name)
    writer.add_environment(ENVIRONMENT)
    writer.add_dataset(DATASET)
    writer.add_architecture(architecture, [row])
    implementation = None
    if definitions is not None:
        implementation = content
        writer.add_implementation(
            dataclasses.replace(IMPLEMENTATION, implementation_id=content, definitions=definitions)
        )
    writer.add_model(dataclasses.replace(MODEL, model_id=content, architecture_id=content))
    writer.add_checkpoint("end", write_weights)
    writer.set(
        status="finished",
        ended_at=STARTED + timedelta(hours=1),
        model_id=content,
        architecture_id=content,
        dataset_id=DATASET.dataset_id,
        implementation_id=implementation,
        environment_id=ENVIRONMENT.environment_id,
    )
    writer.save_experiment()
    writer.close()
    return writer.experiment.experiment_id


def test_code_in_a_model_is_not_run(store: Path, tmp_path: Path) -> None:
    stolen = tmp_path / "stolen"
    steal = f"import os\nos.system('touch {stolen}')\n\nclass Own:\n    pass\n"
    local = tmp_path / "sent"
    cases = {
        "lambda": (with_lambda, "Lambda", None),
        "lambda that no row speaks of": (with_lambda, "Dense", None),
        "lambda and definitions": (with_lambda, "Lambda", steal),
        "own class": (with_own_class, "Own", steal),
        "function": (with_function, "Dense", None),
        "module": (with_module, "Dense", None),
    }
    ids = {
        name: record(local, number, layer(str(stolen)), class_name=kind, definitions=definitions)
        for number, (name, (layer, kind, definitions)) in enumerate(cases.items(), start=10)
    }
    server = StoreServer(store)
    server.start()
    try:
        copy_experiments(Store(local).backend.tables, ServerTarget(Connection(server.address)))
        answers = {}
        for name, experiment_id in ids.items():
            where = f"{server.address}/api/v1/experiments/{experiment_id}/predictions"
            sent = {"inputs": [[1.0, 2.0, 3.0, 4.0]]}
            answer = httpx2.post(where, json=sent, timeout=120, trust_env=False)
            assert answer.headers["content-type"] == "application/problem+json", answer.text
            answers[name] = answer.status_code
            # Neither is it run to write code of the model again, or to hand the model out.
            for part in ("script", "checkpoints/end/model", "architecture", "layers"):
                where = f"{server.address}/api/v1/experiments/{experiment_id}/{part}"
                httpx2.get(where, timeout=60, trust_env=False)
    finally:
        server.stop()
    assert not stolen.exists()
    assert answers == {
        "lambda": 403,
        "lambda that no row speaks of": 403,
        "lambda and definitions": 403,
        "own class": 403,
        # Keras itself takes these for no layers, whether code may run or not.
        "function": 422,
        "module": 422,
    }
