"""``/experiments/{experiment_id}/..``: the files of one experiment."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from modelkb_store.errors import ArtifactNotFoundError
from modelkb_store.layout import is_object
from modelkb_viewer.api.asked import AskedExperiment, AskedStore
from modelkb_viewer.api.file_answer import (
    ASKED_AGAIN,
    BYTES,
    HDF5,
    described_file,
    made_file,
    stored_file,
)
from modelkb_viewer.api.problems import answers
from modelkb_viewer.api.rows_answer import AskedPart, described_rows, rows_answer
from modelkb_viewer.api.table_schemas import row_schema

router = APIRouter(
    prefix="/experiments/{experiment_id}",
    tags=["artifacts"],
    responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)

_KERAS = "application/zip"
# Columns that say how the weights of a checkpoint are put together.
_OF_FILES = ("experiment_id", "structure", "variable_paths", "variable_ids")

Checkpoint = Annotated[
    str,
    Path(
        description="`end`, `best`, `initial`, or the number of an epoch.",
        pattern="^(end|best|initial|[0-9]{1,9})$",
    ),
]


@router.get(
    "/architecture",
    response_model=dict[str, Any],
    responses={200: {"content": described_file(HDF5)[200]["content"]}},
)
def read_architecture(
    request: Request, response: Response, store: AskedStore, experiment: AskedExperiment
) -> Any:
    """Return the model's configuration as Keras has it; as HDF5, the file that Netron draws."""
    if HDF5 in request.headers.get("accept", ""):
        path = experiment.architecture_path()
        name = f"{experiment.id}.h5"
        try:
            return stored_file(request, store.files, path, name, HDF5, headers=ASKED_AGAIN)
        except FileNotFoundError as error:
            raise ArtifactNotFoundError(
                experiment.id, "architecture", "its file is gone"
            ) from error
    architecture = experiment.architecture()
    response.headers.update(ASKED_AGAIN)
    return {
        "architecture_id": architecture.architecture_id,
        "keras_version": architecture.keras_version,
        "backend": architecture.backend,
        "model_config": architecture.model_config,
    }


@router.get(
    "/layers", response_model=None, responses=described_rows(row_schema("layers", without=()))
)
def read_layers(
    request: Request, store: AskedStore, experiment: AskedExperiment, part: AskedPart
) -> Response:
    """Return the layer table: one row per layer, nested models' layers included."""
    where = {"architecture_id": [experiment.record.architecture_id or ""]}
    rows = store.table("layers", experiment.project, where=where)
    return rows_answer(request, rows.drop_columns("project").sort_by("position"), part)


@router.get(
    "/checkpoints",
    response_model=None,
    responses=described_rows(row_schema("checkpoints", without=_OF_FILES)),
)
def list_checkpoints(request: Request, experiment: AskedExperiment, part: AskedPart) -> Response:
    """Return the checkpoints, oldest first.

    `size_bytes` is of all variables; those that other checkpoints have as well are stored once.
    """
    shown = experiment.checkpoints().columns.tolist()
    rows = experiment.table("checkpoints").sort_by("created_at")
    return rows_answer(request, rows.select(shown), part)


@router.get(
    "/checkpoints/{checkpoint}/weights", response_model=None, responses=described_file(HDF5)
)
def read_weights(experiment: AskedExperiment, checkpoint: Checkpoint) -> Response:
    """Return the weights of a checkpoint as a Keras `.weights.h5` file."""
    name = f"{experiment.id}-{checkpoint}.weights.h5"
    wanted = _checkpoint(checkpoint)
    return made_file(lambda path: experiment.save_weights(path, wanted), name, HDF5)


@router.get(
    "/checkpoints/{checkpoint}/model", response_model=None, responses=described_file(_KERAS)
)
def read_saved_model(experiment: AskedExperiment, checkpoint: Checkpoint) -> Response:
    """Return the model with the weights of a checkpoint, as a `.keras` file."""
    name = f"{experiment.id}-{checkpoint}.keras"
    wanted = _checkpoint(checkpoint)
    return made_file(lambda path: experiment.save_model(path, wanted), name, _KERAS)


@router.get("/artifacts", response_model=None, responses=described_rows(row_schema("artifacts")))
def list_artifacts(request: Request, experiment: AskedExperiment, part: AskedPart) -> Response:
    """Return the files of the experiment: kind, size and hash."""
    return rows_answer(request, experiment.table("artifacts"), part)


@router.get("/artifacts/{sha256}", response_model=None, responses=described_file(BYTES))
def read_artifact(
    request: Request,
    store: AskedStore,
    experiment: AskedExperiment,
    sha256: Annotated[
        str, Path(description="Its hash, as in the list of files.", pattern="^[0-9a-f]{64}$")
    ],
) -> Response:
    """Return one of the files of the experiment."""
    kept = experiment.table("artifacts").to_pylist()
    row = next((each for each in kept if each["sha256"] == sha256), None)
    if row is None or not is_object(row["path"]):  # rows may come from elsewhere
        raise ArtifactNotFoundError(experiment.id, f"file {sha256}", "see its artifacts")
    try:
        return stored_file(request, store.files, row["path"], row["name"] or sha256, BYTES)
    except FileNotFoundError as error:
        raise ArtifactNotFoundError(experiment.id, f"file {sha256}", "it is gone") from error


def _checkpoint(name: str) -> str | int:
    return int(name) if name.isdigit() else name
