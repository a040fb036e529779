"""Writes an image to a board, by the program that its TOML names or by copying it to the board's drive, and asks who it is.

Knows command lines and how a program is run; knows no flash protocol. flasher_output.py reads what programs say.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tinylm.attached import find_attached
from tinylm.board import Board
from tinylm.booting import BuiltImage
from tinylm.drive import copy_image
from tinylm.errors import TinylmError
from tinylm.flasher_output import OutputReader, explain_failure
from tinylm.link import BOOT_S, Device, Identity, identify_port
from tinylm.progress import Report
from tinylm.serial_port import open_port
from tinylm.toolchain import find_tool, require_tool

RETURN_S = 15.0
"""After flashing a board restarts, and one with its own USB goes away and comes back."""
ANSWER_S = BOOT_S
"""What one try to identify it may take."""
GONE_S = 5.0
"""A port may be away for a moment while a board restarts; a program is stopped when it is away for longer."""
_RETRY_S = 0.5
_LISTEN_S = 2.0
_LOG_LINES = 8
COPY = "copy"
_OLD_ESPTOOL = {"write-flash": "write_flash", "no-reset": "no_reset", "hard-reset": "hard_reset"}  # before version 5


@dataclass(frozen=True)
class Piece:
    """What is written: a file, and where it goes, in bytes from the start of the flash."""

    path: Path
    offset: int = 0


def flasher_tool(board: Board) -> str | None:
    """The tool of tinylm/toolchain.py that writes the board; None: none is needed, or nothing can be written."""
    return board.flasher.tool if board.flasher and board.flasher.tool != COPY else None


def require_flasher(board: Board) -> None:
    """Raises TinylmError for a board that has no flasher (an emulated one), or whose program is not installed."""
    if board.flasher is None:
        raise TinylmError(
            f"{board.name} ({board.title}) has nothing to flash that tinylm knows.",
            f"Its notes: tinylm boards {board.argument}. To run it: tinylm emulate --board {board.argument}",
        )
    if tool := flasher_tool(board):
        require_tool(tool)


def whole_image(image: BuiltImage) -> Piece:
    """The file that the board's flasher writes. Raises TinylmError when the build lacks it."""
    return Piece(_built_file(image, image.board.flasher.image))


def model_alone(image: BuiltImage) -> Piece:
    """The model without its firmware. Raises TinylmError for a board whose model is part of the firmware."""
    board = image.board
    if not board.has_model_apart:
        raise TinylmError(
            f"On {board.name} the model is part of the firmware and cannot be written alone.",
            f"Write all of it: tinylm flash --board {board.argument}",
        )
    return Piece(_built_file(image, f"model.{board.flasher.image}"), board.memory.model_offset)


def require_same_firmware(image: BuiltImage, port: str) -> None:
    """Asks the board for its firmware's fingerprint. Raises TinylmError when it is not that of the build: the model's constants
    and functions would be looked for at wrong places. Nothing was written then."""
    board = image.board
    again = f"Write firmware and model: tinylm flash --board {board.argument}"
    try:
        identity = identify_port(port, board.serial.baud, ANSWER_S)
    except TinylmError as error:
        raise TinylmError(
            f"{board.name} on '{port}' does not tell which firmware it has. {error.message}", again
        ) from error
    if identity.board != board.name:
        raise TinylmError(
            f"On '{port}' answers {identity.board}, not {board.name}.", "Name the right port: --port PATH"
        )
    built = image.record.get("fingerprint", 0)
    if identity.fingerprint != built:
        raise TinylmError(
            f"{image.record['model']} was built for firmware {built:08x}, but {board.name} has {identity.fingerprint:08x}: "
            "a network of another shape, another tinylm or another compiler. Nothing was written.",
            again,
        )


def _built_file(image: BuiltImage, wanted: str) -> Path:
    name = image.record.get("images", {}).get(wanted)
    if not name or not (image.folder / name).is_file():
        raise TinylmError(
            f"The build in '{image.folder}' has no {wanted} image.",
            f"Build it: tinylm build --board {image.board.argument}",
        )
    return image.folder / name


def needs_port(board: Board) -> bool:
    """Whether the board is written through its serial port (a debug probe and a drive need none)."""
    return any("{port}" in argument for argument in board.flasher.arguments)


def flash_command(board: Board, piece: Piece, port: str, baud: int | None = None) -> list[str]:
    """The command that writes a piece through `port`; the bare name of the program where it is not installed."""
    flasher = board.flasher
    program = find_tool(flasher.tool) or (flasher.tool,)
    values = {
        "port": port,
        "baud": baud or flasher.baud,
        "image": piece.path,
        "offset": f"{piece.offset:#x}",
        "address": f"{board.memory.flash.origin + piece.offset:#x}",
    }
    arguments = [argument.format(**values) for argument in flasher.arguments]
    if flasher.tool == "esptool":
        # A line over TCP has no reset wires; RFC 2217 has.
        arguments = [*_NO_RESET, *arguments] if port.startswith("socket://") else arguments
        old = _esptool_version(program) < 5
        arguments = [_OLD_ESPTOOL.get(a, a) for a in arguments] if old else arguments
    return [*program, *arguments]


_NO_RESET = ("--before", "no-reset", "--after", "no-reset")


def _esptool_version(program: tuple[str, ...]) -> int:
    """The major number; that of the newest syntax where it cannot be told."""
    try:
        done = subprocess.run([*program, "version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 5
    found = re.search(r"v?(\d+)\.\d+", done.stdout)
    return int(found[1]) if found else 5


def write_piece(board: Board, piece: Piece, port: str, baud: int | None, report: Report) -> None:
    """Runs the board's program. Raises TinylmError when the port cannot be used, or the program fails or is stopped."""
    require_flasher(board)
    if needs_port(board) and "://" not in port:
        open_port(port, board.serial.baud).close()  # words no such port, busy and no permission better than programs do
    reader = OutputReader(report)
    status = _run(flash_command(board, piece, port, baud), reader, board, port)
    if status:
        notes = " ".join(board.notes.split())
        raise explain_failure(board.flasher.tool, reader, status, board.argument, port, notes)


def copy_piece(piece: Piece, folder: Path, board: Board, report: Report) -> None:
    """Copies a piece to the board's drive. Raises TinylmError when the drive is another's, goes away or refuses."""
    try:
        copy_image(piece.path, folder, board.flasher.drive, report)
    except KeyboardInterrupt:
        raise _stopped(board) from None


def _run(command: list[str], reader: OutputReader, board: Board, port: str) -> int:
    """Runs a program, its output read by a thread so that a port that vanished is noticed while it says nothing."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "200"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    ) as process:
        output: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=_read_all, args=(process, output), daemon=True).start()
        seen = time.monotonic()
        try:
            while True:
                try:
                    received = output.get(timeout=_RETRY_S)
                except queue.Empty:
                    received = None
                if received == b"":
                    return process.wait()
                reader.push(received or b"")
                if not needs_port(board) or _is_there(port):
                    seen = time.monotonic()
                elif time.monotonic() - seen > GONE_S:
                    _end(process)
                    raise TinylmError(
                        f"'{port}' went away while {board.flasher.tool} was writing: {board.name} may not start now.",
                        f"Plug it in firmly (no hub), then write it again: tinylm flash --board {board.argument}",
                    )
        except KeyboardInterrupt:
            _end(process)
            raise _stopped(board) from None


def _read_all(process: subprocess.Popen, output: queue.Queue[bytes]) -> None:
    while received := os.read(process.stdout.fileno(), 4096):
        output.put(received)
    output.put(b"")


def _is_there(port: str) -> bool:
    return "://" in port or sys.platform == "win32" or os.path.exists(port)


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()


def _stopped(board: Board) -> TinylmError:
    error = TinylmError(
        f"Stopped while {board.name} was being written: what it holds now may not start.",
        f"Write it again: tinylm flash --board {board.argument}",
    )
    error.exit_code = 130
    return error


def await_identity(image: BuiltImage, port: str | None) -> Identity | None:
    """Waits for the board that was written and asks it who it is. None: no serial port of it is known.

    Args:
        port: where it answers; None, or a port that went away: the one attached port with the board's USB id.
    Raises TinylmError: silence (with what it sent instead), a failed check, another board, another model.
    """
    board, deadline = image.board, time.monotonic() + RETURN_S
    while True:
        place = port if port and _is_there(port) else _attached_port(board)
        try:
            if place:
                return _identify(image, place)
        except TinylmError as error:
            if time.monotonic() > deadline:
                raise _with_log(error, place, board) from error
        if not place and time.monotonic() > deadline:
            if port is None:
                return None
            raise TinylmError(
                f"The image was written, but the port '{port}' did not come back in {RETURN_S:.0f} s.",
                f"Press RESET or plug {board.name} in again, then: tinylm type --port PORT",
            )
        time.sleep(_RETRY_S)


def _attached_port(board: Board) -> str | None:
    found = find_attached([board])
    return found[0].path if len(found) == 1 else None


def _identify(image: BuiltImage, port: str) -> Identity:
    board, record = image.board, image.record
    with Device.open(port, board.serial.baud, boot_s=ANSWER_S) as device:
        identity = device.identity
    if identity.board != board.name:
        raise TinylmError(
            f"On '{port}' answers {identity.board}, not {board.name}: another board has this port.",
            "Name the port of the board that was written: tinylm type --port PORT",
        )
    if identity.model_hash != record["model_hash"]:
        raise TinylmError(
            f"{board.name} on '{port}' still holds model {identity.model} ({identity.model_hash:08x}), "
            f"not {record['model']} ({record['model_hash']:08x}).",
            f"Press RESET, then: tinylm type --port {port}. If it is the old model: tinylm flash --board {board.argument}",
        )
    return identity


def _with_log(error: TinylmError, port: str, board: Board) -> TinylmError:
    """The error with the last lines that the board sends after a reset: a boot ROM says there why it does not start."""
    lines = _listen(port, board.serial.baud)
    if not lines:
        return TinylmError(f"The image was written, but: {error.message}", error.hint)
    log = "\n".join(f"  | {line}" for line in lines)
    return TinylmError(f"The image was written, but: {error.message} After a reset it sends:\n{log}", error.hint)


def _listen(port: str, baud: int) -> list[str]:
    """Printable lines that come in the seconds after a pulse on the reset wires, where there are any."""
    received, deadline = b"", time.monotonic() + _LISTEN_S
    try:
        line = open_port(port, baud)
        try:
            with contextlib.suppress(OSError, AttributeError):  # a pseudo-terminal and a socket have no such wires
                line.dtr, line.rts = False, True
                time.sleep(0.1)
                line.rts = False
            while time.monotonic() < deadline:
                received += line.read(max(1, line.in_waiting))
        finally:
            line.close()
    except (TinylmError, OSError):
        pass  # the first error says enough
    lines = ["".join(c for c in line if c.isprintable()) for line in received.decode("utf-8", "replace").splitlines()]
    return [line for line in lines if line.strip()][-_LOG_LINES:]
