"""An Arduino library with a model in it, and sketches: our C, a C++ class, Arduino's files. Knows their places; compiles nothing."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from tinylm import __version__
from tinylm.board import Board, board_names, load_board
from tinylm.building import Build, plan_build, record_build, whole_build, write_record
from tinylm.errors import TinylmError
from tinylm.firmware import list_includes, list_kernels, list_sources
from tinylm.generate import ModelView, write_c
from tinylm.model import Model, write_whole
from tinylm.progress import Report
from tinylm.rendering import render
from tinylm.resources import templates_dir

LIBRARY = "TinyLM"
_CLASSES = ("TinyLM", "TinyLMSerial")
_METHOD = re.compile(r"^  [\w ]+?[ *&](\w+)\(", re.MULTILINE)
# Arduino links with the compiler's own script, which puts .progmem* first: tables of the core would be pushed beyond the 64 KB
# that LPM reaches, and trampolines beyond the 128 KB of a jump. What is named .fini7 lies behind all code, and main never ends.
_FAR_SECTION = ".fini7"
_WITHOUT = ("app", "port")  # the sketch and the core are these
_NOT_OURS = ("freestanding",)  # a C library comes with every core


@dataclass(frozen=True)
class LibraryView:
    """What templates/arduino/ say beside the board."""

    version: str
    model: str
    language_bytes: str
    architecture: str  # of library.properties
    platform: str  # packager:architecture
    says: str
    only_programs: str
    classes: tuple[str, ...]
    methods: tuple[str, ...]


def view_library(view: ModelView, board: Board) -> LibraryView:
    """Decide what the library's files say."""
    packager, architecture, _ = board.arduino.fqbn.split(":", 2)
    programs = "programs (tinylm type --port PORT)"
    people = not view.sizes.small
    says = f"{'people at a terminal, and ' if people else ''}{programs}, type on it over a serial line"
    headers = (templates_dir() / "arduino" / f"{name}.h.j2" for name in _CLASSES)
    methods = sorted({name for path in headers for name in _METHOD.findall(path.read_text("utf-8"))})
    return LibraryView(
        __version__,
        view.model.info.name,
        f"{len(view.language.content):,}",
        architecture,
        f"{packager}:{architecture}",
        says,
        "" if people else " (not on this board: programs alone speak with it)",
        _CLASSES,
        tuple(methods),
    )


def arduino_board(board: Board) -> Board:
    """The board with what Arduino's core leaves of it. Raises TinylmError for one without such a core."""
    if board.arduino is None:
        able = [name for name in board_names() if load_board(name).arduino]
        raise TinylmError(f"No Arduino core is known for {board.name}.", f"Boards with one: {', '.join(able)}.")
    return replace(board, overhead=board.arduino.overhead or board.overhead)


def build_arduino(model: Model, board: Board, output: Path, report: Report) -> Build:
    """TinyLM/ (the library), README.md and build.json in `output`, for an `arduino_board`; nothing is compiled.

    Raises TinylmError for a model that does not fit, an `output` that is something else.
    """
    view, predicted = plan_build(model, board)
    with whole_build(output) as scratch:
        report("generate", 0, 1, "")
        write_library(view, board, scratch)
        record = record_build(view, board, None, predicted)
        write_record(scratch, record)
        report("generate", 1, 1, "")
    return record


def write_library(view: ModelView, board: Board, folder: Path) -> None:
    """The library, its sketches and README.md. The C lies in src/core/: beside TinyLM.h, a file system that knows no case
    would take tinylm.h for it."""
    library, generated = folder / LIBRARY, folder / "generated"
    write_c(view, generated, board.has_far_flash, far_section=_FAR_SECTION)
    _copy_core(board, generated, library / "src" / "core")
    shutil.rmtree(generated)
    values = {"view": view_library(view, board), "board": board}
    places = {"README.md": folder, "library.properties": library, "keywords.txt": library}
    places |= {f"{name}.{kind}": library / "src" for name in _CLASSES for kind in ("h", "cpp")}
    for name in board.arduino.sketches:
        place = library / "examples" / name
        places[f"{name}.ino"] = place
        _write("sketch.yaml", place, values)
    for name, place in places.items():
        _write(name, place, values)


def _write(name: str, place: Path, values: dict[str, object]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    write_whole(place / name, render(templates_dir() / "arduino", f"{name}.j2", **values).encode())


def _copy_core(board: Board, generated: Path, core: Path) -> None:
    """One flat folder, as an Arduino library has no include paths. Of the port: its headers and its kernels."""
    core.mkdir(parents=True)
    folders = [folder for folder in (generated, *list_includes(board)) if folder.name not in _NOT_OURS]
    kept = {source.path for source in list_sources(board, generated) if source.group not in _WITHOUT}
    kept |= {*list_kernels(board), *(path for folder in folders for path in folder.glob("*.h"))}
    for path in sorted(kept):
        if (core / path.name).exists():
            raise TinylmError(f"{board.name} has two files named {path.name}.", "Please report this as a bug.")
        shutil.copyfile(path, core / path.name)
