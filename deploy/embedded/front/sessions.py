"""Connections to the embedded ClickHouse: one a request, or one a session, which keeps temporary tables and ``SET``.

A connection costs under a millisecond. Session state is the connection's, so requests of one session take turns: one
that would wait long is refused, as a server does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deploy.embedded.front.errors import SESSION_IS_LOCKED, SESSION_NOT_FOUND, FrontError
from sinks.in_process import open_folder

LONGEST_SESSION_SECONDS = 3600.0
MOST_SESSIONS = 500
#: How long a request waits for the one before it in its session: a client that leaves an answer early asks again at once.
LOCK_SECONDS = 1.0


@dataclass
class Session:
    """A connection in use, or waiting for the next request of its session. ``expires`` is monotonic seconds."""

    connection: Any
    kept: bool
    timeout: float = 0.0
    expires: float = 0.0
    busy: threading.Lock = field(default_factory=threading.Lock)


class Sessions:
    """Opens connections on one folder and keeps those of sessions until they expire."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._kept: dict[tuple[str, str], Session] = {}
        self._lock = threading.Lock()

    def take(self, user: str, session_id: str | None, timeout: float, check: bool, prepare: Callable[[Any], None]) -> Session:
        """A connection for one request; ``prepare`` runs once on a new one. Give it back with ``release``.

        Raises FrontError where the session is in use, where ``check`` asks for one that is not there, or where no connection can be opened.
        """
        if session_id is None:
            return Session(self._open(prepare), kept=False)
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            with self._lock:
                self._drop_expired()
                session = self._kept.get((user, session_id))
                if session is None:
                    if check:
                        raise FrontError.refused(SESSION_NOT_FOUND, "Session not found. (SESSION_NOT_FOUND)")
                    session = self._kept[user, session_id] = Session(self._open(prepare), kept=True)
                if session.busy.acquire(blocking=False):
                    session.timeout = min(timeout, LONGEST_SESSION_SECONDS)
                    return session
            if time.monotonic() > deadline:
                raise FrontError.refused(SESSION_IS_LOCKED, "Session is locked by a concurrent client. (SESSION_IS_LOCKED)")
            time.sleep(0.01)

    def release(self, session: Session) -> None:
        """Give a connection back: it is closed, or waits for the session's next request."""
        if session.kept:
            session.expires = time.monotonic() + session.timeout
            session.busy.release()
        else:
            session.connection.close()

    def close(self) -> None:
        """Close every waiting connection."""
        with self._lock:
            while self._kept:
                self._kept.popitem()[1].connection.close()

    def _open(self, prepare: Callable[[Any], None]) -> Any:
        try:
            connection = open_folder(self._path)
        except RuntimeError as error:
            raise FrontError.from_engine(error) from None
        try:
            prepare(connection)
        except Exception:
            connection.close()
            raise
        return connection

    def _drop_expired(self) -> None:
        now = time.monotonic()
        waiting = sorted(((session.expires, key) for key, session in self._kept.items() if not session.busy.locked()))
        surplus = len(self._kept) - MOST_SESSIONS
        for position, (expires, key) in enumerate(waiting):
            if expires < now or position < surplus:
                self._kept.pop(key).connection.close()
