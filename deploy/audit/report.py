"""What the audit found: lines of what was compared, what was expected and what is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["ok", "waiting", "DIFFERENT"]


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison. ``waiting``: not wrong, work is still to be done."""

    what: str
    where: str
    expected: int
    found: int
    verdict: Verdict


@dataclass(slots=True)
class Report:
    """All comparisons, in the order of the way events take."""

    lines: list[Line] = field(default_factory=list)

    def compare(self, what: str, where: str, expected: int, found: int, behind: bool = False) -> None:
        """Add a line. With ``behind`` a ``found`` below ``expected`` is work not done yet."""
        verdict: Verdict = "ok" if expected == found else "waiting" if behind and found < expected else "DIFFERENT"
        self.lines.append(Line(what, where, expected, found, verdict))

    def wait(self, what: str, where: str, waiting: int) -> None:
        """Add a line for work that is still to be done; 0 is none."""
        self.lines.append(Line(what, where, 0, waiting, "waiting" if waiting else "ok"))

    def count(self, verdict: Verdict) -> int:
        """How many lines came out so."""
        return sum(line.verdict == verdict for line in self.lines)

    def clean(self, live: bool) -> bool:
        """Whether all numbers agree; on a live system work may wait."""
        return not self.count("DIFFERENT") and (live or not self.count("waiting"))

    def sentence(self) -> str:
        """The outcome in one line."""
        different, waiting = self.count("DIFFERENT"), self.count("waiting")
        if not different and not waiting:
            return f"audit clean: {len(self.lines)} comparisons"
        worst = next(line for line in self.lines if line.verdict == ("DIFFERENT" if different else "waiting"))
        first = f"{worst.what} of {worst.where}: {worst.expected} expected, {worst.found} found"
        return f"audit: {different} different, {waiting} waiting of {len(self.lines)} comparisons; first: {first}"

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        lines = [{"what": one.what, "where": one.where, "expected": one.expected, "found": one.found, "verdict": one.verdict} for one in self.lines]
        return {"clean": self.clean(live=False), "different": self.count("DIFFERENT"), "waiting": self.count("waiting"), "lines": lines}
