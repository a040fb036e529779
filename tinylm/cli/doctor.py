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
    wanted = {tool for kinds in needs.values() for groups in kinds.values() for group in groups for tool in group}
    tools = [t for t in tool_table() if not board or t.name in wanted]
    found = {t.name for t in tools if t.where}
    able = {name: {kind: all(found & set(group) for group in groups) for kind, groups in kinds.items()}
            for name, kinds in needs.items()}  # fmt: skip
    for b in boards:
        able[b.name]["emulator"] |= any(_tool_of(e) is None for e in b.emulators)
        able[b.name]["flasher"] |= bool(b.flasher and b.flasher.drive)
    if as_json:
        show_json({"tools": [asdict(t) for t in tools], "boards": able})
    else:
        _show(tools, able, needs)
    return int(bool(board) and not able[boards[0].name]["compiler"])


def _needs(board: object) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Kind of tool -> groups of tools: any one of each group serves the board. An empty group is what nothing here serves."""
    from tinylm.boot_image import MAKER
    from tinylm.flashing import flasher_tool
    from tinylm.toolchain import compiler_tools

    return {
        "compiler": (compiler_tools(board.compiler.architecture, bool(board.compiler.zig)),
                     *(((MAKER,),) if board.image.boot else ())),
        "emulator": (tuple(tool for e in board.emulators if (tool := _tool_of(e))),),
        "flasher": ((tool,) if (tool := flasher_tool(board)) else (),),
    }  # fmt: skip


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
    found = {t.name for t in tools if t.where}
    rows = [[name, *(_answer(kinds[kind], [group for group in needs[name][kind] if not found & set(group)], kind)
                     for kind in _KINDS)] for name, kinds in able.items()]  # fmt: skip
    show_table("Boards", ["board", "build", "emulate", "flash"], rows)


def _answer(able: bool, missing: list[tuple[str, ...]], kind: str) -> str:
    if able:
        return "yes"
    if not all(missing):
        return "nothing to flash" if kind == "flasher" else "no"
    return "needs " + " and ".join(" or ".join(group) for group in missing)


def _number(version: str) -> str:
    """'avr-gcc (GCC) 5.4.0' -> '5.4.0'; what stands in parentheses is the packager's."""
    number = re.search(r"\d+(\.\w+)+", re.sub(r"\(.*?\)", "", version))
    return number[0] if number else ""
