"""What a pack says beside its rules: actions to recommend and the large-value limit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from schemas.outputs.alert import Action, Bilingual


@dataclass(frozen=True, slots=True)
class LargeValue:
    """``cash_limit`` in minor units of the reporting currency; ``near_share`` of it is where *just below* begins."""

    cash_limit: int
    near_share: Decimal

    @property
    def near_from(self) -> int:
        """Smallest amount in minor units that is just below the limit."""
        exact = self.cash_limit * self.near_share
        return int(exact) + (exact != int(exact))


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """One entry of the action catalogue."""

    code: str
    do: Bilingual
    do_not: Bilingual | None

    def action(self, barred: Bilingual | None) -> Action:
        """As an alert states it; ``barred`` is added to what not to do."""
        bans = [ban for ban in (barred, self.do_not) if ban]
        do_not = Bilingual(zh="；".join(ban.zh for ban in bans), en="; ".join(ban.en for ban in bans)) if bans else None
        return Action(code=self.code, do=self.do, do_not=do_not)
