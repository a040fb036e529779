"""`tinylm flash`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command("flash")
@click.option("--board", "-b", help="Which board; `tinylm boards` lists them.  [default: the project's]")
@click.option("--port", "-p", help="Serial port.  [default: the one with the board's USB id]")
@click.option("--build", "folder", type=click.Path(path_type=Path), help="Build folder.  [default: build/BOARD]")
@click.option("--dry-run", is_flag=True, help="Print the command instead of running it.")
def command(board: str | None, port: str | None, folder: Path | None, dry_run: bool) -> None:
    """Write a built image to a board, then ask the board who it is."""
    from tinylm.attached import choose_attached
    from tinylm.board import load_board
    from tinylm.booting import find_image, name_board
    from tinylm.flashing import flash, flash_command, require_flasher
    from tinylm.toolchain import find_tool, install_command

    chosen = load_board(name_board(board))
    if not dry_run or not chosen.flasher:
        require_flasher(chosen)
    image = find_image(chosen.name, folder)
    if dry_run:
        click.echo(shlex.join(flash_command(image, port or _likely_port(chosen))))
        if not find_tool(chosen.flasher.tool):
            click.echo(f"{chosen.flasher.tool} is not installed: {install_command(chosen.flasher.tool)}", err=True)
        return
    hint = "Plug the board in (a cable that carries data), or name the port: --port PATH."
    place = port or choose_attached([chosen], hint).path
    click.echo(f"Writing {image.record['model']} to {chosen.title} on {place}.")
    identity = flash(image, place)
    click.echo(f"{identity.board} answers: firmware {identity.firmware}, model {identity.model} "
               f"({identity.model_hash:08x}), self-test passed.")  # fmt: skip
    click.echo(f"Next: tinylm type --port {place}")


def _likely_port(board: object) -> str:
    """The attached board's port, else the word PORT: a dry run is for reading."""
    from tinylm.attached import find_attached

    found = find_attached([board])
    return found[0].path if len(found) == 1 else "PORT"
