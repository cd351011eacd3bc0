"""A store on a server answers what the same store answers here: every method, every error."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from modelkb_store import Experiment, Store
from modelkb_store.errors import NotOverServerError, StoreUnreachableError
from modelkb_store.files.open_files import open_files
from modelkb_store.schemas import SCHEMAS
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.main import modelkb
from small_experiment import experiment_record, metric_record, record_complete_experiment
from store_server import StoreServer
from viewer_server import free_port

pytestmark = pytest.mark.slow  # a server is a process

RUN = "20260102-030405678-0000000001"
OTHER = "20260102-030405678-0000000002"
# What is asked of both, by method. Errors are results, too.
OF_STORE: dict[str, list[Callable[[Store], Any]]] = {
    "projects": [lambda s: s.projects()],
    "project_table": [lambda s: s.project_table()],
    "experiments": [
        lambda s: s.experiments(),
        lambda s: s.experiments("digits", order_by="-metrics.loss", limit=1),
        lambda s: s.experiments(where="metrics.val_loss > 0.5 and params.epochs = 3"),
        lambda s: s.experiments(where="params.nothing > 1"),
        lambda s: s.experiments(where="status = 'running'", order_by=["owner", "-name"]),
        lambda s: s.experiments(where="status = 'nothing' and params.learning_rate > 0"),
        lambda s: s.experiments(where="owner = = 3"),
        lambda s: s.experiments(where="owner > 3"),
        lambda s: s.experiments(limit=-1),
        lambda s: s.experiments("no such project"),
    ],
    "experiment_table": [lambda s: s.experiment_table("zoo é/%41", limit=2)],
    "experiment_ids": [
        lambda s: s.experiment_ids(),
        lambda s: s.experiment_ids(where="has(Dense)", order_by="-started_at"),
    ],
    "experiment_rows": [
        lambda s: s.experiment_rows([OTHER, "nothing", RUN]),
        lambda s: s.experiment_rows([], "digits"),
    ],
    "table": [
        *(lambda s, t=table: s.table(t) for table in SCHEMAS),
        lambda s: s.table("metrics", "digits", ["value", "project"], where={"metric": ["loss"]}),
        lambda s: s.table("nothing"),
        lambda s: s.table("metrics", columns=["nothing"]),
        lambda s: s.table("metrics", where={"epoch": ["1"]}),
    ],
    "experiment": [
        lambda s: dataclasses.asdict(s.experiment(RUN).record),
        lambda s: s.experiment("run-2").id,
        lambda s: s.experiment("2026010"),
        lambda s: s.experiment("nothing/such?"),
    ],
    "metrics": [lambda s: s.metrics(), lambda s: s.metrics([RUN], "val_loss")],
    "sql": [
        lambda s: s.sql(
            "select project, count(*) n, max(value) v from metrics group by 1 order by 1"
        ),
        lambda s: s.sql("select * from nothing"),
        lambda s: s.sql("drop table metrics"),
    ],
    "sql_table": [lambda s: s.sql_table("select started_at, tags from experiments order by name")],
}


def variables_in(path: Path) -> dict[str, Any]:
    """Return the values in an HDF5 file, whose bytes tell when it was written."""
    found: dict[str, Any] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tolist()

    with h5py.File(path) as file:
        file.visititems(note)
    assert found
    return found


PLAIN = ["architecture", "architecture_path", "artifacts", "batch_metrics", "checkpoints"]
PLAIN += ["environment", "epochs", "evaluations", "hyperparameters", "implementation", "layers"]
PLAIN += ["metrics", "model", "predictions", "resources"]
OF_EXPERIMENT: dict[str, list[Callable[[Experiment, Path], Any]]] = {
    "table": [
        *(
            lambda e, _, t=table: e.table(t)
            for table, schema in SCHEMAS.items()
            if "experiment_id" in schema.names
        ),
        lambda e, _: e.table("models"),
    ],
    "confusion_matrix": [
        lambda e, _: e.confusion_matrix(),
        lambda e, _: e.confusion_matrix("train"),
    ],
    "dataset": [lambda e, _: e.dataset(), lambda e, _: e.dataset("validation")],
    "same_data": [lambda e, _: e.same_data(e)],
    "read_artifact": [
        lambda e, _: e.read_artifact(e.artifacts()["sha256"][0]),
        lambda e, _: e.read_artifact("0" * 64),
    ],
    "save_weights": [
        lambda e, folder: variables_in(e.save_weights(folder / "w.weights.h5")),
        lambda e, folder: e.save_weights(folder / "w.weights.h5", "best"),
    ],
    "save_model": [lambda e, folder: e.save_model(folder / "m.keras").stat().st_size],
    "load_model": [lambda e, _: e.load_model("best")],
    "description": [lambda e, _: e.description()],
    "script": [lambda e, _: e.script()],
    "save_script": [lambda e, folder: [p.read_text() for p in e.save_script(folder / "s.py")]],
    **{name: [lambda e, _, n=name: getattr(e, n)()] for name in PLAIN},
}
# Each has a test of its own.
EDITING = {"set_tags", "set_notes"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with runs of two projects, one of which goes on."""
    store = tmp_path_factory.mktemp("served") / "modelkb"
    record_complete_experiment(store, "digits", 1, tags=("a", "b"))
    record_complete_experiment(store, "digits", 2, owner="bob")
    return store


@pytest.fixture(scope="module")
def served(recorded: Path) -> Iterator[StoreServer]:
    """The same store, served."""
    server = StoreServer(recorded)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def running(recorded: Path) -> Iterator[ExperimentWriter]:
    """A run of another project that goes on, so that rows are in a log."""
    writer = ExperimentWriter(recorded, "zoo é/%41", experiment_record(3))
    run = writer.experiment.experiment_id
    points = [metric_record(run, 0, float("nan")), metric_record(run, 1, float("inf"))]
    writer.append_metrics(points)
    yield writer
    writer.close()


def outcome(ask: Callable[[], Any]) -> Any:
    """Return what a call returns, or which error it raises, in a form that can be compared."""
    try:
        return comparable(ask())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the same in both
        return type(error), str(error), getattr(error, "position", None)


def comparable(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return comparable(pa.Table.from_pandas(value)), value.dtypes.to_dict(), list(value.columns)
    if isinstance(value, pa.Table):
        rows = [{k: repr(v) for k, v in row.items()} for row in value.to_pylist()]
        return value.schema.remove_metadata(), rows
    if isinstance(value, np.ndarray):
        return value.dtype, value.tolist()
    return value


def test_everything_public_is_asked() -> None:
    """Also what is added later: a method, a property or an attribute."""
    of_store = {*OF_STORE, "uri", "of_project"}
    for kind, asked in ((Store, of_store), (Experiment, {*OF_EXPERIMENT, *EDITING})):
        assert {name for name in dir(kind) if not name.startswith("_")} == asked


def test_what_is_known_without_asking(
    recorded: Path, served: StoreServer, running: ExperimentWriter
) -> None:
    here, there = Store(recorded), Store(served.address)
    assert {name for name in vars(there) if not name.startswith("_")} == {"backend", "files"}
    assert (there.uri, there.files.uri, there.backend.uri) == (served.address,) * 3
    assert repr(there) == repr(here).replace(here.uri, there.uri)
    for wanted in (RUN, "run-3"):
        found, expected = (store.experiment(wanted) for store in (there, here))
        assert repr(found) == repr(expected)
        known = {k: v for k, v in vars(expected).items() if not k.startswith("_")}
        assert {k: v for k, v in vars(found).items() if not k.startswith("_")} == known
        assert set(known) == {"id", "project", "record"}


def test_one_project_alone_is_a_matter_of_the_token(served: StoreServer) -> None:
    with pytest.raises(NotOverServerError, match="'digits' alone"):
        Store(served.address).of_project("digits")


@pytest.mark.parametrize("line", [["check"], ["compact"], ["gc"], ["token", "list"]])
def test_commands_that_take_the_files_of_a_store(served: StoreServer, line: list[str]) -> None:
    with pytest.raises(NotOverServerError, match="--store FOLDER"):
        modelkb([*line, "--store", served.address], standalone_mode=False)


@pytest.mark.parametrize("method", OF_STORE)
def test_a_store(
    recorded: Path, served: StoreServer, running: ExperimentWriter, method: str
) -> None:
    here, there = Store(recorded), Store(served.address)
    for number, ask in enumerate(OF_STORE[method]):
        result = outcome(lambda ask=ask: ask(here))
        assert outcome(lambda ask=ask: ask(there)) == result, number


@pytest.mark.parametrize("method", OF_EXPERIMENT)
@pytest.mark.parametrize("wanted", [RUN, "run-3"])
def test_an_experiment(
    recorded: Path,
    served: StoreServer,
    running: ExperimentWriter,
    tmp_path: Path,
    method: str,
    wanted: str,
) -> None:
    here, there = (Store(place).experiment(wanted) for place in (recorded, served.address))
    for number, ask in enumerate(OF_EXPERIMENT[method]):
        expected = outcome(lambda ask=ask: ask(here, tmp_path))
        found = outcome(lambda ask=ask: ask(there, tmp_path))
        assert found == expected, (number, found)


def test_tags_and_notes_are_edited_beside_others(recorded: Path, served: StoreServer) -> None:
    first, second = (Store(served.address).experiment(OTHER) for _ in range(2))
    Store(recorded).experiment(OTHER).set_tags(["here"])
    first.set_tags(["one"])
    second.set_tags(["two"])
    second.set_notes("seen there")

    assert sorted(second.record.tags) == ["here", "one", "two"]
    assert second.record.notes == "seen there"
    assert (
        Store(recorded).experiment(OTHER).record == Store(served.address).experiment(OTHER).record
    )
    too_long = outcome(lambda: first.set_tags(["x" * 300]))
    assert too_long == outcome(lambda: Store(recorded).experiment(OTHER).set_tags(["x" * 300]))


def test_an_experiment_is_deleted_and_brought_back(recorded: Path, served: StoreServer) -> None:
    backend = Store(served.address).backend
    record_complete_experiment(recorded, "digits", 9)
    run = Store(served.address).experiment("run-9").id

    backend.delete(run)
    assert backend.deleted() == [run]
    assert run not in Store(recorded).experiment_ids()
    backend.restore(run)
    assert run in Store(recorded).experiment_ids()
    backend.delete(run)


def test_large_files_are_read_in_ranges(recorded: Path, served: StoreServer) -> None:
    content = np.random.default_rng(1).bytes(9 << 20)
    for name, size in (("large", len(content)), ("small", 10), ("none", 0)):
        path = f"objects/files/{name[:2]}/{name}"
        (recorded / path).parent.mkdir(parents=True, exist_ok=True)
        (recorded / path).write_bytes(content[:size])
        files = open_files(served.address)
        assert files.exists(path)
        assert not files.exists(f"{path}0")
        with pytest.raises(FileNotFoundError):
            files.open(f"{path}0")
        with files.open(path) as file:
            assert file.read(5) == content[: min(5, size)]
            start = max(0, size - 7)
            file.seek(start)
            assert file.read() == content[start:size]
            file.seek(0)
            assert file.read() == content[:size]
        (recorded / path).unlink()


def test_files_that_are_no_content_are_refused(served: StoreServer, recorded: Path) -> None:
    files = open_files(served.address)
    for ask in (
        lambda: files.read("format.json"),
        lambda: files.open("tokens/x.json"),
        lambda: files.exists("experiments"),
        lambda: files.list("log"),
        lambda: files.write("objects/files/x", b""),
        lambda: files.delete("objects/files/x"),
    ):
        with pytest.raises(NotOverServerError, match="--store FOLDER"):
            ask()


def test_who_is_no_server_is_named(served: StoreServer) -> None:
    with pytest.raises(StoreUnreachableError, match="127.0.0.1.*refused.*Check the network"):
        Store(f"http://token-of-mine@127.0.0.1:{free_port()}")
    with pytest.raises(StoreUnreachableError, match="no server of ModelKB"):
        Store(f"{served.address}/elsewhere")
