"""What is wrong with a policy pack: each problem names file, line and remedy, and all of them are told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to put right. ``line`` counts from 1; 0 where the file as a whole is meant."""

    file: str
    line: int
    message: str
    remedy: str

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.message}; {self.remedy}"


class PackError(Exception):
    """A pack that must not be used. ``problems`` is never empty; ``file``, ``line``, ``message``, ``remedy`` are the first one's."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        first = self.problems[0]
        self.file, self.line, self.message, self.remedy = first.file, first.line, first.message, first.remedy
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Unreadable(ValueError):
    """One value of a pack file that cannot be used; the place is added by whoever knows it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def suggestion(word: str, known: Iterable[str]) -> str:
    """``did you mean X?``, or the choices where none is near."""
    choices = sorted(known)
    near = get_close_matches(word, choices, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"choose one of: {', '.join(choices)}" if len(choices) <= 25 else "see docs/metrics.md for the names there are"
