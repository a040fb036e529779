"""A build's files for Renode: a script that boots it, a Robot test that types on it. Knows what they say; starts nothing."""

from __future__ import annotations

from pathlib import Path

from tinylm.board import Board
from tinylm.model import Model
from tinylm.rendering import write_template

FILES = ("firmware.resc", "firmware.robot")


def write_renode(board: Board, model: Model, folder: Path) -> None:
    """firmware.resc and firmware.robot beside firmware.elf, for a board that Renode has."""
    values = {"board": board, "model": model.info.name, "letter": choose_letter(model)}
    for name in FILES:
        write_template(f"renode/{name}.j2", folder / name, values)


def choose_letter(model: Model) -> str:
    """A letter that a word begins with: something is suggested after it."""
    begun = (word[0] for word in (*model.row_words, *model.words) if len(word) > 1 and word[0].isalpha())
    return next(begun, model.info.alphabet[-1])
