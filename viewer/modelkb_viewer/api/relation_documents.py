"""How experiments hang together, as answers."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class _FromAttributes(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RelativeDocument(_FromAttributes):
    """An experiment of a lineage."""

    experiment_id: str
    name: str | None = Field(description="Null where it is not in this store, or none of yours.")
    status: str = Field(description="Empty where it is not in this store.")
    generation: int = Field(description="0 for the one asked about, less for what came before.")


class LineageDocument(_FromAttributes):
    """An experiment among its relatives, up to five generations up and down."""

    relatives: list[RelativeDocument] = Field(description="Itself among them, eldest first.")
    trained_further: list[tuple[str, str]] = Field(
        description="Pairs of ids: the second trained the model of the first further."
    )
    done_again: list[tuple[str, str]] = Field(
        description="Pairs of ids: the second does the first again."
    )
    left_out: int = Field(description="How many more relatives there are.")


class ReproductionDocument(BaseModel):
    """A run that does an experiment again, and how it compares."""

    experiment_id: str
    status: str = Field(description="`running`, `finished`, `failed` or `interrupted`.")
    started_at: datetime = Field(description="In UTC.")
    epochs_completed: int = Field(description="How many have ended.")
    epochs_planned: int | None = Field(description="How many it is to have.")
    verdict: str | None = Field(
        description="`identical` to the bit, `close`, `different` or `failed`; null as long as it "
        "runs."
    )
    causes: list[str] = Field(description="Why it may differ, in words.")
