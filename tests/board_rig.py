"""Which compilers build a board and which emulators boot it, from the boards' files: a new board comes along by itself."""

from __future__ import annotations

import pytest
from conftest import OPTIONAL

from tinylm.board import Board, board_names, load_board
from tinylm.emulator import tool_of
from tinylm.toolchain import compiler_tools

BOARDS = [load_board(name) for name in board_names()]


def _compilers(board: Board) -> dict[str, str]:
    """Toolchain -> the program that it needs."""
    return dict(zip(("gcc", "zig"), compiler_tools(board.compiler.architecture, bool(board.compiler.zig))))


def _builders(board: Board, toolchain: str) -> tuple[str, ...]:
    """What must be here to make an image."""
    return (_compilers(board)[toolchain], *(("esptool",) if board.image.boot else ()))


def _build(board: Board, toolchain: str) -> object:
    need = pytest.mark.needs(*_builders(board, toolchain))
    return pytest.param(board.name, toolchain, marks=need, id=f"{board.name}-{toolchain}")


def _boot(board: Board, toolchain: str, emulator: int) -> object:
    choice = board.emulators[emulator]
    tools = [tool for tool in (*_builders(board, toolchain), tool_of(choice)) if tool]
    name = f"{board.name}-{toolchain}-{choice.name}"
    return pytest.param(board.name, toolchain, choice.name, marks=pytest.mark.needs(*tools), id=name)


_KERNELS = {(board.port, board.layout, board.layout_int4): board for board in BOARDS}.values()
"""One board for each kernel: what a second compiler is tried on."""

_FAMILIES = {(board.port, board.port_also): board for board in BOARDS}.values()
"""One board for each set of port folders."""

GCC_BUILDS = [_build(board, "gcc") for board in BOARDS if board.memory]
"""(board, toolchain): every board that has a memory."""

ZIG_BUILDS = [_build(board, "zig") for board in _KERNELS if board.memory and "zig" in _compilers(board)]
"""(board, toolchain): one board for each kernel."""


def _best(board: Board) -> int:
    """The best emulator that tests may rely on; the best of all where they may rely on none."""
    return next((i for i, choice in enumerate(board.emulators) if tool_of(choice) not in OPTIONAL), 0)


BEST_BOOTS = [_boot(board, "gcc", _best(board)) for board in BOARDS if board.emulators]
"""(board, toolchain, emulator): every board once, as well as it can be."""

OPTIONAL_BOOTS = [_boot(board, "gcc", i) for board in BOARDS for i in range(_best(board) if board.emulators else 0)]
"""(board, toolchain, emulator): better still, where the emulator happens to be installed."""

OTHER_BOOTS = [_boot(board, "gcc", i) for board in BOARDS for i in range(len(board.emulators)) if i != _best(board)] + [
    _boot(board, "zig", -1) for board in _FAMILIES if board.emulators and "zig" in _compilers(board)
]
"""(board, toolchain, emulator): every board in its further emulators, and each family of ports from the second compiler."""

KERNEL_BOOTS = [
    _boot(board, "zig" if "zig" in _compilers(board) else "gcc", -1) for board in _KERNELS if board.emulators
]
"""(board, toolchain, emulator): one board for each kernel, from the second compiler where it can."""
