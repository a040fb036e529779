"""`tinylm boards`."""

from __future__ import annotations

import json

from cli_rig import run_cli

from tinylm.board import board_names, load_board
from tinylm.memory import largest_language_bytes


def test_every_board_is_listed_with_its_emulators_and_what_they_emulate() -> None:
    shown = run_cli("boards")
    assert shown.status == 0
    for name in board_names():
        board = load_board(name)
        assert name in shown.out and board.chip in shown.out
        for emulator in board.emulators:
            lines = [line for line in shown.out.splitlines() if line.startswith(name) and emulator.name in line]
            assert any(emulator.fidelity in line for line in lines)


def test_the_list_says_that_no_real_board_was_at_hand() -> None:
    assert "no real board was at hand" in run_cli("boards").out
    assert not any(board["tested_on_hardware"] for board in json.loads(run_cli("boards", "--json").out))


def test_json_gives_the_exact_bytes_that_fit() -> None:
    listed = {board["name"]: board for board in json.loads(run_cli("boards", "--json").out)}
    assert list(listed) == board_names()
    for name, told in listed.items():
        board = load_board(name)
        assert told["largest_language_bytes"] == largest_language_bytes(board)
        assert told["flash_bytes"] == (board.memory and board.memory.flash.bytes)
    assert listed["host"]["ram_bytes"] is None
    assert listed["arduino-mega"]["compilers"] == ["avr-gcc"]


def test_one_board_is_shown_with_its_notes() -> None:
    shown = run_cli("boards", "esp32c3")
    assert "hold BOOT" in shown.out and "arduino-mega" not in shown.out
    assert json.loads(run_cli("boards", "esp32c3", "--json").out)["flasher"] == "esptool"


def test_an_unknown_board_gets_the_nearest_name() -> None:
    refused = run_cli("boards", "esp32c4")
    assert refused.status == 1
    assert "no board 'esp32c4'" in refused.err and "Did you mean 'esp32c3'?" in refused.err
