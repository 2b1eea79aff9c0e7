"""The Starlette application: ``/`` takes statements as ClickHouse's HTTP interface does, ``/ping`` answers ``Ok.``."""

from __future__ import annotations

import hmac
import json
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from deploy.embedded.front.errors import AUTHENTICATION_FAILED, READONLY, FrontError
from deploy.embedded.front.execution import Answer, execute
from deploy.embedded.front.request import Asked, refuse_large, take_apart, text_fields
from deploy.embedded.front.sessions import Session, Sessions
from deploy.embedded.front.statement import READING, Statement, parse, refuse_outward
from sinks.in_process import open_folder

#: A page in a browser must not reach the front under another name (DNS rebinding).
LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]", "testserver"]

#: A reader's query may take this long: what the role of a server's readers says too.
LONGEST_QUERY_SECONDS = 60


@dataclass(frozen=True)
class User:
    """Who may connect. A reader's connections are ``readonly = 1``."""

    password: str
    reads_only: bool


class Front:
    """Serves one embedded ClickHouse. ``users`` by name."""

    def __init__(self, path: str, users: Mapping[str, User]) -> None:
        self._users = users
        self._sessions = Sessions(path)
        with open_folder(path) as connection:
            rows = connection.query("SELECT lower(name) FROM system.table_functions", "TabSeparated").bytes().decode()
            self._version, self._timezone = connection.query("SELECT version(), timezone()", "TabSeparated").bytes().decode().split()
        self._table_functions = frozenset(rows.split())
        self.app = Starlette(
            routes=[
                Route("/ping", lambda _: PlainTextResponse("Ok.\n")),
                Route("/", self._serve, methods=["GET", "POST"]),
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK_NAMES)],
        )

    def close(self) -> None:
        """Close the connections of waiting sessions."""
        self._sessions.close()

    async def _serve(self, request: Request) -> Response:
        try:
            asked = await _read(request)
            if not asked.query and not asked.body:
                return PlainTextResponse("Ok.\n")
            return await run_in_threadpool(self._answer, asked, request.query_params.get("query_id") or str(uuid.uuid4()))
        except FrontError as error:
            return self._failure(error)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it

    def _answer(self, asked: Asked, query_id: str) -> Response:
        user = self._authenticated(asked)
        statement = parse(asked.query, asked.body)
        self._refuse(statement, asked, user)
        session = self._sessions.take(asked.user, asked.session_id, asked.session_timeout, asked.session_check, _preparation(user))
        try:
            answer = execute(session.connection, statement, asked.parameters, asked.settings, asked.database, asked.default_format, kept=session.kept)
        except BaseException:
            self._sessions.release(session)
            raise
        tag = secrets.token_hex(8)
        headers = self._headers(query_id) | {"X-ClickHouse-Summary": json.dumps(answer.summary), "X-ClickHouse-Exception-Tag": tag}
        if answer.format:
            headers["X-ClickHouse-Format"] = answer.format
        return _Streamed(_sent(answer, tag), headers, lambda: self._release(session, answer))

    def _release(self, session: Session, answer: Answer) -> None:
        try:
            answer.close()
        finally:
            self._sessions.release(session)

    def _authenticated(self, asked: Asked) -> User:
        user = self._users.get(asked.user)
        if user is None or not hmac.compare_digest(user.password.encode(), asked.password.encode()):
            raise FrontError.refused(
                AUTHENTICATION_FAILED, "Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)"
            )
        return user

    def _refuse(self, statement: Statement, asked: Asked, user: User) -> None:
        if (user.reads_only or asked.reading_only) and statement.kind not in READING:
            raise FrontError.refused(READONLY, f"{asked.user}: Cannot execute query in readonly mode. (READONLY)")
        refuse_outward(statement, self._table_functions, asked.parameters)

    def _headers(self, query_id: str) -> dict[str, str]:
        return {"X-ClickHouse-Timezone": self._timezone, "X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Server-Display-Name": "embedded"}

    def _failure(self, error: FrontError) -> Response:
        headers = self._headers("") | {"X-ClickHouse-Exception-Code": str(error.code)}
        return PlainTextResponse(f"{error} (version {self._version})\n", status_code=error.status, headers=headers)


async def _read(request: Request) -> Asked:
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        refuse_large(size)
    body = b"".join(parts)
    form: dict[str, str] = {}
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        form, body = text_fields(request.headers["content-type"], body), b""
    return take_apart(request.method, request.query_params, request.headers, body, form)


def _preparation(user: User) -> Callable[[Any], None]:
    def prepare(connection: Any) -> None:
        if user.reads_only:
            connection.query(f"SET max_execution_time = {LONGEST_QUERY_SECONDS}")
            connection.query("SET readonly = 1")

    return prepare


def _sent(answer: Answer, tag: str) -> Iterator[bytes]:
    """The answer's bytes; an error midway is written behind them, in the form a server uses."""
    try:
        yield from answer.chunks
    except FrontError as error:
        message = str(error).encode()
        yield b"\r\n__exception__\r\n%b\r\n%b\n%d %b\r\n__exception__\r\n" % (tag.encode(), message, len(message) + 1, tag.encode())


class _Streamed(StreamingResponse):
    """Gives the connection back however the response ends, even if the client left before the first byte."""

    def __init__(self, chunks: Iterator[bytes], headers: dict[str, str], close: Callable[[], None]) -> None:
        super().__init__(chunks, headers=headers, media_type="application/octet-stream")
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()
