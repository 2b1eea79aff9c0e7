"""Where the CPU time goes, by sampling: a timer interrupts the program and notes which step it is in and which function it is at.

Unlike a tracing profiler it does not slow small functions down, so the shares are those of the program as it runs.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping
from types import CodeType, FrameType, TracebackType
from typing import Final

_INTERVAL_SECONDS: Final = 0.001


class Sampler:
    """``with Sampler(steps) as sampler: ...`` in the main thread. ``steps`` names the step that a function begins.

    A sample counts for the innermost step on the stack, ``rest`` where there is none, and for the innermost function of ours.
    """

    def __init__(self, steps: Mapping[CodeType, str]) -> None:
        self._steps = steps
        self.by_step: Counter[str] = Counter()
        self.by_function: Counter[str] = Counter()

    @property
    def samples(self) -> int:
        return self.by_step.total()

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        code = frame.f_code
        self.by_function[f"{'/'.join(code.co_filename.rsplit('/', 2)[1:])}:{code.co_qualname}"] += 1
        step: str | None = None
        while frame is not None and step is None:
            step = self._steps.get(frame.f_code)
            frame = frame.f_back
        self.by_step[step or "rest"] += 1

    def __enter__(self) -> Sampler:
        self._before = signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL_SECONDS, _INTERVAL_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._before)
