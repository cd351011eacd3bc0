"""What is recorded for a bucket gets there whole and once, whatever becomes of the network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelkb_store import Store
from modelkb_store.errors import StoreUnreachableError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.open_files import open_files
from modelkb_store.log import experiment_log
from modelkb_store.schemas import SCHEMAS
from modelkb_store.tables import Tables
from modelkb_store.transfer.destination import BucketDestination
from modelkb_store.transfer.spool import Spool, send_spool, spool_folder
from modelkb_store.writer import ExperimentWriter
from object_store import ObjectStore, free_port
from small_experiment import experiment_record, metric_record, record_complete_experiment
from store_rows import Rows, in_any_order, rows_of_plain_arrow, rows_of_readers
from watched_files import Killed, WatchedFiles

SUPPORT = Path(__file__).parents[2] / "support"
WAIT_SECONDS = 60.0
RECORD = """
    import os, sys
    from small_experiment import record_complete_experiment
    from modelkb_store.transfer import delay

    url, first, count, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    delay.PATIENCE_AT_EXIT_SECONDS = 1.0
    for number in range(first, first + count):
        record_complete_experiment(url, "digits", number)
    print("recorded", flush=True)
    if end == "is killed":
        os._exit(9)
"""


def record(url: str, first: int = 1, count: int = 1, end: str = "ends") -> subprocess.Popen[str]:
    """Record complete runs in another process."""
    arguments = [url, str(first), str(count), end]
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RECORD), *arguments],
        cwd=SUPPORT,
        stdout=subprocess.PIPE,
        text=True,
    )


def recorded(url: str, *numbers: int, end: str = "ends") -> None:
    for number in numbers:
        process = record(url, number, end=end)
        output, _ = process.communicate(timeout=120)
        assert output == "recorded\n"


def comparable(rows: Rows) -> Rows:
    """Return rows without the tables that tell at what moment files were written."""
    moments = ("artifacts", "checkpoints")
    return {table: found for table, found in rows.items() if table not in moments}


def expected_rows(root: Path, *numbers: int) -> Rows:
    """Return the rows of a local store with the same runs."""
    for number in numbers:
        record_complete_experiment(root, "digits", number)
    return comparable(rows_of_readers(LocalFiles(root)))


def plain_rows(root: Path) -> Rows:
    return comparable(rows_of_plain_arrow(root))


@pytest.fixture(scope="module")
def pausable_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A server of one's own that may be away for a while."""
    server = ObjectStore(tmp_path_factory.mktemp("pausable") / "moto.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(pausable_server: ObjectStore, object_credentials: None) -> Iterator[ObjectStore]:
    """The same, there again after each test."""
    yield pausable_server
    pausable_server.resume()


@pytest.fixture
def url(server: ObjectStore) -> str:
    """The place of a store that is not made yet."""
    return server.url(server.bucket())


def test_the_folder_of_a_spool(tmp_path: Path) -> None:
    chosen = spool_folder("s3://a/b", {"MODELKB_SPOOL": str(tmp_path)})
    assert chosen.parent == tmp_path
    assert chosen != spool_folder("s3://a/c", {"MODELKB_SPOOL": str(tmp_path)})
    assert spool_folder("s3://a/b", {"MODELKB_SPOOL": "~/x"}).parent == Path.home() / "x"
    if sys.platform == "linux":
        assert spool_folder("s3://a/b", {"XDG_CACHE_HOME": "/c"}).parent == Path("/c/modelkb/spool")
        assert spool_folder("s3://a/b", {}).parent == Path.home() / ".cache/modelkb/spool"


def test_there_may_be_nothing_to_send(store: Path) -> None:
    assert not send_spool(str(store))
    assert not send_spool("s3://never/recorded?endpoint_override=127.0.0.1:1")


def test_a_bucket_reads_as_a_folder_does(url: str, tmp_path: Path) -> None:
    for number in (1, 2):
        writer = record_complete_experiment(url, "digits", number)  # type: ignore[arg-type]
    assert writer.home.wait(WAIT_SECONDS)

    remote = open_files(url)
    assert comparable(rows_of_readers(remote)) == expected_rows(tmp_path / "local", 1, 2)
    assert remote.list("log") == []
    run = Store(url).experiment(writer.experiment.experiment_id)
    assert run.save_weights(tmp_path / "x.weights.h5").stat().st_size > 0
    assert run.architecture().keras_version == "3.15.1"
    assert [info.path for info in writer.files.list("objects")] == []
    assert not send_spool(url)


def test_a_run_can_be_followed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment_log, "_MIRROR_AFTER_SECONDS", 0.1)
    writer = ExperimentWriter(url, "digits", experiment_record(1))
    run = writer.experiment.experiment_id
    seen: list[int] = []
    for epoch in range(3):
        time.sleep(0.2)
        writer.append_metrics([metric_record(run, epoch, float(epoch))])
        until = time.monotonic() + WAIT_SECONDS
        while len(seen) <= epoch:
            assert time.monotonic() < until
            rows = Tables(open_files(url)).read("metrics")["epoch"].to_pylist()
            if rows == list(range(epoch + 1)):
                seen.append(epoch)
                assert Store(url).experiments()["status"].tolist() == ["running"]
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()
    assert writer.home.wait(WAIT_SECONDS)
    assert Store(url).experiments()["status"].tolist() == ["finished"]
    assert Store(url).experiment(run).metrics()["epoch"].tolist() == [0, 1, 2]


def test_nobody_waits_for_a_server_that_is_away(
    url: str, server: ObjectStore, tmp_path: Path
) -> None:
    server.pause()
    begun = time.monotonic()
    for number in (1, 2):
        writer = record_complete_experiment(url, "digits", number)  # type: ignore[arg-type]
    assert time.monotonic() - begun < 10
    assert not writer.home.wait(5)
    server.resume()

    assert writer.home.wait(WAIT_SECONDS)
    until = time.monotonic() + WAIT_SECONDS
    while writer.home.problem is not None:  # it tidies up after the last was sent
        assert time.monotonic() < until, writer.home.problem
        time.sleep(0.1)
    expected = expected_rows(tmp_path / "local", 1, 2)
    assert comparable(rows_of_readers(open_files(url))) == expected


def test_it_goes_away_in_the_middle(url: str, server: ObjectStore, tmp_path: Path) -> None:
    for number in range(1, 5):
        writer = record_complete_experiment(url, "digits", number)  # type: ignore[arg-type]
        time.sleep(0.3)
        server.pause()
        time.sleep(0.5)
        server.resume()

    assert writer.home.wait(WAIT_SECONDS)
    expected = expected_rows(tmp_path / "local", 1, 2, 3, 4)
    assert comparable(rows_of_readers(open_files(url))) == expected


@pytest.mark.parametrize("end", ["ends", "is killed"])
def test_the_next_process_sends_the_rest(
    url: str, server: ObjectStore, tmp_path: Path, end: str
) -> None:
    server.pause()
    recorded(url, *((1, 2) if end == "is killed" else (1,)), end=end)
    server.resume()
    assert Tables(open_files(url)).read("experiments").num_rows == 0

    recorded(url, *((3,) if end == "is killed" else (2, 3)))
    if send_spool(url):  # the process does not wait for ever
        assert not send_spool(url)

    remote = open_files(url)
    assert comparable(rows_of_readers(remote)) == expected_rows(tmp_path / "local", 1, 2, 3)
    assert remote.list("log") == []


def test_the_rest_can_be_sent_by_hand(url: str, server: ObjectStore, tmp_path: Path) -> None:
    server.pause()
    recorded(url, 1, end="is killed")
    with pytest.raises(StoreUnreachableError):
        send_spool(url)
    server.resume()

    assert send_spool(url)
    assert not send_spool(url)
    expected = expected_rows(tmp_path / "local", 1)
    assert comparable(rows_of_readers(open_files(url))) == expected


def test_processes_may_record_and_send_at_once(url: str, tmp_path: Path) -> None:
    processes = [record(url, first, 3) for first in (1, 4, 7)]
    for process in processes:
        assert process.communicate(timeout=240)[0] == "recorded\n"
    until = time.monotonic() + WAIT_SECONDS
    while send_spool(url):
        assert time.monotonic() < until

    remote = open_files(url)
    found = comparable(rows_of_readers(remote))
    expected = expected_rows(tmp_path / "local", *range(1, 10))
    for table in ("trained_weights", "projects"):  # what is told first counts
        assert len(found.pop(table)) == len(expected.pop(table)) == 1
    assert found == expected
    assert remote.list("log") == []


@pytest.fixture(scope="module")
def spooled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spool with two runs, of a process that was killed and never reached a server."""
    root = tmp_path_factory.mktemp("spooled")
    location = f"s3://nowhere/modelkb?endpoint_override=127.0.0.1:{free_port()}&scheme=http"
    before = os.environ.get("MODELKB_SPOOL")
    os.environ["MODELKB_SPOOL"] = str(root)
    try:
        process = record(location, 1, 2, "is killed")
        assert process.communicate(timeout=120)[0] == "recorded\n"
    finally:
        os.environ.pop("MODELKB_SPOOL")
        if before is not None:
            os.environ["MODELKB_SPOOL"] = before
    return spool_folder(location, {"MODELKB_SPOOL": str(root)})


def send(spool: LocalFiles, remote: LocalFiles) -> None:
    Spool(spool, lambda: BucketDestination(remote), sends_by_itself=False).send()


@pytest.mark.usefixtures("_no_power_failure")
@pytest.mark.parametrize("killed", ["spool", "remote"])
def test_a_process_that_sends_may_be_killed_at_any_step(
    spooled: Path, tmp_path: Path, killed: str
) -> None:
    """The next one does the rest: nothing is lost, nothing is doubled."""
    shutil.copytree(spooled, tmp_path / "whole-spool")
    counts = [WatchedFiles(tmp_path / "whole-spool"), WatchedFiles(tmp_path / "whole")]
    send(*counts)
    expected = rows_of_readers(LocalFiles(tmp_path / "whole"))
    assert len(expected["experiments"]) == 2
    assert {row for table in SCHEMAS for row in expected[table]}

    steps = counts[killed == "remote"].changes
    assert steps > 8
    for step in range(0, steps, max(1, steps // 15)):
        spool, root = tmp_path / f"spool-{step}", tmp_path / f"remote-{step}"
        shutil.copytree(spooled, spool)
        limits = {name: step if name == killed else None for name in ("spool", "remote")}
        with pytest.raises(Killed):
            send(
                WatchedFiles(spool, killed_after=limits["spool"]),
                WatchedFiles(root, killed_after=limits["remote"]),
            )
        for files in (LocalFiles(spool), LocalFiles(root)):
            _let_claims_be_of_the_dead(files)
        send(LocalFiles(spool), LocalFiles(root))
        assert rows_of_readers(LocalFiles(root)) == expected, step
        assert rows_of_plain_arrow(root) == expected, step
        assert [i.path for i in LocalFiles(spool).list("log") if i.path.endswith("l")] == []
        assert LocalFiles(root).list("log") == []
        shutil.rmtree(spool)
        shutil.rmtree(root)


def _let_claims_be_of_the_dead(files: LocalFiles) -> None:
    from lost_processes import leave_claims

    leave_claims(files)


def test_what_later_runs_look_up_stays_here(spooled: Path, tmp_path: Path) -> None:
    """Variables and weights that are there already, without asking the network."""
    shutil.copytree(spooled, tmp_path / "spool")
    spool, remote = LocalFiles(tmp_path / "spool"), LocalFiles(tmp_path / "remote")
    send(spool, remote)

    for table in ("variables", "trained_weights"):
        here, there = (in_any_order(Tables(files).read(table)) for files in (spool, remote))
        assert here == there
        assert here
    assert spool.list("objects") == []


def test_one_object_less_to_send(spooled: Path, tmp_path: Path) -> None:
    """What another machine has sent already, and what another process sends meanwhile."""
    shutil.copytree(spooled, tmp_path / "spool")
    spool, remote = LocalFiles(tmp_path / "spool"), LocalFiles(tmp_path / "remote")
    first, *_ = spool.list("objects")
    remote.write("format.json", b'{"format": "modelkb-store", "version": 2}')
    remote.write(first.path, spool.read(first.path))

    send(spool, remote)
    assert spool.list("objects") == []
    assert len(remote.list("objects")) >= 3


def test_a_long_run_is_sent_piece_by_piece(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment_log, "_MIRROR_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(experiment_log, "_FULL_SEGMENT_BYTES", 3000)
    writer = ExperimentWriter(url, "digits", experiment_record(1, status="running"))
    run = writer.experiment.experiment_id
    for epoch in range(60):
        writer.append_metrics([metric_record(run, epoch, float(epoch))])
        time.sleep(0.02)
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()

    assert writer.home.wait(WAIT_SECONDS)
    remote = open_files(url)
    assert Store(url).experiment(run).metrics()["epoch"].tolist() == list(range(60))
    assert Store(url).experiments()["metrics.loss"].tolist() == [59.0]
    (summary,) = Tables(remote).read("metric_summaries").to_pylist()
    assert (summary["count"], summary["last"]) == (60, 59.0)
    assert remote.list("log") == []
