from __future__ import annotations

import pytest

from modelkb_store import Store
from modelkb_viewer.content.filter_fields import (
    FieldKind,
    FilterField,
    filter_columns,
    filter_field,
    filter_label,
)
from modelkb_viewer.content.project_overview import ProjectOverview, overview
from sweep import record_sweep


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Eight runs."""
    root = tmp_path_factory.mktemp("sweep") / "store"
    record_sweep(root, count=8)
    return Store(root)


@pytest.fixture(scope="module")
def known(sweep: Store) -> ProjectOverview:
    """What they have."""
    return overview(sweep, "sweep")


@pytest.mark.parametrize(
    "field",
    [
        FilterField("status", FieldKind.CHOICE, ("finished",)),
        FilterField("tags", FieldKind.TAGS, ("baseline",)),
        FilterField("started_at", FieldKind.TIME),
        FilterField("name", FieldKind.TEXT),
        FilterField("owner", FieldKind.CHOICE, ("ada",)),
        FilterField("duration_seconds", FieldKind.NUMBER, (), 30.0, 37.0),
        FilterField("params.optimizer", FieldKind.CHOICE, ("adam", "sgd", "rmsprop")),
        FilterField("params.batch_size", FieldKind.CHOICE, (16, 32)),
        FilterField("params.learning_rate", FieldKind.NUMBER, (), 0.001, 0.008),
    ],
    ids=lambda field: field.column,
)
def test_fields(sweep: Store, known: ProjectOverview, field: FilterField) -> None:
    assert filter_field(sweep, "sweep", known, field.column) == field


def test_every_column_can_be_filtered_by(sweep: Store, known: ProjectOverview) -> None:
    columns = filter_columns(known)

    assert columns[0] == "status"
    assert columns.index("params.optimizer") < columns.index("metrics.val_loss")
    assert len({filter_label(column) for column in columns}) == len(columns)
    assert {filter_field(sweep, "sweep", known, column).column for column in columns} == {*columns}
    assert filter_label("metrics.val_loss") == "Metric: val_loss"
