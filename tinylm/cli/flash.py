"""`tinylm flash`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from tinylm.cli.console import progress_bars


@click.command("flash")
@click.option("--board", "-b", help="Which board; `tinylm boards` lists them.  [default: the project's]")
@click.option("--port", "-p", help="Serial port.  [default: the one with the board's USB id]")
@click.option(
    "--drive",
    type=click.Path(path_type=Path),
    help="For boards that are a USB drive: its folder.  [default: the one there]",
)
@click.option("--baud", type=click.IntRange(min=1200), help="Speed of writing.  [default: the board's]")
@click.option("--build", "folder", type=click.Path(path_type=Path), help="Build folder.  [default: build/BOARD]")
@click.option("--model-only", is_flag=True, help="Write the model alone; the firmware on the board stays as it is.")
@click.option("--dry-run", is_flag=True, help="Print the command instead of running it.")
def command(
    board: str | None,
    port: str | None,
    drive: Path | None,
    baud: int | None,
    folder: Path | None,
    model_only: bool,
    dry_run: bool,
) -> None:
    """Write a built image to a board, check it, then ask the board who it is."""
    from tinylm.board import load_board
    from tinylm.booting import find_image, name_board
    from tinylm.flashing import model_alone, require_flasher, whole_image

    asked = name_board(board)
    chosen = load_board(asked)
    if not dry_run or not chosen.flasher:
        require_flasher(chosen)
    image = find_image(asked, folder)
    piece = model_alone(image) if model_only else whole_image(image)
    if dry_run:
        _show_command(chosen, piece, port, drive, baud)
        return
    place = _write(image, piece, port, drive, baud)
    _show_identity(image, place)


def _show_command(board: Any, piece: Any, port: str | None, drive: Path | None, baud: int | None) -> None:
    """For reading and copying: nothing need be attached or installed."""
    from tinylm.attached import find_attached
    from tinylm.flashing import flash_command, flasher_tool
    from tinylm.toolchain import find_tool, install_command

    if board.flasher.drive:
        click.echo(shlex.join(["cp", str(piece.path), str(drive or board.flasher.drive.label)]))
        return
    found = find_attached([board])
    likely = port or (found[0].path if len(found) == 1 else "PORT")
    click.echo(shlex.join(flash_command(board, piece, likely, baud)))
    if not find_tool(flasher_tool(board)):
        click.echo(f"{board.flasher.tool} is not installed: {install_command(board.flasher.tool)}", err=True)


def _write(image: Any, piece: Any, port: str | None, drive: Path | None, baud: int | None) -> str | None:
    """Returns the port where the board is to answer, if it is known."""
    from tinylm.attached import choose_attached
    from tinylm.drive import find_drive
    from tinylm.flashing import copy_piece, needs_port, require_same_firmware, write_piece

    board = image.board
    notes = " ".join(board.notes.split())
    if board.flasher.drive:
        target = drive or find_drive(board.flasher.drive, board.title, notes)
    elif needs_port(board):
        hint = "Plug the board in (a cable that carries data), or name the port: --port PATH."
        target = port = port or choose_attached([board], hint).path
    else:
        target = "its debugger"
    if piece.offset and board.flasher.boot_loader:
        click.echo(f"{board.name} is in its boot loader and is not asked which firmware it has: a model that is another "
                   "firmware's is refused when it starts.")  # fmt: skip
    elif piece.offset:
        asked = port or choose_attached([board], "Name the port of its serial line: --port PATH.").path
        require_same_firmware(image, asked)
    click.echo(f"Writing {image.record['model']} to {board.title} on {target}.")
    with progress_bars() as report:
        if board.flasher.drive:
            copy_piece(piece, target, board, report)
        else:
            write_piece(board, piece, port or "", baud, report)
    return None if board.flasher.boot_loader and needs_port(board) else port


def _show_identity(image: Any, port: str | None) -> None:
    from tinylm.flashing import await_identity

    identity = await_identity(image, port)
    if identity is None:
        click.echo("Written. No serial port of the board is here, so it was not asked who it is.")
        click.echo("Next: connect its serial line, then tinylm type --port PORT")
        return
    click.echo(f"{identity.board} answers: firmware {identity.firmware}, model {identity.model} "
               f"({identity.model_hash:08x}), self-test passed.")  # fmt: skip
    click.echo("Next: tinylm type" + (f" --port {port}" if port else ""))
