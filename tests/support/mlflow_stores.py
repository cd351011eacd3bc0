"""Stores of MLflow with what an import reads of them, made without MLflow."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

# As MLflow 3.17 makes them, without constraints.
_TABLES = """
create table experiments (experiment_id integer, name varchar(256), artifact_location varchar(256),
  lifecycle_stage varchar(32), creation_time bigint, last_update_time bigint);
create table runs (run_uuid varchar(32), name varchar(250), source_type varchar(20),
  source_name varchar(500), entry_point_name varchar(50), user_id varchar(256),
  status varchar(9), start_time bigint, end_time bigint, source_version varchar(50),
  lifecycle_stage varchar(20), artifact_uri varchar(200), experiment_id integer,
  deleted_time bigint);
create table metrics (key varchar(250), value double, timestamp bigint, run_uuid varchar(32),
  step bigint, is_nan boolean);
create table params (key varchar(250), value varchar(8000), run_uuid varchar(32));
create table tags (key varchar(250), value varchar(8000), run_uuid varchar(32));
"""
RUN, OTHER_RUN, DELETED = "1" * 32, "2" * 32, "3" * 32
START = 1_700_000_000_123


def make_database(path: Path) -> Path:
    """Make a database with a run that ended, one that did not, and deleted ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(_TABLES)
        database.executemany(
            "insert into experiments (experiment_id, name, lifecycle_stage) values (?, ?, ?)",
            [(1, "digits", "active"), (2, "old", "deleted")],
        )
        for run, name, status, end, stage, experiment in (
            (RUN, "good-hare-1", "FINISHED", START + 5000, "active", 1),
            (OTHER_RUN, None, "RUNNING", None, "active", 1),
            (DELETED, "gone", "FINISHED", START, "deleted", 1),
            ("4" * 32, "gone, too", "FINISHED", START, "active", 2),
        ):
            database.execute(
                "insert into runs (run_uuid, name, user_id, status, start_time, end_time, "
                "lifecycle_stage, experiment_id) values (?, ?, ?, ?, ?, ?, ?, ?)",
                (run, name, "ada", status, START, end, stage, experiment),
            )
        database.executemany(
            "insert into metrics values (?, ?, ?, ?, ?, ?)",
            [
                ("val_loss", 0.5, START + 2000, RUN, 1, 0),
                ("val_loss", 0.0, START + 1000, RUN, 0, 1),
                ("val_loss", -1.7976931348623157e308, START + 3000, RUN, 2, 0),
                ("big", 1.5, START, RUN, 3_000_000_000, 0),
                ("big", 2.5, START, RUN, 4_000_000_000, 0),
            ],
        )
        database.executemany(
            "insert into params values (?, ?, ?)",
            [("lr", "0.001", RUN), ("layers", "[64, 32]", RUN), ("name", "007", RUN)],
        )
        database.executemany(
            "insert into tags values (?, ?, ?)",
            [
                ("mlflow.note.content", "a note", RUN),
                ("mlflow.source.name", "train.py", RUN),
                ("stage", "late", RUN),
                ("empty", None, RUN),
            ],
        )
        database.commit()
    return path


def make_mlruns(folder: Path) -> Path:
    """Make a folder as MLflow wrote them, with one run."""
    experiment = folder / "42"
    _write(
        experiment / "meta.yaml", "experiment_id: '42'\nlifecycle_stage: active\nname: 'it''s'\n"
    )
    run = experiment / RUN
    _write(
        run / "meta.yaml",
        f"artifact_uri: file:///x\nend_time: {START + 5000}\nexperiment_id: '42'\n"
        f"lifecycle_stage: active\nrun_id: {RUN}\nrun_name: 'a long\n  name: of two lines'\n"
        f"start_time: {START}\nstatus: 4\ntags: []\nuser_id: ada\n",
    )
    _write(run / "metrics" / "val_loss", f"{START} 0.5 0\n{START + 1} nan 1\n")
    _write(run / "metrics" / "system" / "cpu", f"{START} 50.0 0 data 1a2b\n{START} 2e-3\n")
    _write(run / "params" / "lr", "0.001")
    _write(run / "tags" / "mlflow.user", "grace")
    _write(experiment / DELETED / "meta.yaml", "lifecycle_stage: deleted\n")
    (experiment / DELETED / "params").mkdir()
    _write(experiment / "datasets" / "abc" / "meta.yaml", "name: data\n")
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
