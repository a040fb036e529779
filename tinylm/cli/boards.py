"""`tinylm boards`."""

from __future__ import annotations

import click

from tinylm.cli.console import show_json, show_table

_HONESTY = "Tested by booting their images in these emulators; no real board was at hand."


@click.command("boards")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the boards, with what fits and how each is tested; with NAME, that one and its notes."""
    from tinylm.board import board_names, load_board

    boards = [load_board(board) for board in ([name] if name else board_names())]
    if as_json:
        shown = [_as_json(board) for board in boards]
        show_json(shown[0] if name else shown)
        return
    rows = [[b.name, b.title, *_sizes(b), _compilers(b)] for b in boards]
    show_table("", ["board", "title", "flash", "RAM", "largest model", "compilers"], rows, right=(2, 3, 4))
    click.echo()
    rows = [[b.name, b.chip, e.name, e.fidelity] for b in boards for e in b.emulators]
    show_table("", ["board", "chip", "runs in", "which emulates"], rows)
    click.echo(f"\n{_HONESTY}")
    if name:
        click.echo(f"\n{boards[0].notes.strip()}")
    else:
        click.echo("More on one: tinylm boards NAME. Next: tinylm build --board NAME")


def _sizes(board: object) -> list[str]:
    from tinylm.memory import largest_language_bytes

    if board.memory is None:
        return ["-", "-", "any"]
    return [_size(board.memory.flash.bytes), _size(board.memory.ram.bytes), _size(largest_language_bytes(board))]


def _size(count: int) -> str:
    """1024-byte kilobytes, rounded down: a promise must hold."""
    return f"{count / 2**20:.0f} MB" if count % 2**20 == 0 else f"{count // 1024:,} KB"


def _compilers(board: object) -> str:
    from tinylm.toolchain import compiler_tools

    return ", ".join(compiler_tools(board.compiler.architecture, bool(board.compiler.zig)))


def _as_json(board: object) -> dict:
    from tinylm.memory import largest_language_bytes
    from tinylm.toolchain import compiler_tools

    memory = board.memory
    return {
        "name": board.name,
        "title": board.title,
        "chip": board.chip,
        "clock_hz": board.clock_hz,
        "flash_bytes": memory and memory.flash.bytes,
        "ram_bytes": memory and memory.ram.bytes,
        "largest_language_bytes": largest_language_bytes(board),
        "emulators": [{"name": e.name, "fidelity": e.fidelity} for e in board.emulators],
        "tested_on_hardware": False,
        "compilers": compiler_tools(board.compiler.architecture, bool(board.compiler.zig)),
        "flasher": board.flasher and board.flasher.tool,
        "notes": board.notes.strip(),
    }
