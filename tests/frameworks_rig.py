"""Writes the projects for frameworks, and compiles what is in them with a plain cross compiler and declared stand-ins."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from conftest import need
from models import tiny_word_model

from tinylm.board import Board, board_names, load_board
from tinylm.frameworks import BY_NAME, build_project, framework_board

STAND_INS = Path(__file__).parent / "c" / "frameworks"
COMPILERS = {
    "arm": "arm-none-eabi-g",
    "riscv32": "riscv64-unknown-elf-g",
    "avr": "avr-g",
    "xtensa": "xtensa-lx106-elf-g",
}
PAIRS = [
    (name, board.name)
    for name, framework in BY_NAME.items()
    for board in map(load_board, board_names())
    if framework.about(board)
]
TFLM_PAIRS = [(name, board) for name, board in PAIRS if BY_NAME[name].has_tflm(load_board(board))]
_WARNINGS = ("-Wall", "-Wextra", "-Werror")
_STANDARD = {"stdint.h", "stddef.h", "stdbool.h", "string.h", "cstring", "new", "avr/io.h", "avr/pgmspace.h"}
_SKETCH = ("-x", "c++")
# Of each framework: where headers of its own are looked for, and which stand-ins it brings.
_INCLUDES = {"arduino": ("TinyLM/src",), "platformio": ("lib/TinyLM/src",), "espidf": ("components/tinylm",)}
_BRINGS = {"arduino": "arduino", "platformio": "arduino", "espidf": "espidf"}


BOARDS = {board: name for name, board in reversed(PAIRS)}
"""Of each board a framework: the C is the same for all."""


def write_project(name: str, board: str, folder: Path, tflm: bool = False) -> Path:
    """The project of the tiny model; returns `folder`."""
    made = framework_board(name, load_board(board), tflm)
    build_project(name, tiny_word_model(), made, tflm, folder, lambda *_: None)
    return folder


def list_code(folder: Path) -> list[Path]:
    """Everything that a compiler or an assembler reads."""
    return sorted(p for p in folder.rglob("*") if p.suffix in (".c", ".cpp", ".S", ".h", ".ino"))


def find_missing_headers(name: str, folder: Path) -> list[tuple[str, str]]:
    """(file, header) of what is neither in the project nor known of the framework."""
    brought = (STAND_INS / _BRINGS[name], STAND_INS / "tflm")
    missing = []
    for path in list_code(folder):
        places = (path.parent, *(folder / own for own in _INCLUDES[name]), *brought)
        for header in re.findall(r'^\s*#include ["<](.*)[">]', path.read_text("utf-8"), re.MULTILINE):
            if header not in _STANDARD and not any((place / header).is_file() for place in places):
                missing.append((path.name, header))
    return missing


def compile_project(name: str, board: Board, folder: Path, objects: Path) -> None:
    """All C, C++, assembler and sketches for the board's CPU, warnings being errors."""
    need(*(COMPILERS[board.compiler.architecture] + end for end in ("cc", "++")))
    code = [path for path in list_code(folder) if path.suffix != ".h"]
    for kind in (".c", ".S", ".cpp", ".ino"):
        paths = [path for path in code if path.suffix == kind]
        if paths:
            command = [*_command(name, board, folder, kind), "-c", *paths]
            done = subprocess.run(command, cwd=objects, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def _command(name: str, board: Board, folder: Path, kind: str) -> list[object]:
    """The compiler for files of a `kind`, with the flags of the board and of the framework."""
    compiler = COMPILERS[board.compiler.architecture]
    about = [flag for flag in board.compiler.gcc if flag.startswith("-m")]
    if kind in (".c", ".S"):
        command = [compiler + "cc", *about, "-std=gnu11", *_WARNINGS]
    else:
        # AVR's own core asks for C++11, all others for 17 or more.
        standard = "-std=gnu++11" if board.compiler.architecture == "avr" else "-std=gnu++17"
        command = [compiler + "++", *about, standard, "-fno-exceptions", "-fno-rtti", *_WARNINGS]
        command += _SKETCH if kind == ".ino" else ()
    if board.compiler.architecture != "avr":  # a C library: every framework has one, not every compiler here
        command += ["-ffreestanding", f"-I{STAND_INS / 'libc'}"]
    places = (*(folder / own for own in _INCLUDES[name]), STAND_INS / _BRINGS[name], STAND_INS / "tflm")
    return [*command, "-Os", *(f"-I{place}" for place in places)]
