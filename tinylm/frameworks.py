"""A project for the framework that a person works in: which boards it knows, what is written, what to type next.

Knows the frameworks by name; their files are their modules'. Nothing is compiled here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tinylm.arduino import write_arduino
from tinylm.board import Board, board_names, load_board
from tinylm.building import Build, engine_sizes, plan_build, record_build, whole_build, write_record
from tinylm.ecosystems import ArduinoCore
from tinylm.errors import TinylmError
from tinylm.espidf import write_espidf
from tinylm.generate import ModelView
from tinylm.model import Model
from tinylm.platformio import write_platformio
from tinylm.progress import Report
from tinylm.tflm import Interpreted, interpret, rows_board, view_interpreted


@dataclass(frozen=True)
class Framework:
    """`about`: the table of a board's TOML, None where the framework does not know the board. `write`: all files into a
    folder. `next`: what to type in it."""

    title: str
    about: Callable[[Board], object]
    write: Callable[[ModelView, Interpreted | None, Board, Path], None]
    next: str
    has_tflm: Callable[[Board], bool]


BY_NAME = {
    "arduino": Framework(
        "an Arduino library",
        lambda board: board.arduino,
        write_arduino,
        "arduino-cli compile TinyLM/examples/Typing",
        lambda board: board.arduino.tflm,
    ),
    "espidf": Framework(
        "an ESP-IDF project", lambda board: board.espidf, write_espidf, "idf.py build", lambda board: True
    ),
    "platformio": Framework(
        "a PlatformIO project",
        lambda board: board.platformio,
        write_platformio,
        "pio run",
        lambda board: board.platformio.tflm,
    ),
}


def framework_board(name: str, board: Board, tflm: bool = False) -> Board:
    """The board with what a framework leaves of it. Raises TinylmError where the framework does not know the board, or has no
    TensorFlow Lite Micro for it."""
    framework = BY_NAME[name]
    able = [load_board(other) for other in board_names()]
    able = [other for other in able if framework.about(other)]
    if not framework.about(board):
        raise TinylmError(f"{board.name} is no board of {name} that tinylm knows.",
                          f"Boards with one: {', '.join(other.name for other in able)}.")  # fmt: skip
    if tflm and not framework.has_tflm(board):
        able = [other.name for other in able if framework.has_tflm(other)]
        raise TinylmError(f"No TensorFlow Lite Micro comes with the core of {board.name} in {name}.",
                          f"Boards where one does: {', '.join(able)}. Or leave --runtime out.")  # fmt: skip
    board = rows_board(board) if tflm else board
    board = board.with_model_inside()
    about = framework.about(board)
    if isinstance(about, ArduinoCore):  # PlatformIO's core of a board is Arduino's
        overhead = about.overhead or (board.arduino and board.arduino.overhead) or board.overhead
        board = replace(board, overhead=overhead)
    return board


def build_project(name: str, model: Model, board: Board, tflm: bool, output: Path, report: Report) -> Build:
    """The framework's files and build.json in `output`, for a `framework_board`; nothing is compiled.

    Raises TinylmError for a model that does not fit, an `output` that is something else.
    """
    report("generate", 0, 1, "")
    view, predicted = plan_build(model, board)
    interpreted = None
    if tflm:
        step, interpreted = interpret(model)
        view = view_interpreted(model, step, interpreted, engine_sizes(board))
        predicted = None  # TFLM's own memory is not in it
    with whole_build(output) as scratch:
        BY_NAME[name].write(view, interpreted, board, scratch)
        record = record_build(view, board, None, predicted)
        write_record(scratch, record)
    report("generate", 1, 1, "")
    return record
