"""`tinylm init`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("init", context_settings={"show_default": True})
@click.argument("name")
@click.option("--board", "-b", default="qemu-cortex-m4", help="Which board; `tinylm boards` lists them.")
@click.option("--budget", default="64K", help="Language bytes in flash at most: 24K, 256K, 1M.")
def command(name: str, board: str, budget: str) -> None:
    """Make a project folder NAME: a commented tinylm.toml, an example text, and a CI workflow that boots it.

    In that folder `tinylm build` alone is enough.
    """
    from tinylm.board import load_board
    from tinylm.budget import parse_bytes
    from tinylm.scaffold import view_project, write_project

    parse_bytes(budget)
    chosen = load_board(board)
    folder = Path(name)
    files = write_project(folder, view_project(name, chosen, budget))
    click.echo(f"'{folder}' is a project for {chosen.title}:")
    for path in files:
        click.echo(f"  {path}")
    click.echo(f"Next: cd {folder} && tinylm build && tinylm type --board {board}")
