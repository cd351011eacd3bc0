"""Everything that can happen to a store, in any order, against a plain Python model of it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.dataset as ds
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lost_processes import kill
from modelkb_store import Store
from modelkb_store.commits import compaction
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store, tombstone_file
from modelkb_store.records import EpochRecord, HyperparameterRecord, MetricRecord
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import ENVIRONMENT, STARTED, experiment_record, metric_record

PROJECTS = ("digits", "cats & dogs")
Row = tuple[Any, ...]


@dataclass
class Run:
    """What the store must say of a run."""

    project: str
    writer: ExperimentWriter | None
    status: str = "running"
    notes: str = ""
    curve: list[tuple[int, float]] = field(default_factory=list)
    tests: list[float] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    environments: int = 0
    is_closed: bool = False
    is_deleted: bool = False

    @property
    def metrics(self) -> list[Row]:
        curve = [(epoch, "train", value) for epoch, value in self.curve]
        return sorted(curve + [(100, "test", value) for value in self.tests])

    @property
    def summaries(self) -> list[Row]:
        found = []
        for split, curve in (("train", self.curve), ("test", [(100, v) for v in self.tests])):
            if curve:
                values = [value for _, value in curve]
                found.append(
                    (split, len(values), values[0], values[-1], curve[-1][0], *extremes(values))
                )
        return found


def extremes(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


class WholeStore(RuleBasedStateMachine):
    """Runs begin, go on, end, die and are merged."""

    @initialize()
    def make(self) -> None:
        self.stack = contextlib.ExitStack()
        self.root = Path(tempfile.mkdtemp(prefix="whole-"))
        # Fewer files are many here, and the disk is not what is tested.
        for name, value in (("_LOOSE_FILES", 2), ("_FILES_OF_A_TIER", 2)):
            self.stack.enter_context(mock.patch.object(compaction, name, value))
        self.stack.enter_context(mock.patch.object(os, "fsync", return_value=None))
        self.files = LocalFiles(self.root)
        create_store(self.files)
        self.tables = Tables(self.files)
        self.runs: dict[str, Run] = {}
        self.value, self.seconds = 0.0, 0

    def chosen(self, data: st.DataObject, runs: dict[str, Run]) -> tuple[str, Run]:
        return data.draw(st.sampled_from(sorted(runs.items(), key=lambda item: item[0])))

    def point(self, run_id: str, epoch: int, split: str) -> MetricRecord:
        self.seconds += 1
        moment = STARTED + timedelta(seconds=self.seconds)
        return metric_record(run_id, epoch, self.value, split=split, wall_time=moment)

    @property
    def recording(self) -> dict[str, Run]:
        return {i: r for i, r in self.runs.items() if r.writer is not None and not r.is_closed}

    @property
    def told(self) -> dict[str, Run]:
        return {i: r for i, r in self.runs.items() if r.writer is not None and not r.is_deleted}

    @property
    def over(self) -> dict[str, Run]:
        return {i: r for i, r in self.runs.items() if r.writer is None or r.is_closed}

    @rule(project=st.sampled_from(PROJECTS))
    def begin(self, project: str) -> None:
        record = experiment_record(len(self.runs) + 1)
        writer = ExperimentWriter(self.root, project, record)
        self.runs[record.experiment_id] = Run(project, writer)

    @precondition(lambda self: self.recording)
    @rule(data=st.data(), count=st.integers(1, 3))
    def add_epochs(self, data: st.DataObject, count: int) -> None:
        run_id, run = self.chosen(data, self.recording)
        for _ in range(count):
            epoch = run.curve[-1][0] + 1 if run.curve else 0
            self.value = -1.25 * self.value + 1
            run.writer.append_metrics([self.point(run_id, epoch, "train")])
            run.writer.append_epoch(EpochRecord(run_id, epoch, STARTED, 1.0, None, None))
            run.curve.append((epoch, self.value))

    @precondition(lambda self: self.recording)
    @rule(data=st.data(), names=st.sets(st.sampled_from("abc")))
    def put_settings(self, data: st.DataObject, names: set[str]) -> None:
        run_id, run = self.chosen(data, self.recording)
        self.value += 1
        run.settings = {name: str(self.value) for name in sorted(names)}
        run.writer.write_hyperparameters(
            [HyperparameterRecord(run_id, n, v, None, "fit") for n, v in run.settings.items()]
        )

    @precondition(lambda self: self.recording)
    @rule(data=st.data())
    def add_environment(self, data: st.DataObject) -> None:
        _, run = self.chosen(data, self.recording)
        run.environments += 1
        run.writer.add_environment(ENVIRONMENT)

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def note(self, data: st.DataObject) -> None:
        """Also after the end, which begins a further log."""
        _, run = self.chosen(data, self.told)
        run.notes += "."
        run.writer.set(notes=run.notes)
        run.writer.save_experiment()

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def evaluate(self, data: st.DataObject) -> None:
        run_id, run = self.chosen(data, self.told)
        self.value += 1
        run.tests.append(self.value)
        run.writer.append_metrics([self.point(run_id, 100, "test")])

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        _, run = self.chosen(data, self.told)
        if run.status == "running":
            run.status = "finished"
            run.writer.set(status="finished")
            run.writer.save_experiment()
        run.writer.close()
        run.is_closed = True

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        _, run = self.chosen(data, self.told)
        kill(run.writer)
        run.writer, run.is_closed = None, False
        run.status = "interrupted" if run.status == "running" else run.status

    @precondition(lambda self: self.recording)
    @rule(data=st.data())
    def mirror(self, data: st.DataObject) -> None:
        _, run = self.chosen(data, self.recording)
        run.writer.home.mirror(run.writer._log.name)

    @precondition(lambda self: self.recording)
    @rule(data=st.data())
    def begin_segment(self, data: st.DataObject) -> None:
        _, run = self.chosen(data, self.recording)
        log = run.writer._log
        log._begin_segment(log._writer)

    @precondition(lambda self: any(not r.is_deleted for r in self.over.values()))
    @rule(data=st.data(), kept=st.integers(0, 4))
    def go_on(self, data: st.DataObject, kept: int) -> None:
        runs = {i: r for i, r in self.over.items() if not r.is_deleted}
        run_id, run = self.chosen(data, runs)
        if run.writer is not None:
            run.writer.close()
        Store(self.root)
        record = dataclasses.replace(
            experiment_record(int(run_id[-10:], 16)), notes=run.notes, status="running"
        )
        run.writer = ExperimentWriter(self.root, run.project, record, resumes=True)
        run.writer.drop_epochs_from(kept)
        run.curve = [(epoch, value) for epoch, value in run.curve if epoch < kept]
        run.tests = [] if kept <= 100 else run.tests
        run.status, run.is_closed = "running", False

    @rule()
    def reopen(self) -> None:
        Store(self.root)

    @rule()
    def compact(self) -> None:
        compaction.compact(self.files)

    @rule(project=st.sampled_from(PROJECTS))
    def compact_as_runs_end(self, project: str) -> None:
        from modelkb_store.project_names import project_folder

        compaction.compact_as_runs_end(self.files, project_folder(project))

    @precondition(lambda self: any(not r.is_deleted for r in self.over.values()))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        runs = {i: r for i, r in self.over.items() if not r.is_deleted}
        run_id, run = self.chosen(data, runs)
        if run.writer is not None:
            run.writer.close()
        self.files.write(tombstone_file(run_id), b"{}")
        run.is_deleted = True

    @invariant()
    def readers_see_what_was_recorded(self) -> None:
        if not hasattr(self, "runs"):
            return
        there = {i: r for i, r in self.runs.items() if not r.is_deleted}
        self.check(there, lambda table: self.tables.read(table).to_pylist())
        shared = self.tables.read("environments")["project"].to_pylist()
        assert sorted(shared) == sorted({r.project for r in self.runs.values() if r.environments})
        for run_id, run in there.items():
            epochs = self.tables.of_experiment("metrics", run.project, run_id)["epoch"].to_pylist()
            assert epochs == sorted(epochs)

    def check(self, there: dict[str, Run], read: Any) -> None:
        rows = read("experiments")
        assert sorted(
            (row["experiment_id"], row["project"], row["status"], row["notes"]) for row in rows
        ) == sorted((i, r.project, r.status, r.notes) for i, r in there.items())
        found: dict[str, list[Row]] = {run: [] for run in there}
        for row in read("metrics"):
            found[row["experiment_id"]].append((row["epoch"], row["split"], row["value"]))
        assert {i: sorted(rows) for i, rows in found.items()} == {
            i: r.metrics for i, r in there.items()
        }
        found = {run: [] for run in there}
        for row in read("metric_summaries"):
            values = ("split", "count", "first", "last", "last_epoch", "min", "max")
            found[row["experiment_id"]].append(tuple(row[name] for name in values))
        assert {i: sorted(rows) for i, rows in found.items()} == {
            i: sorted(r.summaries) for i, r in there.items()
        }
        found = {run: [] for run in there}
        for row in read("hyperparameters"):
            found[row["experiment_id"]].append((row["name"], row["value"]))
        assert {i: sorted(rows) for i, rows in found.items()} == {
            i: sorted(r.settings.items()) for i, r in there.items()
        }

    def plain(self, table: str) -> list[dict[str, Any]]:
        folder = self.root / table
        if not folder.is_dir():
            return []
        partitioning = ds.partitioning(flavor="hive")
        rows = ds.dataset(folder, format="parquet", partitioning=partitioning).to_table()
        return [{**row, "project": _unquoted(row["project"])} for row in rows.to_pylist()]

    def teardown(self) -> None:
        if not hasattr(self, "runs"):
            return
        for run in self.runs.values():
            if run.writer is not None and not run.is_deleted:
                if run.is_closed:
                    run.writer.close()
                else:
                    kill(run.writer)
                    run.status = "interrupted" if run.status == "running" else run.status
        Store(self.root)
        self.readers_see_what_was_recorded()
        assert self.files.list("log") == []
        self.check(self.runs, self.plain)
        projects = sorted(_unquoted(row["project"]) for row in self.plain("projects"))
        assert projects == sorted({run.project for run in self.runs.values()})
        self.stack.close()
        shutil.rmtree(self.root)


def _unquoted(project: str) -> str:
    from urllib.parse import unquote

    return unquote(project)


TestWholeStore = WholeStore.TestCase
TestWholeStore.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking takes minutes: every attempt writes a store.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
