"""Which boards hang on this computer's USB. Knows USB ids from the boards' files; opens nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinylm.board import Board, board_names, load_board
from tinylm.errors import TinylmError
from tinylm.serial_port import describe_ports


@dataclass(frozen=True)
class AttachedPort:
    """A serial port that may be a board: several boards share the id of their USB chip."""

    path: str
    description: str
    boards: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path} ({self.description}: {' or '.join(self.boards)})"


def find_attached(boards: Sequence[Board] | None = None) -> list[AttachedPort]:
    """The ports whose USB id is one of the boards' (default: of all boards)."""
    from serial.tools import list_ports

    known = boards if boards is not None else [load_board(name) for name in board_names()]
    found = []
    for port in sorted(list_ports.comports()):
        if port.vid is None or port.pid is None:
            continue
        usb_id = f"{port.vid:04x}:{port.pid:04x}"
        names = tuple(board.name for board in known if board.usb and usb_id in board.usb.ids)
        if names:
            found.append(AttachedPort(port.device, port.description or usb_id, names))
    return found


def choose_attached(boards: Sequence[Board] | None, otherwise: str) -> AttachedPort:
    """The one port that may be such a board. Raises TinylmError: none (`otherwise` is the hint), or several."""
    found = find_attached(boards)
    if len(found) == 1:
        return found[0]
    wanted = boards[0].name if boards and len(boards) == 1 else "a board"
    if found:
        listed = ", ".join(map(str, found))
        raise TinylmError(f"{len(found)} ports may be {wanted}: {listed}.", f"Choose one: --port {found[0].path}")
    raise TinylmError(f"No port looks like {wanted}. {describe_ports()}", otherwise)
