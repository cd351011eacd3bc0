"""Looking for logs while others fold theirs, without reading what they say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelkb_store.files.files import FileInfo
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.entry import Action, encode_entry
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


END = encode_entry(Action.END, "", {})
LINES = st.one_of(
    st.sampled_from([END, b"\n", END[1:]]),
    st.integers(0, 20_000).map(lambda size: encode_entry(Action.ADD, "later", {"a": "x" * size})),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=6), st.binary(max_size=9000).filter(lambda text: b"\n" not in text))
def test_heads_of_lines_of_any_length(store: Path, lines: list[bytes], torn: bytes) -> None:
    begin = encode_entry(Action.BEGIN, "", {"experiment_id": "a-run"})
    files = LocalFiles(store)
    files.write(LogName("project=digits", "a-run").segment(0), begin + b"".join(lines) + torn)

    (head,), (log,) = read_heads(files), read_logs(files)

    assert head.experiment_id == "a-run"
    assert head.has_ended is bool(lines and lines[-1] == END)
    assert head.segments[0].size_bytes == log.segments[0].size_bytes


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n", b"torn", END, b"torn\n" + END])
def test_a_log_without_a_whole_first_line(store: Path, content: bytes) -> None:
    files = LocalFiles(store)
    files.write(LogName("project=digits", "a-run").segment(0), content)

    (head,), (log,) = read_heads(files), read_logs(files)

    assert (head.experiment_id, head.has_ended) == (log.experiment_id, log.has_ended)
    assert head.segments[0].size_bytes == log.segments[0].size_bytes


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
