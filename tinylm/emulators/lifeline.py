"""Runs a program that must not outlive its parent: `python lifeline.py PROGRAM ARGUMENT...`.

Standard input is a pipe from the parent; when it ends, the program is stopped. Imports nothing of tinylm.
"""

import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False) as process:

        def stop_with_parent() -> None:
            while os.read(0, 4096):
                pass
            process.kill()

        threading.Thread(target=stop_with_parent, daemon=True).start()
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
