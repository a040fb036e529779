"""Boots the image in a build folder and connects to it. Knows where builds are and which are wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinylm.board import Board, load_board
from tinylm.building import read_build
from tinylm.emulator import Emulator, start
from tinylm.errors import TinylmError
from tinylm.link import Device
from tinylm.project import Project, find_project

BOOT_S = 60.0
"""An emulator on a busy machine takes this long at most to start, check its model and answer."""


@dataclass(frozen=True)
class BuiltImage:
    """A build folder of a board. `record` is its build.json."""

    board: Board
    folder: Path
    record: dict


def name_board(name: str | None) -> str:
    """The board named, else the project's. Raises TinylmError when there is neither."""
    project = find_project()
    chosen = name or (project.board if project else "")
    if not chosen:
        raise TinylmError("No board was named.", "Give --board NAME; `tinylm boards` lists them.")
    return chosen


def find_image(asked: str, folder: Path | None = None, model_hash: int | None = None) -> BuiltImage:
    """The build of a board (its name or file), in `folder` or where `tinylm build` puts it.

    Raises TinylmError with the command that builds when there is none, when it is another board's, or when it holds
    another model than `model_hash` (None: any).
    """
    board = load_board(asked)
    place = folder or (find_project() or Project(name="")).build_folder / board.name
    again = f"tinylm build --board {board.argument}" + (f" --output {folder}" if folder else "")
    if not (place / "build.json").is_file():
        raise TinylmError(f"There is no build for {board.name} in '{place}'.", f"Make one: {again}")
    record = read_build(place)
    if record.get("board") != board.name:
        raise TinylmError(
            f"The build in '{place}' is for {record.get('board')}, not for {board.name}.", f"Build it: {again}"
        )
    if model_hash is not None and record.get("model_hash") != model_hash:
        raise TinylmError(
            f"The build in '{place}' holds another model ({record.get('model')}).", f"Build it: {again} --model NAME"
        )
    return BuiltImage(board, place, record)


@contextlib.contextmanager
def boot(image: BuiltImage, emulator: str | None = None) -> Iterator[tuple[Emulator, Device]]:
    """A running emulator and the device in it, identified; both end with the block.

    Raises TinylmError when it does not start, says nothing, or holds another model than its build.json says.
    """
    with start(image.board, image.folder, emulator) as running:
        try:
            device = Device.open(
                running.url, image.board.serial.baud, boot_s=BOOT_S, model_hash=image.record["model_hash"]
            )
        except TinylmError as error:
            if running.running():
                raise
            said = running.log().strip()[-500:] or "nothing"
            raise TinylmError(
                f"{running.name} ended before {image.board.name} answered; it said: {said}", error.hint
            ) from error
        with device:
            yield running, device
