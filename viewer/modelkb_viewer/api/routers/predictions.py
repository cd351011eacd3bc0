"""``/experiments/{experiment_id}/predictions``: models as a service."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from modelkb_store.errors import ExperimentNotFoundError
from modelkb_viewer.api.asked import AskedStore, ExperimentId
from modelkb_viewer.api.audit import note_subject
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.body import bytes_of
from modelkb_viewer.api.documents import OutputDocument, PredictionDocument, PredictionInput
from modelkb_viewer.api.problems import RefusedError, answers
from modelkb_viewer.api.shared_looks import SharedLooks
from modelkb_viewer.json_values import plain
from modelkb_viewer.opened_predictor import batching_predictor, later_predictions
from modelkb_viewer.prediction.array_input import prepare_array, read_array
from modelkb_viewer.prediction.given import together
from modelkb_viewer.prediction.input_spec import InputSpec, names_of
from modelkb_viewer.prediction.picture import open_picture
from modelkb_viewer.prediction.picture_input import PictureChoices, prepare_pictures
from modelkb_viewer.prediction.predictor import Predicted
from modelkb_viewer.prediction.prepared import Prepared
from modelkb_viewer.prediction.reading import read_outputs
from modelkb_viewer.prediction.served_models import ServedModel, ServedModels

_JSON, _NPY = "application/json", "application/x-npy"
_PICTURES = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/gif", "image/tiff")
_LARGEST_BYTES = 64 << 20
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {"schema": PredictionInput.model_json_schema()},
            _NPY: _BINARY,
            **dict.fromkeys(_PICTURES, _BINARY),
        },
    }
}

# What is made ready in the time that a change of threads takes.
_SMALL_BYTES, _SMALL_VALUES = 16 << 10, 10_000
_models = ServedModels()
_looks: SharedLooks[ServedModel] = SharedLooks()

router = APIRouter(prefix="/experiments/{experiment_id}", tags=["predictions"])


async def asked_model(
    request: Request, store: AskedStore, experiment_id: ExperimentId, who: AskedBy
) -> ServedModel:
    """Return the model that a request is about; see :func:`asked_experiment`.

    Those who ask for it at the same time share the look at the store.
    """
    key = (store.uri, who.project, experiment_id)
    model = await _looks.get(key, lambda: _models.look_up(store, experiment_id))
    if who.project not in (None, model.experiment.project):
        raise ExperimentNotFoundError(experiment_id, ())
    note_subject(request, experiment_id=model.experiment.id, project=model.experiment.project)
    return model


@router.post(
    "/predictions",
    response_model=PredictionDocument,
    openapi_extra=_BODY,
    responses={
        200: {"content": {_NPY: _BINARY}},
        **answers(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ),
    },
)
async def predict(
    request: Request,
    model: Annotated[ServedModel, Depends(asked_model)],
    checkpoint: Annotated[
        str | None,
        Query(
            description="`end`, `best`, `initial` or the number of an epoch; by default the end.",
            pattern="^(end|best|initial|[0-9]{1,9})$",
        ),
    ] = None,
) -> Any:
    """Return what the model says to samples: of JSON, of a NumPy array, or of a picture.

    They are brought to the shape, type and range that the model was trained with, and the answer
    says how. Those who ask at the same time are predicted together.
    """
    content = await bytes_of(request, _LARGEST_BYTES)
    media_type = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    is_small = len(content) <= _SMALL_BYTES and media_type in (_JSON, _NPY)
    prepared = (
        _prepared(model.specs, media_type, content)
        if is_small
        else await run_in_threadpool(_prepared, model.specs, media_type, content)
    )
    wanted = int(checkpoint) if checkpoint and checkpoint.isdigit() else checkpoint
    inputs = list(together(prepared))
    answer = batching_predictor().submit(model.state, wanted, inputs, names_of(model.specs))
    predicted = await asyncio.wrap_future(answer)
    later_predictions().add(model.experiment, inputs, predicted)
    is_npy = _NPY in request.headers.get("accept", "") and len(predicted.outputs) == 1
    if sum(output.size for output in predicted.outputs) <= _SMALL_VALUES:
        return _npy(predicted) if is_npy else _document(model, prepared, predicted)
    if is_npy:
        return await run_in_threadpool(_npy, predicted)
    return await run_in_threadpool(_document, model, prepared, predicted)


def _prepared(specs: Sequence[InputSpec], media_type: str, content: bytes) -> list[Prepared]:
    if media_type == _JSON:
        arrays = _arrays(content, specs)
        return [prepare_array(spec.label, arrays[spec.label], spec) for spec in specs]
    if len(specs) > 1:
        detail = f"The model has {len(specs)} inputs: send them as JSON, by their names."
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    if media_type == _NPY:
        return [prepare_array("The array", read_array("The array", content), specs[0])]
    if media_type in _PICTURES:
        picture = open_picture("The picture", content)
        return [prepare_pictures([picture], specs[0], PictureChoices())]
    detail = f"{media_type!r} is not understood. Send {_JSON}, {_NPY} or a picture."
    raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def _arrays(content: bytes, specs: Sequence[InputSpec]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays of a JSON body, by the label of the input that each is for."""
    try:
        given = PredictionInput.model_validate_json(content).inputs
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"{where}: {first['msg']}") from error
    labels = [spec.label for spec in specs]
    if isinstance(given, list):
        if len(specs) > 1:
            detail = f"The model has several inputs: give each by its name: {', '.join(labels)}."
            raise RefusedError(HTTPStatus.BAD_REQUEST, detail)
        given = {labels[0]: given}
    if set(given) != set(labels):
        detail = f"The inputs are {', '.join(labels)}; received: {', '.join(given) or 'none'}."
        raise RefusedError(HTTPStatus.BAD_REQUEST, detail)
    return {label: _array(label, values) for label, values in given.items()}


def _array(label: str, values: list[Any]) -> np.ndarray[Any, Any]:
    try:
        array = np.array(values)
    except (ValueError, OverflowError) as error:
        array = np.array(None)
        reason = str(error).partition(".")[0]
    else:
        reason = f"the values are of the type {array.dtype}"
    if array.dtype.kind not in "biufU":
        detail = f"{label} is no array of numbers or texts: {reason}."
        raise RefusedError(HTTPStatus.BAD_REQUEST, detail)
    return array


def _npy(predicted: Predicted) -> Response:
    sink = io.BytesIO()
    np.save(sink, predicted.outputs[0], allow_pickle=False)
    return Response(sink.getvalue(), media_type=_NPY)


def _document(
    model: ServedModel, prepared: Sequence[Prepared], predicted: Predicted
) -> PredictionDocument:
    outputs = [
        OutputDocument(
            name=reading.name,
            kind=reading.kind.name.lower(),
            values=plain(reading.values.tolist()),
            labels=list(reading.labels),
            notes=list(reading.notes),
        )
        for reading in read_outputs(model.facts, predicted)
    ]
    return PredictionDocument(
        experiment_id=model.experiment.id,
        outputs=outputs,
        steps=[step for each in prepared for step in each.steps],
        warnings=[warning for each in prepared for warning in each.warnings],
        seconds=predicted.seconds,
        load_seconds=predicted.load_seconds,
        backend=predicted.backend,
    )
