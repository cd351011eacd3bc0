"""Batches by column: what is put together, what is left out, and the rows of it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np

from modelkb_callbacks.batch_block import BatchBlock, batch_blocks
from modelkb_store.log.entry import rows_of_columns

START = datetime(1970, 1, 1, tzinfo=timezone.utc)


def test_batches_with_the_same_metrics_are_one_block() -> None:
    batches = [(0, 10.0, {"acc": 0.5, "loss": 1.0}), (1, 11.0, {"acc": 0.75, "loss": 0.5})]
    assert list(batch_blocks(batches, epoch=2, first_step=6)) == [
        BatchBlock(2, [7, 8], [10.0, 11.0], {"acc": [0.5, 0.75], "loss": [1.0, 0.5]})
    ]


def test_a_metric_of_some_batches_begins_a_block() -> None:
    batches = [
        (0, 1.0, {"loss": 1.0}),
        (1, 2.0, {"loss": 0.5, "f1": 0.1}),
        (2, 3.0, {"loss": 0.25}),
    ]
    blocks = list(batch_blocks(batches, epoch=0, first_step=0))
    assert [(block.steps, list(block.metrics)) for block in blocks] == [
        ([1], ["loss"]),
        ([2], ["loss", "f1"]),
        ([3], ["loss"]),
    ]


def test_what_is_no_number_is_left_out() -> None:
    logs = {"loss": np.float32(0.5), "picture": np.zeros((2, 2)), "step": 3, "text": "a"}
    batches = [(0, 1.0, logs), (1, 2.0, None), (2, 3.0, {"picture": None})]
    (block,) = batch_blocks(batches, epoch=0, first_step=0)
    assert block == BatchBlock(0, [1], [1.0], {"loss": [0.5], "step": [3.0]})


def test_columns_are_those_of_the_table_metric_by_metric() -> None:
    block = BatchBlock(1, [5, 6], [0.0, 60.0], {"loss": [1.0, 0.5], "val_loss": [2.0, 3.0]})
    train, validation = block.columns("run")
    rows = rows_of_columns("batch_metrics", train).to_pydict()
    assert rows == {
        "experiment_id": ["run", "run"],
        "epoch": [1, 1],
        "step": [5, 6],
        "split": ["train", "train"],
        "metric": ["loss", "loss"],
        "value": [1.0, 0.5],
        "wall_time": [START, START + timedelta(minutes=1)],
    }
    assert (validation["split"], validation["metric"]) == ("validation", "loss")
    assert rows_of_columns("batch_metrics", validation)["value"].to_pylist() == [2.0, 3.0]
