"""A PlatformIO project: the same library and sketches as for Arduino, where PlatformIO looks for them. Compiles nothing."""

from __future__ import annotations

from pathlib import Path

from tinylm.arduino import LIBRARY, list_sketches, needs_keys
from tinylm.board import Board
from tinylm.component import write_component
from tinylm.generate import ModelView
from tinylm.programs import describe_program
from tinylm.rendering import write_template
from tinylm.tflm import Interpreted

_FILES = {"Typing": "main.cpp"}  # of the program that is built when none is named


def write_platformio(view: ModelView, tflm: Interpreted | None, board: Board, folder: Path) -> None:
    """platformio.ini, lib/TinyLM/, src/ with a file a program, README.md."""
    about = board.platformio
    library = folder / "lib" / LIBRARY
    component = write_component(view, tflm, board, library / "src", needs_keys(about.keyboard))
    sketches = list_sketches(about.sketches, about.keyboard)
    programs = [describe_program(name, _FILES.get(name, f"{name}.cpp"), component) for name in sketches]
    values = {"view": component, "board": board, "programs": programs, "keyboard": about.keyboard, "headers": about.headers,
              "monitor": "pio device monitor", "ports": "pio device list"}  # fmt: skip
    for program in programs:
        write_template(f"arduino/{program.name}.ino.j2", folder / "src" / program.file, values)
    write_template("platformio/library.json.j2", library / "library.json", values)
    write_template("platformio/gitignore.j2", folder / ".gitignore", values)
    for name in ("platformio.ini", "README.md"):
        write_template(f"platformio/{name}.j2", folder / name, values)
