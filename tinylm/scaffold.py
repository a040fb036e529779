"""A new project's folder: tinylm.toml, an example text, a CI workflow; a new board's file. Knows templates; builds nothing."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tinylm.board import BOARD_NAME, OWN_BOARDS, Board, board_names, board_path, read_board
from tinylm.emulator import tool_of
from tinylm.errors import TinylmError
from tinylm.model import write_whole
from tinylm.project import FILE_NAME, read_project
from tinylm.rendering import render
from tinylm.resources import templates_dir
from tinylm.toolchain import TOOLS, compiler_tools

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")  # a device tells its model's name in 31 bytes
_RENDERED = {
    "tinylm.toml.j2": FILE_NAME,
    "gitignore.j2": ".gitignore",
    "README.md.j2": "README.md",
    "workflow.yml.j2": ".github/workflows/tinylm.yml",
}


@dataclass(frozen=True)
class ProjectView:
    """What the templates of a project may say."""

    name: str
    board: str
    board_title: str
    budget: str
    flashable: bool
    apt_packages: str  # what CI on Ubuntu needs beside PyPI; empty: nothing
    extras: str  # of tinylm's PyPI package
    boots: bool  # in an emulator that a package brings


def view_project(name: str, board: Board, budget: str) -> ProjectView:
    """Decide what a project's files say."""
    extras = "toolchain,flash" if board.image.boot else "toolchain"  # esptool makes a boot ROM's image
    return ProjectView(name, board.name, board.title, budget, board.flasher is not None, " ".join(_apt_packages(board)),
                       extras, bool(_emulators(board)))  # fmt: skip


def _emulators(board: Board) -> list[str | None]:
    """The tools of the board's emulators, best first, that a package brings; None needs no tool."""
    vendors = {tool.name for tool in TOOLS if tool.command}
    return [tool_of(choice) for choice in board.emulators if tool_of(choice) not in vendors]


def _apt_packages(board: Board) -> list[str]:
    """Of the compiler and of the best emulator, where no package of PyPI does their work."""
    tools = {tool.name: tool for tool in TOOLS}
    packages = []
    emulators = _emulators(board)
    for wanted in (compiler_tools(board.compiler.architecture, bool(board.compiler.zig)), emulators):
        if wanted and all(name is not None and not tools[name].pip for name in wanted):
            packages.append(tools[wanted[0]].apt)
    return packages


def write_project(folder: Path, view: ProjectView) -> list[Path]:
    """Make the folder, whole or not at all; returns its files, relative to it.

    Raises TinylmError for a name that is none, and a folder that is there and not empty.
    """
    if not NAME.fullmatch(view.name):
        raise TinylmError(
            f"'{view.name}' is no project name: at most 31 lower-case letters, digits and hyphens are allowed.",
            "For example: tinylm init radio",
        )
    if folder.is_symlink() or folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise TinylmError(f"'{folder}' is there already and not empty.", "Choose another name, or remove it.")
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _fill(scratch, view)
        read_project(scratch / FILE_NAME)
        scratch.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        scratch.replace(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _fill(folder: Path, view: ProjectView) -> None:
    source = templates_dir() / "project"
    for template, name in _RENDERED.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(source, template, **vars(view)), "utf-8")
    shutil.copytree(source / "texts", folder / "texts")


def write_board(name: str, like: str) -> Path:
    """boards/NAME.toml in the working folder: the file of the board `like` under a new name. Returns its path.

    Raises TinylmError for a name that is taken or is no name of a board.
    """
    source = board_path(like)
    if name in board_names():
        raise TinylmError(f"There is a board '{name}' already: {board_path(name)}.", "Choose another name.")
    if not BOARD_NAME.fullmatch(name):
        raise TinylmError(
            f"'{name}' cannot be a board's name.", "Use lower-case letters, digits and single hyphens: my-board."
        )
    path = OWN_BOARDS / f"{name}.toml"
    text = source.read_text("utf-8")
    first = f"# {name}: started from {like}. docs/PORTING.md of tinylm says what each key means.\n"
    text = re.sub(r"\A(#[^\n]*\n)+", "", text)
    text = re.sub(r"(?m)^name = .*$", f'name = "{name}"', text, count=1)
    OWN_BOARDS.mkdir(exist_ok=True)
    write_whole(path, (first + text).encode())
    read_board(path)
    return path
