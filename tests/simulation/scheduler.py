"""Virtual time and one thing at a time: the order of everything follows from a seed.

A process has an event loop of its own and jobs (blocking work in threads), as a worker has. One thread runs at a time, and a job
gives way wherever it would wait for the network. A process can be killed
(nothing of it runs again, nothing is cleaned up) or stopped and continued (nothing of it runs meanwhile; then it goes on as if
no time had passed, as after SIGSTOP and SIGCONT).
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from random import Random
from typing import Any

Action = Callable[[], None]


class Killed(BaseException):
    """Unwinds the threads of a process that has been killed."""


class _Thread:
    """A real thread. At any moment one thread of a scheduler runs: it carries out what is due, and hands over when that is another's work.

    A thread carries at most one job on its stack; while that is paused it goes on with what else is due, so that most pauses
    need no switch of threads.
    """

    _idle: list[_Thread] = []  # noqa: RUF012 one pool for all schedules of a test run

    def __init__(self) -> None:
        self._wake = threading.Lock()
        self._wake.acquire()
        self.scheduler: Scheduler | None = None
        self.job: Job | None = None
        self.free = True
        self.resumed = False
        threading.Thread(target=self._main, name="simulated", daemon=True).start()

    @classmethod
    def take(cls, scheduler: Scheduler, job: Job | None = None) -> _Thread:
        thread = cls._idle.pop() if cls._idle else cls()
        thread.scheduler, thread.job = scheduler, job
        return thread

    def rest(self) -> None:
        """Back into the pool. The thread must touch nothing but its own lock from here on."""
        self._idle.append(self)

    def _main(self) -> None:
        while True:
            self.block()
            assert self.scheduler is not None
            self.scheduler.begin(self)

    def block(self) -> None:
        self._wake.acquire()

    def wake(self) -> None:
        self._wake.release()


class Job:
    """Blocking work of a process."""

    def __init__(self, process: Process, work: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        self._process, self._work, self._future = process, work, future
        self._thread: _Thread | None = None
        self._result: Any = None
        self._error: BaseException | None = None
        self.finished = False

    def turn(self) -> None:
        """The job is due: to begin, or to go on after a pause."""
        scheduler = self._process.scheduler
        me = scheduler.driver
        assert me is not None
        if self.finished:
            return
        if self._thread is None:
            if me.free:
                self.run(me)
            else:
                scheduler.next = _Thread.take(scheduler, self)
        else:
            self._thread.resumed = True
            if self._thread is not me:
                scheduler.next = self._thread

    def run(self, thread: _Thread) -> None:
        """In ``thread``, from beginning to end, with pauses."""
        process = self._process
        self._thread, thread.free, process.scheduler.job = thread, False, self
        try:
            if process.alive:
                self._result = self._work()
        except BaseException as error:
            self._error = error
        self.finished, thread.free, process.scheduler.job = True, True, None
        process.jobs.remove(self)
        if process.alive:
            process.loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        if self._future.cancelled():
            return
        if self._error is not None:
            self._future.set_exception(self._error)
        else:
            self._future.set_result(self._result)

    def pause(self, seconds: float) -> None:
        """From within: let everything else go on for so long."""
        process = self._process
        if process.alive:
            assert self._thread is not None
            process.after(seconds, self.turn)
            process.scheduler.job = None
            process.scheduler.drive(self._thread)
            process.scheduler.job = self
        if not process.alive:
            raise Killed


class Loop(asyncio.AbstractEventLoop):
    """The event loop of one process. Callbacks run in the order they were asked for, as they do in asyncio; time is virtual."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._ready: deque[asyncio.Handle] = deque()
        self._due = False

    def time(self) -> float:
        return self._process.scheduler.now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:  # type: ignore[override]
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        if not self._due:
            self._due = True
            self._process.after(0.0, self._turn)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None) -> asyncio.TimerHandle:  # type: ignore[override]
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None) -> asyncio.TimerHandle:  # type: ignore[override]
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._process.after(when - self.time(), lambda: self._fire(handle))
        return handle

    def _fire(self, handle: asyncio.Handle) -> None:
        if not handle.cancelled():
            self._ready.append(handle)
            self._turn()

    def _turn(self) -> None:
        self._due = False
        asyncio._set_running_loop(self)
        try:
            ready = self._ready
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle.cancelled():
                    handle._run()
                if not self._process.alive:
                    return
        finally:
            asyncio._set_running_loop(None)
        if self._ready and not self._due:
            self._due = True
            self._process.after(0.0, self._turn)

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # noqa: ARG002
        return self._process.start(lambda: func(*args))

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: contextvars.Context | None = None) -> asyncio.Task[Any]:  # type: ignore[override]
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing: a cancelled handle is dropped when its time comes."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An error that nobody took. What a dead process leaves behind is no error."""
        if self._process.alive and not self._process.over:
            self._process.unhandled(context.get("exception") or RuntimeError(context["message"]))


class Process:
    """One process of the simulated machine. ``unhandled`` is told of errors that nobody took."""

    def __init__(self, scheduler: Scheduler, name: str, unhandled: Callable[[BaseException], None]) -> None:
        self.scheduler, self.name, self.unhandled = scheduler, name, unhandled
        self.alive, self.stopped, self.over = True, False, False
        self.jobs: list[Job] = []
        self.loop = Loop(self)
        self._held: list[Action] = []

    def after(self, seconds: float, action: Action) -> None:
        """Run ``action`` after so many seconds, unless the process is dead by then; if it is stopped, when it goes on."""
        self.scheduler.after(seconds, lambda: self._act(action))

    def _act(self, action: Action) -> None:
        if not self.alive:
            return
        if self.stopped:
            self._held.append(action)
            return
        action()

    def start(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Run blocking work in a thread of this process."""
        future = self.loop.create_future()
        job = Job(self, work, future)
        self.jobs.append(job)
        self.after(0.0, job.turn)
        return future

    def kill(self) -> None:
        """SIGKILL. What its threads are doing ends at their next look at the outside, and nothing they do until then is seen."""
        if self.alive:
            self.alive = False
            self._held.clear()
            for job in self.jobs:
                self.scheduler.after(0.0, job.turn)

    def stop(self) -> None:
        """SIGSTOP."""
        self.stopped = True

    def cont(self) -> None:
        """SIGCONT."""
        self.stopped = False
        held, self._held = self._held, []
        for action in held:
            self.after(0.0, action)


class Scheduler:
    """Runs what is due, in the order of virtual time. All chance of a schedule comes from ``random``.

    ``job`` is the blocking work that is running, ``driver`` the thread that runs, ``next`` the one it hands over to.
    """

    def __init__(self, seed: int | str) -> None:
        self.random = Random(seed)
        self.now = 0.0
        self.job: Job | None = None
        self.driver: _Thread | None = None
        self.next: _Thread | None = None
        self._heap: list[tuple[float, int, Action]] = []
        self._count = 0
        self._over = threading.Lock()
        self._over.acquire()
        self._done: Callable[[], bool] = lambda: True
        self._limit = 0.0
        self._error: BaseException | None = None

    def after(self, seconds: float, action: Action) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now + seconds, self._count, action))

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self.now

    def run(self, done: Callable[[], bool], limit: float) -> bool:
        """Until ``done``; False if that is not so at ``limit`` in virtual seconds, or if nothing is left to do."""
        self._done, self._limit = done, limit
        _Thread.take(self).wake()
        self._over.acquire()
        if self._error is not None:
            raise self._error
        return done()

    def begin(self, me: _Thread) -> None:
        """A thread takes over: with a job of its own, or to carry on."""
        self.driver = me
        job, me.job = me.job, None
        if job is not None:
            job.run(me)
        self.drive(me)

    def drive(self, me: _Thread) -> None:
        """Carry out what is due. Returns when the job on this thread's stack is, or, with none, when another thread has taken over."""
        heap = self._heap
        while not me.resumed:
            if self._error is not None or self._done() or not heap or heap[0][0] > self._limit:
                if me.free:
                    me.rest()
                    self._over.release()
                    return
                self._over.release()
                me.block()
                self.driver = me
                continue
            self.now, _, action = heapq.heappop(heap)
            try:
                action()
            except BaseException as error:
                self._error = error
            other, self.next = self.next, None
            if other is not None:
                if me.free:
                    me.rest()
                    other.wake()
                    return
                other.wake()
                me.block()
                self.driver = me
        me.resumed = False
