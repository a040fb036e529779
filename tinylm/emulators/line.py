"""The emulated end of a serial line: a TCP server for one client at a time. Knows sockets; knows no chip."""

from __future__ import annotations

import os
import select
import socket
import sys
import threading

_CHUNK_BYTES = 65536


class Line:
    """Bytes from and to whoever is connected to 127.0.0.1:`port`. What is sent while nobody is there is lost.

    `waiting` holds received bytes in reverse order, so that `waiting.pop()` is the next one.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None
        self.port: int = self._listener.getsockname()[1]
        self.waiting = bytearray()
        self.unsent = bytearray()

    def announce(self) -> None:
        """Tells the parent process the port, in a line on standard output, and ends this process with the parent."""
        print(self.port, flush=True)
        threading.Thread(target=follow_parent, daemon=True).start()

    def wait(self) -> None:
        """Sends what is unsent and blocks until a byte is waiting. A client that went away is replaced by the next."""
        while not self.waiting:
            self._flush()
            if self._client is None:
                self._client, _ = self._listener.accept()
                self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._receive()

    def poll(self) -> bool:
        """Sends what is unsent, takes what has come, does not block. Returns whether a byte is waiting."""
        self._flush()
        if self._client is not None and select.select([self._client], [], [], 0)[0]:
            self._receive()
        return bool(self.waiting)

    def send(self, byte: int) -> None:
        """Queues a byte; `wait`, `poll` or a full buffer sends it."""
        self.unsent.append(byte)
        if len(self.unsent) >= _CHUNK_BYTES:
            self._flush()

    def _receive(self) -> None:
        try:
            came = self._client.recv(_CHUNK_BYTES)
        except OSError:
            came = b""
        if not came:
            self._client.close()
            self._client = None
        self.waiting[:0] = came[::-1]

    def _flush(self) -> None:
        if self._client is not None and self.unsent:
            try:
                self._client.sendall(self.unsent)
            except OSError:
                pass  # the client is gone; the next read finds that out
        self.unsent.clear()


def follow_parent() -> None:
    """Standard input is a pipe from the parent: it ends when the parent does, however that comes about."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)
