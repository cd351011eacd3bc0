from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lost_processes import logs_of
from modelkb_store.commits import compaction
from modelkb_store.log.log_home import StoreHome
from modelkb_store.writer import ExperimentWriter
from small_experiment import metric_record
from store_rows import plain_table, rows_of_plain_arrow, rows_of_readers

pytestmark = pytest.mark.usefixtures("_no_power_failure")


def test_a_store_takes_its_own_logs(
    store: Path, writer_factory: Callable[..., ExperimentWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_LOOSE_FILES", 2)
    writers = [writer_factory(status="finished") for _ in range(2)]
    home = StoreHome(writers[0].files)
    for writer in writers:
        run = writer.experiment.experiment_id
        writer.append_metrics([metric_record(run, 0, 0.5)])
        (name,) = logs_of(home.files, run)
        home.mirror(name)
        assert home.files.exists(name.segment(0))
        home.fold(name)
        assert not home.files.exists(name.segment(0))
    assert plain_table(store, "metrics").num_rows == 2

    home.tidy("project=digits")
    assert len(home.files.list("metrics")) == 1
    assert rows_of_plain_arrow(store) == rows_of_readers(home.files)
