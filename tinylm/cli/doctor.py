"""`tinylm doctor`."""

from __future__ import annotations

import re
from dataclasses import asdict

import click

from tinylm.cli.console import show_json, show_table

_KINDS = {"compiler": "Compilers", "emulator": "Emulators", "flasher": "Flashers"}


@click.command("doctor")
@click.option("--board", "-b", help="Only what this board can use; exit code 1 when it cannot be built.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(board: str | None, as_json: bool) -> int:
    """Show which compilers, emulators and flashers are here, and the command that installs each missing one.

    Nothing here is needed by `tinylm predict` and `tinylm evaluate` but one compiler for this computer.
    """
    from tinylm.board import board_names, load_board
    from tinylm.toolchain import tool_table

    boards = [load_board(name) for name in ([board] if board else board_names())]
    needs = {b.name: _needs(b) for b in boards}
    wanted = {tool for kinds in needs.values() for tools in kinds.values() for tool in tools}
    tools = [t for t in tool_table() if not board or t.name in wanted]
    found = {t.name for t in tools if t.where}
    able = {name: {kind: bool(found & set(names)) for kind, names in kinds.items()} for name, kinds in needs.items()}
    for b in boards:
        able[b.name]["emulator"] |= any(_tool_of(e) is None for e in b.emulators)
        able[b.name]["flasher"] |= bool(b.flasher and b.flasher.drive)
    if as_json:
        show_json({"tools": [asdict(t) for t in tools], "boards": able})
    else:
        _show(tools, able, needs)
    return int(bool(board) and not able[board]["compiler"])


def _needs(board: object) -> dict[str, tuple[str, ...]]:
    """Kind of tool -> tools of which any one serves the board."""
    from tinylm.flashing import flasher_tool
    from tinylm.toolchain import compiler_tools

    return {
        "compiler": compiler_tools(board.compiler.architecture, bool(board.compiler.zig)),
        "emulator": tuple(tool for e in board.emulators if (tool := _tool_of(e))),
        "flasher": (tool,) if (tool := flasher_tool(board)) else (),
    }


def _tool_of(choice: object) -> str | None:
    from tinylm.emulator import tool_of

    return tool_of(choice)


def _show(tools: list, able: dict, needs: dict) -> None:
    for kind, title in _KINDS.items():
        rows = [
            [t.name, _number(t.version), t.purpose, t.where or f"missing: {t.install}"] for t in tools if t.kind == kind
        ]
        if rows:
            show_table(title, ["tool", "version", "for", "where"], rows)
            click.echo()
    rows = [[name, *(_answer(kinds[kind], needs[name][kind], kind) for kind in _KINDS)] for name, kinds in able.items()]
    show_table("Boards", ["board", "build", "emulate", "flash"], rows)


def _answer(able: bool, tools: tuple[str, ...], kind: str) -> str:
    if able:
        return "yes"
    return f"needs {' or '.join(tools)}" if tools else ("nothing to flash" if kind == "flasher" else "no")


def _number(version: str) -> str:
    """'avr-gcc (GCC) 5.4.0' -> '5.4.0'; what stands in parentheses is the packager's."""
    number = re.search(r"\d+(\.\w+)+", re.sub(r"\(.*?\)", "", version))
    return number[0] if number else ""
