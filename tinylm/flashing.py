"""Writes an image to a board with the program that its TOML names. Knows command lines; knows no flash protocol."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tinylm.board import Board
from tinylm.booting import BuiltImage
from tinylm.errors import TinylmError
from tinylm.link import Device, Identity
from tinylm.toolchain import find_tool, require_tool

RETURN_S = 15.0
"""After flashing a board restarts, and one with its own USB goes away and comes back."""
_RETRY_S = 0.5


def require_flasher(board: Board) -> None:
    """Raises TinylmError for a board that cannot be flashed (an emulated one), or whose program is not installed."""
    if board.flasher is None:
        raise TinylmError(
            f"{board.name} ({board.title}) has nothing to flash.", f"Run it: tinylm emulate --board {board.name}"
        )
    require_tool(board.flasher.tool)


def image_path(image: BuiltImage) -> Path:
    """The file that the board's flasher writes. Raises TinylmError when the build lacks it."""
    wanted = image.board.flasher.image
    name = image.record.get("images", {}).get(wanted)
    if not name or not (image.folder / name).is_file():
        raise TinylmError(
            f"The build in '{image.folder}' has no {wanted} image.",
            f"Build it: tinylm build --board {image.board.name}",
        )
    return image.folder / name


def flash_command(image: BuiltImage, port: str) -> list[str]:
    """The command that writes the image through `port`; the bare name of the program where it is not installed."""
    flasher = image.board.flasher
    program = find_tool(flasher.tool) or (flasher.tool,)
    path = str(image_path(image))
    return [*program, *(argument.format(port=port, image=path) for argument in flasher.arguments)]


def flash(image: BuiltImage, port: str) -> Identity:
    """Runs the flasher, its output passed on as it comes, then asks the board who it is.

    Raises TinylmError when the program fails, or the board does not come back with the image's model.
    """
    require_flasher(image.board)
    command = flash_command(image, port)
    try:
        status = subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        raise TinylmError(
            f"Stopped while {image.board.flasher.tool} was writing: what the board holds now may not start.",
            f"Write it again: tinylm flash --board {image.board.name}",
        ) from None
    if status:
        raise TinylmError(
            f"{image.board.flasher.tool} failed on '{port}' (exit code {status}).",
            f"What it said stands above; on this board: {' '.join(image.board.notes.split())}",
        )
    return _identify(image, port)


def _identify(image: BuiltImage, port: str) -> Identity:
    deadline = time.monotonic() + RETURN_S
    while True:
        try:
            with Device.open(port, image.board.serial.baud, model_hash=image.record["model_hash"]) as device:
                return device.identity
        except TinylmError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)
