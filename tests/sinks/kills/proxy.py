"""A TCP proxy that can lose the answer to an insert which ClickHouse has carried out."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Proxy:
    """Listens on ``port``, forwards to ``target``. ``lose`` answers to come are read from ClickHouse and dropped with their connection."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._to_lose = 0
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, answers: int) -> None:
        with self._lock:
            self._to_lose = answers

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as server:
            inserting = threading.Event()
            upstream = threading.Thread(target=self._forward, args=(client, server, inserting), daemon=True)
            upstream.start()
            while answer := server.recv(1 << 16):
                if inserting.is_set():
                    with self._lock:
                        if self._to_lose:
                            self._to_lose -= 1
                            self.lost += 1
                            client.shutdown(socket.SHUT_RDWR)  # to close is not enough while another thread reads
                            return
                    inserting.clear()
                client.sendall(answer)
            client.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _forward(client: socket.socket, server: socket.socket, inserting: threading.Event) -> None:
        with suppress(OSError):
            while asked := client.recv(1 << 16):
                if b"INSERT" in asked:
                    inserting.set()
                server.sendall(asked)
            server.shutdown(socket.SHUT_WR)
