"""A Makefile project whose network TensorFlow Lite Micro runs: written whole, and made where a tree of TFLM is given.

Knows the project's files and `make`; TFLM's own sources stay in the folder that the person names (TFLM_ROOT).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinylm.board import Board
from tinylm.building import Build, engine_sizes, record_build, whole_build, write_record
from tinylm.errors import TinylmError
from tinylm.firmware import (
    ELF_NAME,
    Firmware,
    Progress,
    Source,
    examine_firmware,
    list_includes,
    list_sources,
    write_board_header,
    write_link_script,
)
from tinylm.generate import ModelView
from tinylm.model import Model
from tinylm.progress import Report
from tinylm.rendering import write_template
from tinylm.resources import cache_dir, firmware_dir
from tinylm.tflm import Interpreted, interpret, rows_board, view_interpreted, write_interpreted
from tinylm.toolchain import require_tool

KERNELS = ("reference", "cmsis_nn")
JOBS = 2
_HOOK = "tensorflow/lite/micro/micro_interpreter.cc"
_COMPILERS = {"arm": ("arm-none-eabi-gcc", "arm-none-eabi-g++"), "host": ("cc", "c++")}
_C_FLAGS = {"arm": ("-ffreestanding",), "host": ()}
_LINK = {
    # TFLM may call abort(), and newlib's wants a heap's start; there is none.
    "arm": (
        "-nostartfiles",
        "--specs=nano.specs",
        "--specs=nosys.specs",
        "-Wl,--defsym=end=tlm_bss_end",
        "-Wl,--build-id=none",
        "-Wl,--entry=tlm_start",
    ),
    "host": (),
}


@dataclass(frozen=True)
class Tools:
    """What the Makefile names: compilers, the flags of the CPU, of C and of the link."""

    cc: str
    cxx: str
    cpu: tuple[str, ...]
    c: tuple[str, ...]
    link: tuple[str, ...]


def interpreted_board(board: Board) -> Board:
    """As rows_board, the model behind the code, as TFLM's is larger than the place before it. Raises TinylmError where its C++
    has no compiler here."""
    if board.compiler.architecture not in _COMPILERS:
        raise TinylmError(f"TensorFlow Lite Micro is not built for {board.name} ({board.compiler.architecture}) here.",
                          "A Cortex-M board can, and this computer: --board host. An ESP32 can with --framework espidf.")  # fmt: skip
    return rows_board(board.with_model_inside())


def write_project(
    view: ModelView, tflm: Interpreted, board: Board, folder: Path, sources: Sequence[Path] | None = None
) -> None:
    """The project for an `interpreted_board`: generated/, the firmware's files that it needs, link.ld, Makefile.

    Args:
        sources: as for compile_firmware.
    """
    generated = folder / "generated"
    write_interpreted(view, tflm, generated)
    write_board_header(board, generated)
    script = write_link_script(board, folder)
    listed = [_place(source, folder) for source in list_sources(board, generated, sources)]
    includes = ["generated", *(f"firmware/{path.relative_to(firmware_dir())}" for path in list_includes(board))]
    for path in list_includes(board):
        for header in path.glob("*.h"):
            _copy(header, folder / "firmware" / header.relative_to(firmware_dir()))
    values = {"view": view, "board": board, "kernels": tflm.kernels, "includes": includes, "sources": listed,
              "tools": _tools_of(board, script), "link_script": "link.ld" if script else ""}  # fmt: skip
    write_template("tflm/Makefile.j2", folder / "Makefile", values)


def _tools_of(board: Board, script: tuple[str, ...]) -> Tools:
    architecture = board.compiler.architecture
    cpu = tuple(flag for flag in board.compiler.gcc if not flag.startswith("-std="))
    link = (*_LINK[architecture], "-Wl,--gc-sections", *script)
    return Tools(*_COMPILERS[architecture], cpu, _C_FLAGS[architecture], link)


def _place(source: Source, folder: Path) -> tuple[str, str]:
    """A source's path in the project, where it is copied unless it was generated there; and its group."""
    if source.path.is_relative_to(folder.resolve()):
        return str(source.path.relative_to(folder.resolve())), source.group
    name = f"firmware/{source.path.relative_to(firmware_dir())}"
    _copy(source.path, folder / name)
    return name, source.group


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def has_kernels(root: Path, kernels: str) -> bool:
    """Whether a tree has these kernels."""
    return kernels == "reference" or (root / "tensorflow/lite/micro/kernels" / kernels / "fully_connected.cc").exists()


def make_project(board: Board, folder: Path, root: Path, kernels: str, progress: Progress | None = None) -> Firmware:
    """Runs make in a project with a tree of TFLM, checks the firmware and writes its images beside it.

    Raises TinylmError when the folder is no such tree, a tool is missing, make fails, or the firmware does not fit.
    """
    root = root.resolve()
    if not (root / _HOOK).is_file():
        raise TinylmError(f"'{root}' is no tree of TensorFlow Lite Micro: it has no {_HOOK}.",
                          "Give one with --tflm-root: a checkout with its downloads, or what its create_tflm_tree.py writes.")  # fmt: skip
    for name in _COMPILERS[board.compiler.architecture]:
        require_tool(name)
    command = [*require_tool("make"), f"-j{JOBS}", f"TFLM_ROOT={root}", f"KERNELS={kernels}"]
    command.append(f"TFLM_FOLDER={_kept(board, root, kernels)}")
    planned = subprocess.run([*command, "-n"], cwd=folder, capture_output=True, text=True, check=False).stdout.count(
        "\n"
    )
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_plain_environment()
    ) as making:
        said = []
        for line in making.stdout:
            said.append(line)
            if progress:
                progress(min(len(said), planned), planned, line.split()[-1] if line.split() else "")
    if making.returncode:
        wrong = [line for line in said if not line.startswith((*_COMPILERS[board.compiler.architecture], "ar "))]
        raise TinylmError(f"make could not build '{folder}':\n{''.join(wrong[-15:])}",
                          "Is the tree whole, with its third parties?")  # fmt: skip
    return _examine(board, folder, _kept(board, root, kernels))


def build_interpreted(
    model: Model, board: Board, output: Path, root: Path | None, kernels: str, report: Report
) -> Build:
    """As `build`, with the network in TensorFlow Lite Micro: the project, and where a tree is given the firmware.

    Without one the record names no ELF and no image. Raises TinylmError as `build` does.
    """
    board = interpreted_board(board)
    report("generate", 0, 1, "")
    step, tflm = interpret(model)
    view = view_interpreted(model, step, tflm, engine_sizes(board))
    with whole_build(output) as scratch:
        write_project(view, tflm, board, scratch)
        report("generate", 1, 1, "")
        made = None
        if root:
            made = make_project(board, scratch, root, kernels, lambda *done: report("compile", *done))
            report("compile", 1, 1, "")
        result = record_build(view, board, made)
        write_record(scratch, result)
    return result


def _examine(board: Board, folder: Path, kept: Path) -> Firmware:
    elf, objects = folder / ELF_NAME, {path: path.relative_to(folder).parts[1] for path in folder.glob("obj/*/**/*.o")}
    objects |= dict.fromkeys(kept.rglob("*.o"), "runtime")
    return examine_firmware(board, elf, objects, "gcc")


def _kept(board: Board, root: Path, kernels: str) -> Path:
    """TFLM's objects stay in the cache: compiling them takes a minute, and make sees which are old."""
    key = hashlib.sha256("\0".join((str(root), kernels, *board.compiler.gcc)).encode()).hexdigest()[:16]
    return cache_dir() / f"tflm-{key}"


def _plain_environment() -> dict[str, str]:
    """Without what a make around this process passes on."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
