"""An Arduino library with a model in it, and sketches. Knows Arduino's files; compiles nothing."""

from __future__ import annotations

from pathlib import Path

from tinylm.board import Board
from tinylm.component import write_component
from tinylm.ecosystems import KEYBOARDS
from tinylm.generate import ModelView
from tinylm.programs import describe_program
from tinylm.rendering import write_template
from tinylm.tflm import Interpreted

LIBRARY = "TinyLM"


def list_sketches(sketches: tuple[str, ...], keyboard: str) -> tuple[str, ...]:
    """The sketches of a core."""
    return (*sketches, *((KEYBOARDS[keyboard].sketch,) if keyboard else ()))


def needs_keys(keyboard: str) -> bool:
    """Whether a core's keyboard, if it has one, makes reports of its own."""
    return bool(keyboard) and KEYBOARDS[keyboard].keys


def write_arduino(view: ModelView, tflm: Interpreted | None, board: Board, folder: Path) -> None:
    """TinyLM/ (the library with its sketches) and README.md."""
    about, library = board.arduino, folder / LIBRARY
    component = write_component(view, tflm, board, library / "src", needs_keys(about.keyboard))
    sketches = list_sketches(about.sketches, about.keyboard)
    packager, architecture = about.fqbn.split(":")[:2]
    values = {"view": component, "board": board, "keyboard": about.keyboard, "headers": about.headers,
              "programs": [describe_program(name, f"{name}.ino", component) for name in sketches],
              "platform": f"{packager}:{architecture}", "architecture": architecture,
              "monitor": f"arduino-cli monitor --port PORT --config baudrate={board.serial.baud} --raw",
              "ports": "arduino-cli board list"}  # fmt: skip
    for name in ("library.properties", "keywords.txt"):
        write_template(f"arduino/{name}.j2", library / name, values)
    for name in sketches:
        place = library / "examples" / name
        write_template(f"arduino/{name}.ino.j2", place / f"{name}.ino", values)
        write_template("arduino/sketch.yaml.j2", place / "sketch.yaml", values)
    write_template("arduino/README.md.j2", folder / "README.md", values)
