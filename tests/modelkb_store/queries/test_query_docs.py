"""The page about the language is true: every example is asked of a small store."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelkb_store.queries import select_experiments
from modelkb_store.queries.grammar import GRAMMAR, SYMBOLS
from modelkb_store.queries.relations import FUNCTIONS
from parquet_tables import ParquetTables, add_experiment, experiment_id

PAGE = (Path(__file__).parents[3] / "docs" / "queries.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
CONDITIONS = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]
ORDERS = [line for kind, block in BLOCKS if kind == "order" for line in block.splitlines()]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> ParquetTables:
    made = ParquetTables(tmp_path_factory.mktemp("tables"))
    of_both = {"epochs": "3", "batch_size": "32", "augment": "true", "shuffle": "false"}
    params = {
        **of_both,
        "learning_rate": "0.005",
        "optimizer": '"adam"',
        "momentum": "0.5",
        "layers": "[64, 32]",
        "my own name": "3",
        "optimizer.momentum": "0.9",
    }
    columns = {"architecture_id": "a", "dataset_id": "d", "model_id": "m", "environment_id": "e"}
    for number in (1, 2):
        add_experiment(
            made,
            number,
            params={**params, "learning_rate": f"0.00{number}"},
            metrics={
                ("train", "loss"): [0.9, 0.5],
                ("validation", "accuracy"): [0.95, 0.92],
                ("validation", "loss"): [0.5, 0.6],
            },
            tags=["baseline"],
            **columns,
        )
    made.write("models", [{"model_id": "m", "parameter_count": 500}])
    made.write("environments", [{"environment_id": "e", "backend": "tensorflow"}])
    config = '{"filters": 64, "units": 10, "rate": 0.5, "kernel_size": [3, 3], "activation": "x"}'
    classes = ("InputLayer", "Conv2D", "BatchNormalization", "Activation", "Dense", "Dropout")
    rows = [
        {
            "architecture_id": "a",
            "position": position,
            "path": name.lower(),
            "name": name.lower(),
            "class_name": name,
            "inbound": [classes[position - 1].lower()] if position else [],
            "trainable": True,
            "parameter_count": 100,
            "config": config,
        }
        for position, name in enumerate(classes)
    ]
    made.write("layers", rows)
    weights = {"variable_paths": ["conv2d/kernel"], "variable_ids": ["w"]}
    made.write("checkpoints", [{"experiment_id": experiment_id(n), **weights} for n in (1, 2)])
    made.write("variables", [{"variable_id": "w", "shape": [3, 3]}])
    return made


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_of_the_page(tables: ParquetTables, condition: str) -> None:
    assert select_experiments(tables, where=condition).num_rows in (0, 1, 2)


@pytest.mark.parametrize("order", ORDERS)
def test_orders_of_the_page(tables: ParquetTables, order: str) -> None:
    assert select_experiments(tables, order_by=order).num_rows == 2


def test_some_examples_find_what_they_say(tables: ParquetTables) -> None:
    found = {text: select_experiments(tables, where=text).num_rows for text in CONDITIONS}

    assert found["params.learning_rate < 0.01 and metrics.val_accuracy > 0.9"] == 2
    assert found["has(Conv2D(filters >= 64) -> BatchNormalization) and model.depth > 3"] == 2
    assert found["differs('run-1', only='optimizer')"] == 1
    assert found["shares_weights('run-1', 'conv2d')"] == 1


def test_all_of_the_language_is_on_the_page() -> None:
    keywords = re.findall(r"^[A-Z_]+\.3: /\(?([a-z|?]+)", GRAMMAR, re.MULTILINE)
    words = {word.removeprefix("i?") for group in keywords for word in group.split("|")}
    assert len(words) > 12
    for word in {*words - {"none", "asc"}, *FUNCTIONS}:
        assert re.search(rf"\b{word}\b", PAGE), word
    terminals = set(re.findall(r"^([A-Z_]+)(?:\.\d)?:", GRAMMAR, re.MULTILINE))
    assert terminals <= set(SYMBOLS)
