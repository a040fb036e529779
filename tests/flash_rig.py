"""What tests of flashing share: a stand-in program, a terminal that is a port, and builds that need no compiler."""

from __future__ import annotations

import json
import os
import pty
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models import tiny_word_model
from test_cli_type import Usb

__all__ = ["Usb", "called", "crashing_board", "fake_build", "fake_program", "terminal"]


def fake_build(folder: Path, board: str, image: str, **record: object) -> Path:
    """A build folder as far as flashing reads it: build.json and an image of one format."""
    folder.mkdir()
    said = {"board": board, "model": "tiny-word", "model_hash": tiny_word_model().hash}
    (folder / "build.json").write_text(json.dumps(said | {"images": {image: f"firmware.{image}"}} | record))
    (folder / f"firmware.{image}").write_bytes(bytes(range(256)) * 300)
    return folder


def fake_program(folder: Path, name: str, says: str = "", status: int = 0, sleeps_s: float = 0) -> Path:
    """A program for PATH that writes its arguments to `called`, says something and ends. Returns its folder."""
    folder.mkdir(exist_ok=True)
    (folder / "says").write_text(says)
    program = folder / name
    lines = (
        f"#!{sys.executable}",
        "import sys, time",
        f"open({str(folder / 'called')!r}, 'w').write(chr(10).join(sys.argv[1:]))",
        f"print(open({str(folder / 'says')!r}).read(), flush=True)",
        f"time.sleep({sleeps_s})",
        f"sys.exit({status})",
    )
    program.write_text("\n".join(lines))
    program.chmod(0o755)
    return folder


def called(folder: Path) -> list[str]:
    """The arguments that a stand-in was started with."""
    return (folder / "called").read_text().split("\n")


@contextmanager
def terminal() -> Iterator[str]:
    """The path of a pseudo-terminal: a port that opens and says nothing."""
    ours, theirs = pty.openpty()
    try:
        yield os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


@contextmanager
def crashing_board() -> Iterator[str]:
    """A port on which a boot ROM says over and over why it starts nothing."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    stop = threading.Event()

    def complain() -> None:
        while not stop.wait(0.2):
            os.write(ours, b"ESP-ROM\r\ninvalid header: 0xffffffff\r\n")

    speaker = threading.Thread(target=complain)
    speaker.start()
    try:
        yield os.ttyname(theirs)
    finally:
        stop.set()
        speaker.join()
        os.close(ours)
        os.close(theirs)
