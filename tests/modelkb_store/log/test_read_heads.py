"""Looking for logs while others fold theirs, without reading what they say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from modelkb_store.files.files import FileInfo
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.folding import fold
from modelkb_store.log.log_contents import read_heads, read_logs
from modelkb_store.log.log_name import LogName
from modelkb_store.writer import ExperimentWriter
from small_experiment import metric_record


class HastyFiles(LocalFiles):
    """The files of a store from which a log goes right after logs were listed."""

    def __init__(self, root: Path, folded: str) -> None:
        super().__init__(root)
        self.folded = folded

    def list(self, folder: str) -> list[FileInfo]:
        found = super().list(folder)
        if folder == "log":
            self.delete(self.folded)
        return found


def test_heads_say_what_logs_say(writer_factory: Callable[..., ExperimentWriter]) -> None:
    writers = [writer_factory(), writer_factory()]
    for writer in writers:
        run = writer.experiment.experiment_id
        writer.append_metrics([metric_record(run, epoch, 0.5) for epoch in range(3)])
    files = writers[0].files
    heads, logs = read_heads(files), read_logs(files)
    for name in ("name", "begin", "experiment_id", "is_over", "is_first", "modified", "stems"):
        assert [getattr(each, name) for each in heads] == [getattr(each, name) for each in logs]
    for writer in writers:
        writer.close()


def test_a_damaged_first_line_leaves_rows_to_tell_whose_log_it_is(
    writer_factory: Callable[..., ExperimentWriter],
) -> None:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    path = LogName("project=digits", run).segment(0)
    files = LocalFiles(writer.files.root)
    files.write(path, b"x" + files.read(path))
    (head,) = read_heads(files)
    assert head.experiment_id == run


def test_logs_that_are_folded_meanwhile_disturb_nobody(
    writer_factory: Callable[..., ExperimentWriter], store: Path
) -> None:
    writer, other = writer_factory(), writer_factory()
    lost = LogName("project=digits", other.experiment.experiment_id).segment(0)
    files = HastyFiles(store, lost)
    assert fold(files, LogName("project=digits", writer.experiment.experiment_id))
    assert [log.name.segment(0) for log in read_logs(LocalFiles(store))] == []


@pytest.mark.slow
def test_many_runs_end_at_once(writer_factory: Callable[..., ExperimentWriter]) -> None:
    writers = [writer_factory() for _ in range(12)]
    failures: list[BaseException] = []

    def close(writer: ExperimentWriter) -> None:
        try:
            writer.close()
        except Exception as error:  # noqa: BLE001 - said below
            failures.append(error)

    threads = [threading.Thread(target=close, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert read_logs(writers[0].files) == []
