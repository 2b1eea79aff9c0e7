"""The settings section ``policy``: which policy pack the rules, rates and limits come from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class PolicySettings(BaseModel):
    """``pack`` is the name of a shipped pack (``bank-cn``, ``bank-cz``) or the path of a pack's directory."""

    model_config = ConfigDict(extra="forbid")

    pack: str = "bank-cn"
