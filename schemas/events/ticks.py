"""Ticks: time as an event, so that what did not happen is judged from the log and replays identically."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.events.envelope import Identifier
from schemas.events.moments import Moment


class Tick(BaseModel):
    """One tick of the clock on one partition. It belongs to no customer; its key is the partition number in decimal."""

    model_config = ConfigDict(extra="allow", strict=True)
    event_id: Identifier
    occurred_at: Moment
    source: Identifier
    schema_version: Annotated[int, Field(ge=1, le=1000)] = 1
    partition: Annotated[int, Field(ge=0, le=100_000)]
