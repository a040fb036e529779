"""What a project of a person's own takes: our C in one folder, the C++ classes over it, and what its texts say of a model.

Knows which files those are; knows no framework.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tinylm import __version__
from tinylm.board import Board
from tinylm.errors import TinylmError
from tinylm.firmware import list_includes, list_kernels, list_sources
from tinylm.generate import ModelView, write_c
from tinylm.model import write_whole
from tinylm.rendering import write_template
from tinylm.resources import templates_dir
from tinylm.tflm import Interpreted, write_interpreted

CORE = "core"  # the folder of the C: beside TinyLM.h, a file system that knows no case would take tinylm.h for it
CLASSES = ("TinyLM", "TinyLMSerial")
KEYS = "TinyLMKeys.h"  # what a keyboard of reports needs
ABOUT = "https://en.wikipedia.org/wiki/Predictive_text"  # Arduino asks for a page: the person's own, which tinylm cannot know
_METHOD = re.compile(r"^  [\w ]+?[ *&](\w+)\(", re.MULTILINE)
# Arduino links with the compiler's own script, which puts .progmem* first: tables of the core would be pushed beyond the 64 KB
# that LPM reaches, and trampolines beyond the 128 KB of a jump. What is named .fini7 lies behind all code, and main never ends.
_FAR_SECTION = ".fini7"
# Our link scripts put hot code where it runs fastest; others' have no place of that name, and would take a chance with it.
_HOT, _TEXT = ".section .hot.", ".section .text."
_WITHOUT = ("app", "port")  # the person's program and the framework are these
_NOT_OURS = ("freestanding",)  # a C library comes with every framework


@dataclass(frozen=True)
class ComponentView:
    """What the texts of a project say beside the board."""

    version: str
    model: str
    language_bytes: str
    runs: str  # "generated" or "tflm"
    people: bool  # whether a person can type on its serial line, as programs can
    classes: tuple[str, ...]
    methods: tuple[str, ...]

    @property
    def about(self) -> str:
        """The page that an Arduino library must name."""
        return ABOUT

    @property
    def says(self) -> str:
        """Who types on it over a serial line."""
        return f"{'people at a terminal, and ' if self.people else ''}programs (tinylm type --port PORT), type on it"


def write_component(
    view: ModelView, tflm: Interpreted | None, board: Board, folder: Path, keys: bool = False
) -> ComponentView:
    """The classes in `folder`, the C in folder/core. Returns what a project's texts say of them.

    Args:
        tflm: what TensorFlow Lite Micro runs, else None: the generated step.
        keys: with TinyLMKeys.h.
    """
    generated = folder / "generated"
    if tflm:
        write_interpreted(view, tflm, generated)
    else:
        write_c(view, generated, board.has_far_flash, far_section=_FAR_SECTION)
    _copy_core(board, generated, folder / CORE)
    shutil.rmtree(generated)
    (folder / "language.bin").unlink()  # its bytes are in the C
    component = _view_component(view, tflm)
    values = {"view": component, "board": board}
    for name in (*(f"{name}.{kind}" for name in CLASSES for kind in ("h", "cpp")), *((KEYS,) if keys else ())):
        write_template(f"component/{name}.j2", folder / name, values)
    return component


def list_sources_in(folder: Path) -> tuple[str, ...]:
    """What is compiled of a written component, by path in its folder."""
    paths = (path for path in folder.rglob("*") if path.suffix in (".c", ".cpp", ".S"))
    return tuple(sorted(path.relative_to(folder).as_posix() for path in paths))


def _view_component(view: ModelView, tflm: Interpreted | None) -> ComponentView:
    """Decide what the texts say."""
    headers = (templates_dir() / "component" / f"{name}.h.j2" for name in CLASSES)
    methods = sorted({name for path in headers for name in _METHOD.findall(path.read_text("utf-8"))})
    return ComponentView(
        __version__,
        view.model.info.name,
        f"{len(view.language.content):,}",
        "tflm" if tflm else "generated",
        not view.sizes.small,
        CLASSES,
        tuple(methods),
    )


def _copy_core(board: Board, generated: Path, core: Path) -> None:
    """One flat folder, as an Arduino library has no include paths. Of the port: its headers and its kernels."""
    core.mkdir(parents=True)
    folders = [folder for folder in (generated, *list_includes(board)) if folder.name not in _NOT_OURS]
    kept = {source.path for source in list_sources(board, generated) if source.group not in _WITHOUT}
    kept |= {*list_kernels(board), *generated.glob("*.cpp")}
    kept |= {path for folder in folders for path in folder.glob("*.h")}
    for path in sorted(kept):
        if (core / path.name).exists():
            raise TinylmError(f"{board.name} has two files named {path.name}.", "Please report this as a bug.")
        write_whole(core / path.name, path.read_bytes().replace(_HOT.encode(), _TEXT.encode()))
