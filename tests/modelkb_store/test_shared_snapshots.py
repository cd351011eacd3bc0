from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modelkb_store.files.files import FileInfo
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.shared_snapshots import SharedSnapshots
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import metric_record

pytestmark = pytest.mark.usefixtures("_no_power_failure")


class SlowFiles(LocalFiles):
    """A store whose listing of logs waits until it is told to go on."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.is_asked, self.may_go_on = threading.Event(), threading.Event()
        self.count = 0

    def list(self, folder: str) -> list[FileInfo]:
        if folder == "log":
            self.count += 1
            self.is_asked.set()
            self.may_go_on.wait(20)
        return super().list(folder)


class BrokenFiles(LocalFiles):
    """A store of which a file is always missing."""

    def list(self, folder: str) -> list[FileInfo]:
        raise FileNotFoundError(folder)


def test_who_asks_meanwhile_shares_one_that_is_begun_later(
    writer_factory: Callable[..., ExperimentWriter],
) -> None:
    files = SlowFiles(writer_factory().files.root)
    snapshots = SharedSnapshots(files)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(snapshots.take)
        files.is_asked.wait(20)
        others = [pool.submit(snapshots.take) for _ in range(8)]
        threading.Event().wait(0.5)  # for all of them to have asked
        files.may_go_on.set()
        taken = {id(each.result()) for each in others}
    assert len(taken) == 1
    assert id(first.result()) not in taken
    assert files.count == 2
    assert snapshots.take() is not first.result()


def test_what_goes_wrong_is_told_and_tried_again(tmp_path: Path) -> None:
    snapshots = SharedSnapshots(BrokenFiles(tmp_path))
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            snapshots.take()


def test_each_thread_sees_what_it_has_written_before(
    writer_factory: Callable[..., ExperimentWriter],
) -> None:
    writers = [writer_factory() for _ in range(4)]
    tables, problems = Tables(writers[0].files), []

    def work(writer: ExperimentWriter) -> None:
        run = writer.experiment.experiment_id
        for epoch in range(25):
            writer.append_metrics([metric_record(run, epoch, 0.5)])
            seen = tables.of_experiment("metrics", "digits", run).num_rows
            if seen != epoch + 1:
                problems.append((run, epoch, seen))

    threads = [threading.Thread(target=work, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
