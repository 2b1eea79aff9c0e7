"""What an operator asks a running process over HTTP: ``/metrics``, ``/livez``, ``/readyz``, ``/version``.

``/livez`` asks only whether the process's own loop still turns: a shared dependency that is down must not make a platform restart
every process at once. ``/readyz`` lists what the process waits for.
"""

from __future__ import annotations

import errno
import json
import logging
import platform
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from deploy.embedded.ports import choose_port
from deploy.errors import UserError
from deploy.settings import ProbeSettings
from deploy.version import version
from schemas.telemetry import Telemetry

#: Where a process answers when the settings name no port: it takes the next free one if its own is taken.
DEFAULT_PORTS = {"worker": 9101, "sink": 9102, "clock": 9103}

log = logging.getLogger(__name__)


class Watched(Protocol):
    """What a process tells its probes; both are asked from another thread and must not block."""

    def live(self) -> bool:
        """Whether the process's own loop has made progress lately."""

    def waiting_for(self) -> list[str]:
        """What stands between the process and work; empty when it is ready."""


class Probes:
    """``with Probes(settings.probes, "worker", worker, telemetry):`` serves from a thread until the context is left."""

    def __init__(self, settings: ProbeSettings, process: str, watched: Watched, telemetry: Telemetry) -> None:
        self._settings = settings
        self._process = process
        self._watched = watched
        self._telemetry = telemetry
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    def start(self) -> None:
        """Listen. Raises UserError where the port asked for is taken. Does nothing where probes are switched off."""
        if not self._settings.enabled:
            return
        telling = {"version": version(), "python": platform.python_version()}
        self._telemetry.gauge("crm_build_info").labels(**telling).set(1)
        self._server = self._listen(_handler(self._process, self._watched, self._telemetry, telling))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="probes", daemon=True).start()
        log.info("probes of the %s: http://%s:%d/readyz", self._process, self._settings.host, self.port)

    def stop(self) -> None:
        """Stop listening. Does nothing if it does not."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def _listen(self, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
        asked = self._settings.port
        while True:
            port = choose_port(None, DEFAULT_PORTS[self._process], f"{self._process}'s probe port") if asked is None else asked
            try:
                return ThreadingHTTPServer((self._settings.host, port), handler)
            except OSError as error:
                if asked is None and error.errno == errno.EADDRINUSE:  # another process was quicker: look again
                    continue
                raise UserError(
                    f"probes cannot listen on {self._settings.host}:{port}: {error.strerror}", "choose another FENGHUO_PROBES__PORT or FENGHUO_PROBES__HOST"
                ) from None

    def __enter__(self) -> Probes:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _handler(process: str, watched: Watched, telemetry: Telemetry, telling: dict[str, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._send(200, CONTENT_TYPE_LATEST, generate_latest(telemetry.registry))
            elif path == "/livez":
                live = watched.live()
                self._json(200 if live else 503, {"live": live})
            elif path == "/readyz":
                waiting = watched.waiting_for()
                self._json(503 if waiting else 200, {"ready": not waiting, "waiting_for": waiting})
            elif path == "/version":
                self._json(200, {"process": process} | telling)
            else:
                self._json(404, {"paths": ["/metrics", "/livez", "/readyz", "/version"]})

        def _json(self, status: int, body: object) -> None:
            self._send(status, "application/json", json.dumps(body, ensure_ascii=False).encode() + b"\n")

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A probe a second is no news."""

    return Handler
