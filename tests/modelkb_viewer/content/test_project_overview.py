from __future__ import annotations

from pathlib import Path

from modelkb_store import Store
from modelkb_store.records import HyperparameterRecord
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.project_overview import overview
from small_experiment import experiment_record, metric_record
from sweep import record_sweep


def test_what_experiments_have(store: Path) -> None:
    record_sweep(store, count=4)
    known = overview(Store(store), "sweep")

    assert known.varying == ("params.learning_rate", "params.optimizer", "params.batch_size")
    assert known.metrics[:2] == ("metrics.val_accuracy", "metrics.val_loss")
    assert known.tags == ["baseline"]
    assert known.default_columns == [
        *("name", "status", "epochs", "metrics.val_accuracy", "metrics.val_loss"),
        *("params.learning_rate", "params.optimizer", "params.batch_size"),
        *("started_at", "duration_seconds"),
    ]
    assert set(known.default_columns) <= set(known.columns)
    assert known.groupings[0] == "params.learning_rate"
    assert known.values("params.optimizer")[0] == "adam"


def test_every_order_is_one_of_the_language_with_words_of_its_own(store: Path) -> None:
    record_sweep(store, count=3)
    opened = Store(store)
    orders = overview(opened, "sweep").orders

    assert next(iter(orders)) == "-started_at"
    assert orders["-metrics.val_accuracy"] == "val_accuracy, highest first"
    assert list(orders).index("metrics.loss") < list(orders).index("-metrics.loss")
    assert len(set(orders.values())) == len(orders)
    for order in orders:
        assert len(opened.experiment_ids("sweep", order_by=order)) == 3


def test_constants_of_the_script_are_not_told_twice(store: Path) -> None:
    for number in range(2):
        _record(store, number, {"BATCH": str(number), "batch_size": str(number), "fixed": "1"})

    assert overview(Store(store), "odd").varying == ("params.batch_size",)


def test_settings_of_one_optimizer_among_several_are_no_columns_at_first(store: Path) -> None:
    _record(store, 0, {"optimizer": '"adam"', "optimizer.beta_1": "0.9"})
    _record(store, 1, {"optimizer": '"sgd"', "optimizer.momentum": "0.5"})
    known = overview(Store(store), "odd")

    assert "params.optimizer" in known.default_columns
    assert "params.optimizer.beta_1" not in known.default_columns
    assert {"params.optimizer.beta_1", "params.optimizer.momentum"} <= set(known.varying)


def test_names_that_would_be_alike_are_told_as_in_a_query(store: Path) -> None:
    for number in range(2):
        _record(store, number, {"loss": f'"{number}"', "odd name": str(number)})
    opened = Store(store)
    known = overview(opened, "odd")

    labels = [known.label(column) for column in known.columns]
    assert len(set(labels)) == len(labels)
    assert known.label("params.loss") == "params.loss"
    assert known.label("metrics.loss") == "metrics.loss"
    for order in known.orders:
        opened.experiment_ids("odd", order_by=order)


def _record(store: Path, number: int, values: dict[str, str]) -> None:
    record = experiment_record(number)
    writer = ExperimentWriter(store, "odd", record)
    writer.write_hyperparameters(
        [
            HyperparameterRecord(record.experiment_id, name, value, None, "scanner")
            for name, value in values.items()
        ]
    )
    writer.append_metrics([metric_record(record.experiment_id, 0, 1.0)])
    writer.close()
