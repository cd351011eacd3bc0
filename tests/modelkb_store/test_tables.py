from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelkb_store import SCHEMAS, CorruptFileError, Experiment
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store, table_file
from modelkb_store.log.entry import Action, columns_of, encode_entry
from modelkb_store.log.log_name import LogName
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import ENVIRONMENT, metric_record

WriterFactory = Callable[..., ExperimentWriter]


@pytest.fixture
def tables(store: Path) -> Tables:
    """The tables of an empty store."""
    files = LocalFiles(store)
    create_store(files)
    return Tables(files)


@pytest.fixture
def two_projects(writer_factory: WriterFactory) -> list[ExperimentWriter]:
    """A run that ended in each of two projects, with one metric."""
    writers = [writer_factory(project) for project in ("cats & dogs", "digits")]
    for number, writer in enumerate(writers):
        writer.append_metrics([metric_record(writer.experiment.experiment_id, 0, float(number))])
        writer.close()
    return writers


def metrics_file(writer: ExperimentWriter) -> Path:
    """Return where the curves of a run that ended are."""
    stem = f"{writer.experiment.experiment_id}-0000"
    return writer.files.local_path(table_file("metrics", writer.project, stem))


@pytest.mark.parametrize("table", SCHEMAS)
def test_a_table_without_files_is_empty(tables: Tables, table: str) -> None:
    read = tables.read(table)

    assert read.num_rows == 0
    assert read.schema.names == ["project", *SCHEMAS[table].names]


@pytest.mark.parametrize("table", SCHEMAS)
def test_a_table_has_its_schema(
    tables: Tables, recorded_experiment: Experiment, table: str
) -> None:
    read = tables.read(table)

    assert read.schema.names == ["project", *SCHEMAS[table].names]
    for field in SCHEMAS[table]:
        assert read.schema.field(field.name).type == field.type
    assert set(read["project"].to_pylist()) <= {recorded_experiment.project}


@pytest.mark.usefixtures("two_projects")
def test_a_table_holds_all_projects(tables: Tables) -> None:
    assert sorted(tables.read("metrics")["project"].to_pylist()) == ["cats & dogs", "digits"]


@pytest.mark.usefixtures("two_projects")
def test_a_table_of_one_project(tables: Tables) -> None:
    assert tables.read("metrics", "digits")["value"].to_pylist() == [1.0]
    assert tables.read("metrics", "cats & dogs")["value"].to_pylist() == [0.0]
    assert tables.read("metrics", "unknown").num_rows == 0


@pytest.mark.usefixtures("two_projects")
def test_as_if_there_were_one_project(tables: Tables) -> None:
    limited = tables.of_project("digits")

    for project in (None, "digits"):
        assert limited.read("metrics", project)["project"].to_pylist() == ["digits"]
    for table in SCHEMAS:
        other = limited.read(table, "cats & dogs", where={})
        assert other.num_rows == 0
        assert other.schema == limited.read(table).schema
    assert limited.read("metrics", "cats & dogs", ["value"]).column_names == ["value"]
    rows = limited.consistently(lambda now: now.read("experiments", None, ["project"]))
    assert rows["project"].to_pylist() == ["digits"]
    assert tables.read("metrics").num_rows == 2


def test_a_log_voids_nothing_of_another_project(
    tables: Tables, two_projects: list[ExperimentWriter]
) -> None:
    experiment = two_projects[1].experiment
    name = LogName.further("project=faces", experiment.experiment_id)
    begin = {"experiment_id": experiment.experiment_id, "segment": 0, "begun": 0.0}
    lines = encode_entry(Action.BEGIN, "", begin)
    lines += encode_entry(Action.CUT, "", {"epoch": 0})
    lines += encode_entry(Action.PUT, "experiments", columns_of("experiments", [experiment]))
    tables.files.write(name.segment(0), lines)

    assert tables.read("metrics", "digits").num_rows == 1
    assert tables.read("experiments", "digits").num_rows == 1


@pytest.mark.usefixtures("two_projects")
def test_some_columns(tables: Tables) -> None:
    read = tables.read("metrics", "digits", ["value", "project"])

    assert read.to_pylist() == [{"value": 1.0, "project": "digits"}]


def test_the_rows_of_one_experiment(tables: Tables, two_projects: list[ExperimentWriter]) -> None:
    experiment_id = two_projects[1].experiment.experiment_id

    assert tables.of_experiment("metrics", "digits", experiment_id)["value"].to_pylist() == [1.0]
    assert tables.of_experiment("experiments", "digits", experiment_id).num_rows == 1
    assert tables.of_experiment("artifacts", "digits", experiment_id).num_rows == 0
    assert tables.of_experiment("metrics", "digits", "unknown").num_rows == 0


def test_the_rows_of_a_shared_entity(tables: Tables, writer_factory: WriterFactory) -> None:
    writer_factory().add_environment(ENVIRONMENT)

    read = tables.of_entity("environments", "digits", ENVIRONMENT.environment_id)
    assert read["cpu"].to_pylist() == [ENVIRONMENT.cpu]
    assert tables.of_entity("environments", "digits", "unknown").num_rows == 0
    assert tables.of_entity("environments", "digits", None).num_rows == 0


def test_files_that_are_being_written_are_passed_over(
    tables: Tables, two_projects: list[ExperimentWriter]
) -> None:
    for writer in two_projects:
        path = metrics_file(writer)
        path.with_name(".0123abcd.tmp").write_bytes(path.read_bytes()[:100])

    experiment_id = two_projects[0].experiment.experiment_id
    assert tables.read("metrics").num_rows == 2
    assert tables.of_experiment("metrics", "cats & dogs", experiment_id).num_rows == 1


def test_a_damaged_file_among_good_ones_is_named(
    tables: Tables, two_projects: list[ExperimentWriter]
) -> None:
    writer = two_projects[1]
    experiment_id = writer.experiment.experiment_id
    path = metrics_file(writer)
    path.write_bytes(path.read_bytes()[:-20])

    for read in (
        lambda: tables.read("metrics"),
        lambda: tables.of_experiment("metrics", "digits", experiment_id),
    ):
        with pytest.raises(CorruptFileError, match=re.escape(str(path))) as caught:
            read()
        assert caught.value.path == path


def test_a_damaged_file_takes_nothing_else_with_it(
    tables: Tables, two_projects: list[ExperimentWriter]
) -> None:
    whole, damaged = two_projects
    path = metrics_file(damaged)
    path.write_bytes(b"")

    assert tables.read("metrics", "cats & dogs").num_rows == 1
    assert tables.of_experiment("metrics", whole.project, whole.experiment.experiment_id).num_rows
    path.unlink()
    assert tables.read("metrics").num_rows == 1


def test_a_file_with_other_types_is_named(
    tables: Tables, two_projects: list[ExperimentWriter]
) -> None:
    foreign = metrics_file(two_projects[1]).with_name("foreign.parquet")
    pq.write_table(pa.table({name: ["text"] for name in SCHEMAS["metrics"].names}), foreign)

    with pytest.raises(CorruptFileError, match=re.escape(str(foreign))):
        tables.read("metrics")


@pytest.mark.parametrize("place", ["project=x/modelkb", ".hidden/_too", "100%25 é", "a b/%20"])
@pytest.mark.usefixtures("two_projects")
def test_a_store_may_lie_anywhere(store: Path, tmp_path: Path, place: str) -> None:
    shutil.copytree(store, tmp_path / place / "inside")

    read = Tables(LocalFiles(tmp_path / place / "inside")).read("metrics")

    assert sorted(read["project"].to_pylist()) == ["cats & dogs", "digits"]


@pytest.mark.usefixtures("two_projects")
@pytest.mark.parametrize("table", ["projects", "experiments", "metrics"])
def test_the_column_that_is_in_no_file(tables: Tables, table: str) -> None:
    read = tables.read(table, columns=["project"])

    assert read.to_pylist() == [{"project": "cats & dogs"}, {"project": "digits"}]
