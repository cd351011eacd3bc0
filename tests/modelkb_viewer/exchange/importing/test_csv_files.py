from __future__ import annotations

import csv
import json
import math
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanged import curves, imported_from
from modelkb_store import Experiment
from modelkb_store.history_names import history_name
from modelkb_viewer.exchange.errors import (
    DamagedSourceError,
    NoRunInFileError,
    NothingToImportError,
)
from modelkb_viewer.exchange.importing.csv_files import find_runs, read_points
from modelkb_viewer.exchange.importing.run_import import import_runs

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1
)
METRICS = NAMES.filter(
    lambda name: (
        name == name.strip()
        and name.lower() not in ("epoch", "step", "wall_time", "timestamp")
        and not name.startswith(("val_", "validation_", "test_", "\ufeff"))
    )
)
CURVES = st.dictionaries(
    st.tuples(st.sampled_from(["train", "validation"]), METRICS),
    st.lists(st.floats() | st.none(), min_size=3, max_size=3),
    min_size=1,
    max_size=4,
)


def written(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def points_of(path: Path) -> list[tuple[Any, ...]]:
    points = read_points(path, NOW)
    return [(each.epoch, each.step, each.split, each.metric, each.value) for each in points]


@given(CURVES, st.sampled_from(",;\t"), st.sampled_from(["utf-8", "utf-8-sig"]))
def test_every_value_of_every_curve_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: Any, separator: str, encoding: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    header = ["epoch", *(history_name(*curve) for curve in values), "last"]
    if max(",;\t", key=",".join(header[1:]).count) != separator and separator != ",":
        header = ["epoch", *(f"m{n}" for n in range(len(values))), "last"]
        values = {("train", f"m{n}"): each for n, each in enumerate(values.values())}
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(header)
        for epoch in range(3):
            cells = ["" if each[epoch] is None else repr(each[epoch]) for each in values.values()]
            writer.writerow([epoch, *cells, 0])
    found = {
        (point.epoch, point.split, point.metric): point.value
        for point in read_points(path, NOW)
        if point.metric != "last"
    }
    expected = {
        (epoch, *curve): value
        for curve, each in values.items()
        for epoch, value in enumerate(each)
        if value is not None
    }
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == value or (math.isnan(found[key]) and math.isnan(value))


def test_what_keras_wrote(trained: Experiment, tmp_path: Path, store: Path) -> None:
    import keras
    import numpy as np

    path = tmp_path / "logs" / "run.csv"
    path.parent.mkdir()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 2)), np.ones((8, 1))
    logger = keras.callbacks.CSVLogger(path)
    history = model.fit(x, y, validation_split=0.5, epochs=2, verbose=0, callbacks=[logger])
    (path.with_suffix(".json")).write_text(json.dumps({"units": 1, "rate": 0.01, "name": "a"}))
    back = imported_from("csv", path.parent, store)
    assert (back.project, back.record.name) == ("logs", "run")
    assert curves(back) == {
        ("train", "loss"): list(enumerate(history.history["loss"])),
        ("validation", "loss"): list(enumerate(history.history["val_loss"])),
    }
    assert back.hyperparameters() == {"units": 1, "rate": 0.01, "name": "a"}
    assert back.record.epochs_completed == 2


def test_steps_and_times(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "Wall time,Step,Value",
        "1767323045.5,100,0.5",
        "2026-01-02T03:04:06Z,200,0.25",
    )
    points = list(read_points(path, NOW))
    assert [(p.epoch, p.step, p.metric, p.value) for p in points] == [
        (100, 100, "Value", 0.5),
        (200, 200, "Value", 0.25),
    ]
    assert [p.wall_time.timestamp() for p in points] == [1767323045.5, 1767323046.0]


def test_epochs_with_steps_and_gaps(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "epoch;step;loss;val_loss;note",
        "0;10;0.5;;begun",
        "0;20;;0.75;NA",
        "",
        "1.0;30;nan;",
    )
    found = points_of(path)
    assert found[:2] == [(0, 10, "train", "loss", 0.5), (0, 20, "validation", "loss", 0.75)]
    assert found[2][:4] == (1, 30, "train", "loss")
    assert len(found) == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x,0.5", "line 3: 'x' is no epoch"),
        ("-1,0.5", "'-1' is no epoch"),
        ("0.5,0.5", "'0.5' is no epoch"),
        ("99999999999,0.5", "is no epoch"),
        (",0.5", "neither epoch nor step"),
        ("1,0,93", "line 3: it has 3 cells, and the first line has 2"),
        ('1,"0.5', "unexpected end of data"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = written(tmp_path / "a.csv", "epoch,loss", "0,1", line)
    with pytest.raises(DamagedSourceError, match=reason):
        points_of(path)
    # An empty cell at the end is no value.
    assert len(points_of(written(tmp_path / "b.csv", "epoch,loss", "0,1,", "1,2,"))) == 2


@pytest.mark.parametrize("separator", [";", "\t"])
def test_numbers_with_a_decimal_comma(tmp_path: Path, separator: str) -> None:
    lines = [
        ["wall_time", "epoch", "loss", "accuracy"],
        ["1767323045,5", "0,0", "0,93", "0.5"],
        ["1767323046,0", "1,0", "-1,5e-3", "1"],
    ]
    path = written(tmp_path / "run.csv", *(separator.join(line) for line in lines))
    assert points_of(path) == [
        (0, 0, "train", "loss", 0.93),
        (0, 0, "train", "accuracy", 0.5),
        (1, 1, "train", "loss", -0.0015),
        (1, 1, "train", "accuracy", 1.0),
    ]
    assert read_points(path, NOW)[0].wall_time.microsecond == 500_000


def test_texts_alone_are_no_curves(tmp_path: Path) -> None:
    path = written(tmp_path / "run.csv", "epoch,loss", "0,low", "1,lower")
    with pytest.raises(NoRunInFileError, match="expected numbers"):
        points_of(path)
    # A run that was ended early has nothing to say, and that is no damage.
    assert points_of(written(tmp_path / "none.csv", "epoch,loss", "0,", "1,")) == []


def test_a_file_without_epochs_is_named(tmp_path: Path, store: Path) -> None:
    written(tmp_path / "logs" / "run.csv", "epoch,loss", "0,1.5")
    (tmp_path / "logs" / "spark.csv").mkdir()
    people = written(tmp_path / "logs" / "people.csv", "name,age", "ada,36")
    picture = tmp_path / "logs" / "picture.csv"
    picture.write_bytes(b"\xff\xfe\x00")
    people_run, picture_run, run = find_runs(tmp_path / "logs", None)
    for each, path in ((people_run, people), (picture_run, picture)):
        with pytest.raises(NoRunInFileError, match=path.name):
            each()
    outcome = import_runs(str(store), "csv", [people_run, run, picture_run])
    assert len(outcome.new) == 1
    assert str(people) in outcome.passed_over[0]
    assert str(picture) in outcome.passed_over[1]
    assert all("`epoch` or `step`" in sentence for sentence in outcome.passed_over)
    assert outcome.damaged == []


def test_a_folder_holds_one_run_for_each_file(tmp_path: Path) -> None:
    for name in ("a", "deep/a", "deep/b"):
        written(tmp_path / f"{name}.csv", "epoch,loss", "0,1")
    runs = [read() for read in find_runs(tmp_path, None)]
    assert [run.name for run in runs] == ["a", "deep/a", "deep/b"]
    assert {run.project for run in runs} == {tmp_path.name}
    assert len({run.origin for run in runs}) == 3


def test_a_copy_is_the_same_run(tmp_path: Path, store: Path) -> None:
    path = written(tmp_path / "logs" / "a.csv", "epoch,loss", "0,1")
    imported_from("csv", path, store)
    os.utime(path, (1, 1))
    assert import_runs(str(store), "csv", find_runs(path, None)).unchanged == 1
    written(path, "epoch,loss", "0,1", "1,0.5")
    assert len(import_runs(str(store), "csv", find_runs(path, None)).new) == 1


def test_nothing_to_import(tmp_path: Path) -> None:
    written(tmp_path / "people.csv", "name,age", "ada,36")
    (tmp_path / "empty.csv").touch()
    for place in (tmp_path, tmp_path / "people.csv", tmp_path / "empty.csv"):
        with pytest.raises(NothingToImportError, match="`epoch` or `step`"):
            find_runs(place, None)


@pytest.mark.parametrize("text", ["{", "[1]", "1"])
def test_parameters_that_are_none(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "a.csv", "epoch,loss", "0,1")
    written(tmp_path / "a.json", text)
    (read,) = find_runs(path, None)
    with pytest.raises(DamagedSourceError, match=r"a\.json"):
        read()
