"""What goes wrong in a schedule, and when: drawn from the seed before it begins, counted in steps so that faults strike where work is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Literal

from tests.simulation.scheduler import Process, Scheduler

#: ``stop`` outlasts the session, ``pause`` does not.
Fault = Literal["kill", "stop", "pause", "join", "leave"]
Strike = Callable[[Fault, Process], None]

#: Steps of an undisturbed schedule, about: faults strike among as many.
STEPS = 220
#: Joins and leaves, by turns, of a schedule whose partitions move to and fro.
MOVES = 12


class Faults:
    """``strike`` carries out a fault on the process whose step it is. ``counts`` says how often each fault struck at each step.

    With ``to_and_fro`` workers do nothing but join and leave, so that partitions go to another worker and come back.
    """

    def __init__(self, scheduler: Scheduler, kinds: list[Fault], strike: Strike, fencing: bool, to_and_fro: bool = False) -> None:
        random = scheduler.random
        self._scheduler = scheduler
        self._strike = strike
        self._fencing = fencing
        self._plan: dict[int, Fault] = (
            {step: ("leave", "join")[turn % 2] for turn, step in enumerate(sorted(random.sample(range(1, 2 * STEPS), MOVES)), 1)}
            if to_and_fro
            else {random.randint(1, STEPS): random.choice(kinds) for _ in range(random.choice((0, 1, 1, 2, 3, 5)))}
        )
        self._trouble = random.choice((0.0, 0.0, 0.02, 0.2))
        self._slow = random.choice((0.0, 0.0, 0.01, 0.05))
        self._elections = Random(repr(self._plan))
        self._steps = 0
        self.counts: Counter[tuple[Fault | Literal["fenced"], str]] = Counter()
        self.excused: set[str] = set()
        self.wrongly_fenced: list[str] = []
        self.calm = False

    def step(self, process: Process, name: str) -> bool:
        """A process is about to speak to the broker, or has just been answered. Whether a fault has struck it."""
        self._steps += 1
        fault = self._plan.pop(self._steps, None)
        if fault is None or self.calm:
            return False
        self.counts[fault, name] += 1
        self._strike(fault, process)
        return True

    def latency(self) -> float:
        """Seconds that one message takes: a few milliseconds, or very long."""
        random = self._scheduler.random
        if not self.calm and random.random() < self._slow:
            return random.uniform(0.1, 2.0)
        return random.uniform(0.0005, 0.01)

    def trouble(self) -> Literal["again", "abort"] | None:
        """What the coordinator says to a commit instead of taking it."""
        random = self._scheduler.random
        if self.calm or random.random() >= self._trouble:
            return None
        return "again" if random.random() < 0.5 else "abort"

    def leaderless(self) -> bool:
        """Whether a question about offsets comes while a leader is being elected."""
        return not self.calm and self._elections.random() < self._trouble

    def put_out(self, process: Process) -> None:
        """The group has given a process up; the process may not know it yet. Without fencing it must not wake: two would write."""
        self.excused.add(process.name)
        if not self._fencing and process.alive:
            self._strike("kill", process)

    def fenced(self, process: Process, by: str) -> None:
        """Only who was put out may find itself fenced, or whom such a one has fenced: it wakes while it opens a partition, and goes on."""
        self.counts["fenced", "send"] += 1
        if by in self.excused:
            self.excused.add(process.name)
        if process.name not in self.excused:
            self.wrongly_fenced.append(process.name)
