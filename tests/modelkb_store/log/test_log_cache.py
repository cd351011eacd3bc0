from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.log_cache import LogCache
from modelkb_store.log.log_contents import LogContents, read_logs
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import metric_record

pytestmark = pytest.mark.usefixtures("_no_power_failure")
WriterFactory = Callable[..., ExperimentWriter]


class CountedFiles(LocalFiles):
    """A store that notes how many bytes of it are read."""

    bytes_read = 0

    def read(self, path: str) -> bytes:
        content = super().read(path)
        self.bytes_read += len(content)
        return content


def said(logs: list[LogContents]) -> list[dict[str, object]]:
    return [
        {
            "name": log.name,
            "metrics": log.added("metrics").to_pylist(),
            "experiments": log.put["experiments"].to_pylist(),
            "cut": log.cut,
            "size": [segment.size_bytes for segment in log.segments],
            "damaged": [segment.damaged_lines for segment in log.segments],
            "ended": log.has_ended,
        }
        for log in logs
    ]


def path_of(writer: ExperimentWriter) -> str:
    return writer._log.name.segment(0)


def add_epoch(writer: ExperimentWriter, epoch: int) -> None:
    writer.append_metrics([metric_record(writer.experiment.experiment_id, epoch, 0.5)])


def test_each_look_says_what_reading_all_anew_does(writer_factory: WriterFactory) -> None:
    writers = [writer_factory() for _ in range(3)]
    files, cache = writers[0].files, LogCache()
    for epoch in range(40):
        add_epoch(writers[epoch % 2], epoch)
        if epoch % 7 == 0:
            writers[1].set(notes=f"epoch {epoch}")
            writers[1].save_experiment()
        if epoch == 30:
            writers[2].close()
        assert said(cache.read(files)) == said(read_logs(files))


def test_only_what_is_new_is_read(writer_factory: WriterFactory) -> None:
    writer, other = writer_factory(), writer_factory()
    for epoch in range(200):
        add_epoch(writer, epoch)
    files, cache = CountedFiles(writer.files.root), LogCache()
    before = cache.read(files)
    files.bytes_read = 0
    add_epoch(other, 0)
    after = cache.read(files)
    assert files.bytes_read == 0  # whole files are not read again
    assert after[0] is before[0]
    assert after[1].added("metrics").num_rows == 1
    assert before[1].added("metrics").num_rows == 0  # who has looked before sees what was then


def test_a_line_that_is_being_written_comes_once_it_is_whole(writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    add_epoch(writer, 0)
    files, cache = writer.files, LogCache()
    content = files.read(path_of(writer))
    add_epoch(writer, 1)
    whole = files.read(path_of(writer))
    writer._log.leave()
    for length in range(len(content), len(whole) + 1, 7):
        files.write(path_of(writer), whole[:length])
        assert cache.read(files)[0].added("metrics").num_rows == 1
    files.write(path_of(writer), whole)
    assert cache.read(files)[0].added("metrics").num_rows == 2


@pytest.mark.parametrize("is_longer", [False, True])
def test_a_file_that_is_another_one_is_read_anew(
    writer_factory: WriterFactory, is_longer: bool
) -> None:
    writer, other = writer_factory(), writer_factory()
    add_epoch(writer, 0)
    for epoch in range(9 if is_longer else 0):
        add_epoch(other, epoch)
    files, cache = writer.files, LogCache()
    cache.read(files)
    writer._log.leave()
    files.write(path_of(writer), files.read(path_of(other)))
    assert said(cache.read(files)) == said(read_logs(files))


def test_a_sign_of_life_is_seen(writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    files, cache = writer.files, LogCache()
    (before,) = cache.read(files)
    writer._log.leave()
    os.utime(files.local_path(path_of(writer)), (1e9, 1e9))
    (after,) = cache.read(files)
    assert before.modified.timestamp() > after.modified.timestamp() == 1e9


def test_what_is_gone_is_forgotten_and_what_is_large_not_kept(
    writer_factory: WriterFactory,
) -> None:
    writer = writer_factory()
    for _ in range(2):
        add_epoch(writer_factory(), 0)
    cache = LogCache()
    cache.read(writer.files)
    writer.close()
    assert len(cache.read(writer.files)) == 2
    assert len(cache._segments) == len(cache._logs) == 2

    small = LogCache(most_bytes=1)
    assert said(small.read(writer.files)) == said(cache.read(writer.files))
    assert small._segments == small._logs == {}


def test_a_run_that_goes_on_from_an_earlier_epoch(writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    for epoch in range(6):
        add_epoch(writer, epoch)
    tables = Tables(writer.files)
    assert tables.read("metrics").num_rows == 6
    writer.drop_epochs_from(2)
    assert tables.read("metrics")["epoch"].to_pylist() == [0, 1]
    add_epoch(writer, 2)
    assert tables.read("metrics")["epoch"].to_pylist() == [0, 1, 2]


def test_threads_may_share_it(writer_factory: WriterFactory, store: Path) -> None:
    writers = [writer_factory() for _ in range(4)]
    tables, problems = Tables(writers[0].files), []
    is_over = threading.Event()

    def look() -> None:
        seen = 0
        while not is_over.is_set():
            now = tables.read("metrics").num_rows
            if now < seen:
                problems.append((seen, now))
            seen = now

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for epoch in range(30):
        add_epoch(writers[epoch % 4], epoch)
    for writer in writers[:2]:
        writer.close()
    is_over.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert tables.read("metrics").num_rows == 30
