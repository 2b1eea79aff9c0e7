"""The settings section ``policy``: which policy pack the rules, rates and limits come from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PolicySettings(BaseModel):
    """The ``policy`` section."""

    model_config = ConfigDict(extra="forbid")

    pack: str = Field("bank-cn", description="name of a shipped policy pack (bank-cn, bank-cz), or the path of a pack's directory")
