"""``/experiments/{experiment_id}/..``: a training and its model as code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import PlainTextResponse

from modelkb_store.codegen.script import shown_script
from modelkb_viewer.api.asked import AskedExperiment
from modelkb_viewer.api.problems import RefusedError, answers
from modelkb_viewer.content.model_code import model_code, model_file_name, targets
from modelkb_viewer.content.training_code import download_content, downloads

router = APIRouter(
    prefix="/experiments/{experiment_id}",
    tags=["code"],
    responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)

_TEXT = {"schema": {"type": "string"}}
_BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.get("/script", response_class=PlainTextResponse)
def read_script(experiment: AskedExperiment) -> str:
    """Return the training as a script: data, model, compile, fit and evaluation.

    Where the run did not start from its seed alone, it loads files that only `GET .../code` has.
    """
    return experiment.script()


@router.get(
    "/code",
    response_model=None,
    responses={
        200: {
            "description": "The code; an archive where several files belong together.",
            "content": {
                "text/x-python": _TEXT,
                "application/x-ipynb+json": {"schema": {"type": "object"}},
                "application/zip": _BINARY,
            },
        }
    },
)
def read_code(
    experiment: AskedExperiment,
    form: Annotated[
        Literal["script", "notebook", "repo"],
        Query(
            description="A script, a Jupyter notebook, or a repository with pinned requirements."
        ),
    ] = "script",
) -> Response:
    """Return the training as code with all that it loads, to be run elsewhere."""
    script = shown_script(experiment)
    wanted = next(each for each in downloads(experiment, script) if each.kind == form)
    disposition = f"attachment; filename*=utf-8''{quote(wanted.file_name)}"
    return Response(
        download_content(experiment, wanted),
        media_type=wanted.media_type,
        headers={"Content-Disposition": disposition},
    )


@router.get("/model/code/{target}", response_class=PlainTextResponse)
def read_model_code(
    experiment: AskedExperiment,
    target: Annotated[
        str,
        Path(
            description="`keras`, `torch`, or another target that the server has.",
            examples=["torch"],
        ),
    ],
) -> Response:
    """Return the model alone as code: a function that builds it."""
    if target not in targets():
        detail = f"There is no target {target!r}. There are {', '.join(targets())}."
        raise RefusedError(HTTPStatus.NOT_FOUND, detail)
    disposition = f"inline; filename*=utf-8''{quote(model_file_name(experiment, target))}"
    return PlainTextResponse(
        model_code(experiment, target), headers={"Content-Disposition": disposition}
    )
