"""Runs a program as if it were a board: its standard input and output become the serial line on a TCP port.

Runs as a process of its own: `python -m tinylm.emulators.program PROGRAM`. Each connection gets a fresh program.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading

from tinylm.emulators.line import follow_parent

_CHUNK_BYTES = 65536


def serve(program: str) -> None:
    """Prints the port, then serves one connection after the other for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=follow_parent, daemon=True).start()
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with client:
                _connect(client, program)


def _connect(client: socket.socket, program: str) -> None:
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        answers = threading.Thread(target=_copy_answers, args=(process, client), daemon=True)
        answers.start()
        try:
            while came := client.recv(_CHUNK_BYTES):
                process.stdin.write(came)
        except OSError:
            pass  # either end went away
        process.stdin.close()
        answers.join()


def _copy_answers(process: subprocess.Popen, client: socket.socket) -> None:
    while came := os.read(process.stdout.fileno(), _CHUNK_BYTES):
        try:
            client.sendall(came)
        except OSError:
            break


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(sys.argv[1])
