"""From C to a checked image: compile, link, write, measure. Knows the tree of firmware/; generates no C but board.h."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tinylm.board import Board, load_board
from tinylm.errors import TinylmError
from tinylm.image import seal_model, write_images
from tinylm.memory import GROUPS, MemoryReport, measure_memory, require_fit
from tinylm.rendering import render
from tinylm.resources import firmware_dir, templates_dir
from tinylm.toolchain import Toolchain, find_toolchain

JOBS = 2
ELF_NAME = "firmware.elf"
Progress = Callable[[int, int, str], None]  # steps done, steps in all, what is being done

_FOLDERS = ("runtime", "predict", "link", "app")
# Files of a port that the memory report counts with the runtime.
_KERNELS = ("dot", "dot_int4", "eight", "elements", "four", "four_int4", "high", "octet", "quad", "quad_int4", "rows", "rows_int4",
            "run", "take")  # fmt: skip
_WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion")
# An environment variable of the tests: warnings are errors. A newer compiler of a user may warn of more than ours.
STRICT = "TINYLM_STRICT"
_CODE = ("-O2", "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables")
# Functions of a shared library call each other directly: the step is three times faster so.
_HOST_CODE = ("-O3", "-fPIC", "-fno-semantic-interposition")


@dataclass(frozen=True)
class Firmware:
    """What a build left: the ELF (an executable for the host board), format -> image, and its memory."""

    board: str
    toolchain: str
    elf: Path
    images: dict[str, Path]
    memory: MemoryReport | None
    fingerprint: int = 0  # of the firmware around a model that lies apart


@dataclass(frozen=True)
class Source:
    """A file to compile, and the group of the memory report that it counts in."""

    path: Path
    group: str

    def object_name(self) -> str:
        return f"{self.group}_{self.path.parent.name}_{self.path.name}.o"


def write_board_header(board: Board, generated: Path) -> Path:
    """Writes generated/board.h: the board's name, clock, baud rate and register base. Returns its path."""
    path = generated / "board.h"
    path.write_text(render(templates_dir(), "board.h.j2", board=board), encoding="utf-8")
    return path


def compile_firmware(
    board: Board,
    generated: Path,
    output: Path,
    toolchain: str | None = None,
    progress: Progress | None = None,
    sources: Sequence[Path] | None = None,
) -> Firmware:
    """Compiles and links a board's firmware, checks it and writes firmware.elf and the images into `output`.

    Args:
        generated: the folder of generated C; board.h is written there.
        toolchain: "gcc", "zig", or None for the best found.
        progress: called before each file.
        sources: C files in place of firmware/{runtime,predict,link,app} (the port and `generated` always come along); a
            file in a folder named like a group of the memory report counts there, any other as the app.
    The same input gives the same bytes. Raises TinylmError for a missing compiler, a refused file, a model too big.
    """
    output.mkdir(parents=True, exist_ok=True)
    write_board_header(board, generated)
    tools = find_toolchain(board.compiler.architecture, bool(board.compiler.zig), toolchain)
    chosen = list_sources(board, generated, sources)
    with tempfile.TemporaryDirectory(prefix="tinylm-") as scratch:
        compiler = _Compiler(tools, _CODE + _cpu_flags(board, tools), _includes(board, generated), Path(scratch))
        objects = compiler.compile_all(chosen, progress)
        elf = output / ELF_NAME
        options = write_link_script(board, Path(scratch))
        compiler.link(board, objects, elf, options)
        return examine_firmware(board, elf, objects, tools.name)


def examine_firmware(board: Board, elf: Path, objects: Mapping[Path, str], toolchain: str) -> Firmware:
    """What is done to a linked firmware: its model is sealed, it is measured and checked, and its images are written beside it.

    Args:
        objects: object file -> its group of the memory report.
    Raises TinylmError for one that its chip would not start, or that is too big; the ELF is gone then.
    """
    try:
        fingerprint = seal_model(elf, board)
        memory = measure_memory(board, elf, objects) if board.memory else None
        images = write_images(elf, board, elf.parent, bool(fingerprint)) if board.memory else {}
        if memory:
            require_fit(board, memory)
    except TinylmError:
        elf.unlink()
        raise
    return Firmware(board.name, toolchain, elf, images, memory, fingerprint)


def compile_host_library(
    generated: Path, output: Path, toolchain: str | None = None, progress: Progress | None = None
) -> Path:
    """A shared library of the engine for ctypes: tlm_model, tlm_language and every function of tinylm.h.

    Returns its path in `output` (libtinylm.so, or .dylib on macOS).
    """
    board = load_board("host")
    output.mkdir(parents=True, exist_ok=True)
    write_board_header(board, generated)
    tools = find_toolchain("host", True, toolchain)
    kernels = [source for source in _port_sources(board) if source.group == "runtime"]
    chosen = [*_folder_sources("runtime", "predict", "library"), *kernels, *_generated_sources(generated)]
    library = output / ("libtinylm.dylib" if sys.platform == "darwin" else "libtinylm.so")
    with tempfile.TemporaryDirectory(prefix="tinylm-") as scratch:
        flags = _cpu_flags(board, tools) + _HOST_CODE
        compiler = _Compiler(tools, flags, _includes(board, generated), Path(scratch))
        if compiler.accepts("-march=native"):
            compiler = _Compiler(tools, (*flags, "-march=native"), _includes(board, generated), Path(scratch))
        compiler.link(board, compiler.compile_all(chosen, progress), library, ("-shared",))
    return library


@dataclass(frozen=True)
class _Compiler:
    """One compiler with the flags of one board; objects go to `scratch`."""

    tools: Toolchain
    flags: tuple[str, ...]
    includes: tuple[str, ...]
    scratch: Path

    def compile_all(self, sources: Sequence[Source], progress: Progress | None) -> dict[Path, str]:
        """Object file -> its group. JOBS files at a time."""

        def compile_numbered(numbered: tuple[int, Source]) -> Path:
            number, source = numbered
            if progress:
                progress(number, len(sources) + 1, source.path.name)
            return self.compile(source)

        with ThreadPoolExecutor(JOBS) as pool:
            objects = list(pool.map(compile_numbered, enumerate(sources)))
        if progress:
            progress(len(sources), len(sources) + 1, "link")
        return {path: source.group for path, source in zip(objects, sources)}

    def compile(self, source: Source) -> Path:
        """The compiler runs in the file's folder, so that no path gets into the object."""
        path = self.scratch / source.object_name()
        language = ("-std=c99", *_WARNINGS) if source.path.suffix == ".c" else ()
        language += ("-Werror",) if language and os.environ.get(STRICT) else ()
        command = (*self.tools.command, *self.tools.compile, *self.flags, *language, *self.includes)
        self._run((*command, "-c", source.path.name, "-o", str(path)), source.path)
        return path

    def link(self, board: Board, objects: dict[Path, str], target: Path, options: tuple[str, ...]) -> None:
        names = tuple(path.name for path in sorted(objects))
        cpu = _cpu_flags(board, self.tools)
        command = (*self.tools.command, "-O2", *cpu, *self.tools.link, *options, *names)
        self._run((*command, *self.tools.libraries, "-o", str(target.resolve())), self.scratch / target.name)

    def accepts(self, flag: str) -> bool:
        """Whether the compiler takes a flag."""
        probe = self.scratch / "probe.c"
        probe.write_text("int probe;\n", encoding="utf-8")
        command = (*self.tools.command, flag, "-c", probe.name, "-o", "probe.o")
        return subprocess.run(command, cwd=self.scratch, capture_output=True, check=False).returncode == 0

    def _run(self, command: Sequence[str], about: Path) -> None:
        done = subprocess.run(command, cwd=about.parent, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        too_big = re.search(r"overflowed by (\d+) bytes", done.stderr)
        if too_big:
            raise TinylmError(
                f"The firmware does not fit in the board's memory: {int(too_big[1]):,} bytes too many.",
                "Use or train a smaller model; 'tinylm boards' shows the largest that fits each board.",
            )
        said = "\n".join(done.stderr.splitlines()[:20])
        raise TinylmError(f"{self.tools.name} could not build {about.name}:\n{said}", "Please report this as a bug.")


def _cpu_flags(board: Board, tools: Toolchain) -> tuple[str, ...]:
    return board.compiler.zig if tools.name == "zig" else board.compiler.gcc


def list_sources(board: Board, generated: Path, sources: Sequence[Path] | None = None) -> list[Source]:
    """All files of a board's firmware; `sources` as for compile_firmware."""
    return _firmware_sources(generated, sources) + _port_sources(board) + _generated_sources(generated)


def _firmware_sources(generated: Path, sources: Sequence[Path] | None) -> list[Source]:
    if sources is not None:
        groups = {path: path.parent.name if path.parent.name in GROUPS else "app" for path in sources}
        return [Source(path.resolve(), group) for path, group in groups.items()]
    place = "apart" if (generated / "constants.c").exists() else "inside"
    store = Source(firmware_dir() / "store" / place / "store.c", "app")
    return [*_folder_sources(*_FOLDERS), store]


def _folder_sources(*folders: str) -> list[Source]:
    return [Source(path, folder) for folder in folders for path in sorted((firmware_dir() / folder).glob("*.c"))]


def _port_sources(board: Board) -> list[Source]:
    """The C and assembler files of the board's port folders."""
    folders = [firmware_dir() / "port" / name for name in (board.port, *board.port_also)]
    paths = [path for folder in folders for path in sorted(folder.glob("*.[cS]"))]
    return [Source(path, "runtime" if path.stem in _KERNELS else "port") for path in paths]


def list_kernels(board: Board) -> list[Path]:
    """The sources of the board's port folders that compute: what a program that only predicts needs of them."""
    return [source.path for source in _port_sources(board) if source.group == "runtime"]


def _generated_sources(generated: Path) -> list[Source]:
    """Generated C (and assembler); a file named after a group of the memory report counts there, others as the model."""
    paths = sorted(generated.resolve().glob("*.[cS]"))
    return [Source(path, path.stem if path.stem in GROUPS else "model") for path in paths]


def list_includes(board: Board) -> list[Path]:
    """Where firmware's headers are, in the order to look."""
    root = firmware_dir()
    ports = [root / "port" / name for name in (board.port, *board.port_also)]
    return [root / "include", *ports, *(root / f for f in ("runtime", "predict", "link", "store"))]


def _includes(board: Board, generated: Path) -> tuple[str, ...]:
    return tuple(f"-I{folder}" for folder in (generated.resolve(), *list_includes(board)))


def write_link_script(board: Board, scratch: Path) -> tuple[str, ...]:
    """Renders the first link.ld.j2 of the port's folders, where there is one, and returns the options that use it."""
    folders = (firmware_dir() / "port" / name for name in (board.port, *board.port_also))
    folder = next((folder for folder in folders if (folder / "link.ld.j2").exists()), None)
    if folder is None:
        return ()
    (scratch / "link.ld").write_text(render(folder, "link.ld.j2", board=board), encoding="utf-8")
    return ("-Wl,-T,link.ld",)
