"""Which port to listen on: the one that was asked for or none, a default that may move."""

from __future__ import annotations

import logging
import socket

from deploy.errors import UserError

LOOPBACK = "127.0.0.1"
TRIES = 50

log = logging.getLogger(__name__)


def choose_port(asked: int | None, default: int, purpose: str) -> int:
    """A free TCP port on loopback: ``asked``, or else ``default`` or the next free one, which is said in the log.

    Raises UserError where the port asked for is taken or none is free. Another program can take the port before it is used:
    the caller must expect that.
    """
    if asked is not None:
        if not is_free(asked):
            raise UserError(f"port {asked} for the {purpose} is taken", "stop what listens there or choose another port")
        return asked
    for port in range(default, default + TRIES):
        if is_free(port):
            if port != default:
                log.warning("port %d is taken: the %s listens on %d", default, purpose, port)
            return port
    raise UserError(f"no free port between {default} and {default + TRIES - 1} for the {purpose}", "choose one in the settings")


def is_free(port: int) -> bool:
    """Whether nothing listens on the loopback port and it can be bound now."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
