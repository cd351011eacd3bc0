"""``/tokens``: made, listed and revoked by those who govern the server."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from modelkb_viewer.api.asked import AskedStore
from modelkb_viewer.api.authentication import AskedBy
from modelkb_viewer.api.documents import CreatedToken, NewToken, TokenDocument
from modelkb_viewer.api.problems import answers
from modelkb_viewer.tokens import Tokens

router = APIRouter(prefix="/tokens", tags=["tokens"])


@router.get("")
def list_tokens(store: AskedStore, who: AskedBy) -> list[TokenDocument]:
    """Return the tokens, oldest first."""
    who.check_project(None)
    return [
        TokenDocument.model_validate(dataclasses.asdict(token))
        for token in Tokens(store.files).all()
    ]


@router.post("", status_code=HTTPStatus.CREATED)
def create_token(store: AskedStore, new: NewToken, who: AskedBy) -> CreatedToken:
    """Make a token. Its text is in this answer, and nowhere else."""
    who.check_project(None)
    token, text = Tokens(store.files).create(new.name, new.scope, new.project)
    return CreatedToken.model_validate({**dataclasses.asdict(token), "token": text})


@router.delete(
    "/{token_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=answers(HTTPStatus.NOT_FOUND),
)
def revoke_token(
    store: AskedStore,
    token_id: Annotated[str, Path(description="The id of a token.", pattern="^[0-9a-f]{10}$")],
    who: AskedBy,
) -> Response:
    """Make a token worthless."""
    who.check_project(None)
    Tokens(store.files).revoke(token_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
