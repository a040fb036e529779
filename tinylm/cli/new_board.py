"""`tinylm new-board`."""

from __future__ import annotations

import click


@click.command("new-board")
@click.argument("name")
@click.option("--like", required=True, help="A listed board with the same chip, or a chip of its family.")
def command(name: str, like: str) -> None:
    """Start boards/NAME.toml, the file of a board that is not listed, from a listed one's.

    Commands that take --board find it there. docs/PORTING.md says what to change in it.
    """
    from tinylm.scaffold import write_board

    path = write_board(name, like)
    click.echo(f"'{path}' is a copy of {like}: correct title, memory, clock, serial line, flasher and notes.")
    click.echo(f"Next: tinylm build --board {name}")
