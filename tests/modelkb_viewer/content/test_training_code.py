from __future__ import annotations

import io
import json
import zipfile

from modelkb_store import Experiment
from modelkb_store.codegen.script import ShownScript
from modelkb_store.codegen.script import shown_script as script_of
from modelkb_viewer.content.training_code import Download, download_content, downloads

ALONE = ShownScript("", (), ())
WITH_FILES = ShownScript("", ("train.initial.weights.h5",), ())


def test_what_is_alone_is_no_archive(recorded_experiment: Experiment) -> None:
    stem = f"train-{recorded_experiment.id[-10:]}"

    found = downloads(recorded_experiment, ALONE)

    assert [(each.kind, each.file_name) for each in found] == [
        ("script", f"{stem}.py"),
        ("notebook", f"{stem}.ipynb"),
        ("repo", f"{stem}-repo.zip"),
    ]


def test_what_needs_other_files_is_an_archive(recorded_experiment: Experiment) -> None:
    stem = f"train-{recorded_experiment.id[-10:]}"

    found = downloads(recorded_experiment, WITH_FILES)

    assert [each.file_name for each in found] == [
        f"{stem}-script.zip",
        f"{stem}-notebook.zip",
        f"{stem}-repo.zip",
    ]
    assert {each.media_type for each in found} == {"application/zip"}


def test_the_files_hold_the_code(recorded_experiment: Experiment) -> None:
    script, notebook, repository = (
        download_content(recorded_experiment, each)
        for each in downloads(recorded_experiment, script_of(recorded_experiment))
    )

    assert b"def build_model():" in script
    assert script.decode().count("\n") > 10
    assert json.loads(notebook)["nbformat"] == 4
    with zipfile.ZipFile(io.BytesIO(repository)) as archive:
        assert archive.testzip() is None
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert {"train.py", "requirements.txt", "Dockerfile", "README.md"} <= names


def test_an_archive_has_one_folder(recorded_experiment: Experiment) -> None:
    download = Download("script", "again.zip", "application/zip")

    content = download_content(recorded_experiment, download)

    stem = f"train-{recorded_experiment.id[-10:]}"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [f"{stem}/{stem}.py"]
