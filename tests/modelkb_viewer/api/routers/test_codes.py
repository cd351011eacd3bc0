from __future__ import annotations

import ast
import io
import json
import zipfile

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize(
    ("form", "media_type", "suffix"),
    [
        ("script", "text/x-python; charset=utf-8", ".py"),
        ("notebook", "application/x-ipynb+json", ".ipynb"),
        ("repo", "application/zip", "-repo.zip"),
    ],
)
def test_a_training_comes_in_each_form(
    ask: TestClient, experiment_id: str, form: str, media_type: str, suffix: str
) -> None:
    answer = ask.get(f"/experiments/{experiment_id}/code", params={"form": form})
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"].endswith(f"train-{experiment_id[-10:]}{suffix}")
    if form == "script":
        assert "def build_model():" in answer.text
        shown = ast.parse(ask.get(f"/experiments/{experiment_id}/script").text)
        assert ast.dump(shown.body[-1]) == ast.dump(ast.parse(answer.text).body[-1])
    elif form == "notebook":
        assert json.loads(answer.text)["nbformat"] == 4
    else:
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert any(name.endswith("requirements.txt") for name in archive.namelist())


@pytest.mark.parametrize("target", ["keras", "torch"])
def test_a_model_comes_as_code_of_each_target(
    ask: TestClient, experiment_id: str, target: str
) -> None:
    answer = ask.get(f"/experiments/{experiment_id}/model/code/{target}")
    assert answer.status_code == 200
    assert target in answer.text
    ast.parse(answer.text)


def test_an_unknown_target_is_missing(ask: TestClient, experiment_id: str) -> None:
    answer = ask.get(f"/experiments/{experiment_id}/model/code/cobol")
    assert answer.status_code == 404
    assert "keras, torch" in answer.json()["detail"]
