"""The real avrdude writes a real image into a stand-in for the Mega's boot loader, and the chip then runs that very image."""

from __future__ import annotations

from pathlib import Path

import pytest
from avr_boot_loader import MegaBoard
from cli_rig import Outcome, run_cli, tiny_build
from models import tiny_word_model

pytestmark = pytest.mark.needs("avr-gcc", "avrdude", "simavr", "cc")


def flash(board: MegaBoard) -> Outcome:
    return run_cli("flash", "--board", "arduino-mega", "--build", tiny_build("arduino-mega"), "--port", board.port)


def test_avrdude_writes_the_image_and_the_board_answers_from_it(tmp_path: Path) -> None:
    image = (tiny_build("arduino-mega") / "firmware.bin").read_bytes()
    with MegaBoard(tmp_path / "board") as board:
        shown = flash(board)
        assert shown.status == 0, shown.err
        assert board.flash[: len(image)] == image
    assert "arduino-mega answers" in shown.out and f"({tiny_word_model().hash:08x}), self-test passed" in shown.out
    assert "writing 100 %" in shown.err


def test_another_chip_behind_the_boot_loader_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    with MegaBoard(tmp_path / "board", chip="ATmega328P") as board:
        refused = flash(board)
        assert board.programmed == 0
    assert refused.status == 1 and "arduino-mega has ATmega2560" in refused.err, refused.err


def test_a_flash_that_holds_something_else_than_was_sent_is_found_out(tmp_path: Path) -> None:
    with MegaBoard(tmp_path / "board", damage=True) as board:
        failed = flash(board)
    assert failed.status == 1 and "What arduino-mega holds after writing is not the image" in failed.err, failed.err
