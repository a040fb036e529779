"""A model is written alone, and the firmware stays: by each board's flasher, into the sectors of its chip, booted afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_rig import Outcome, run_cli, tools_on
from flashed_board import FlashedBoard
from models import tiny_character_model, tiny_word_model
from test_flashing_esp import other_word_model

from tinylm.board import board_names, load_board
from tinylm.building import build
from tinylm.engine import HostEngine
from tinylm.link import Device, identify_port
from tinylm.model import Model
from tinylm.statuses import status_code

UNICORN, GCC = "unicorn", "arm-none-eabi-gcc"
BOARDS = {
    "nrf52840dk": (UNICORN, UNICORN),
    "arduino-nano33ble": (UNICORN, UNICORN),
    "nucleo-f401re": ("qemu", "qemu-system-arm"),
    "netduinoplus2": ("qemu", "qemu-system-arm"),
    "raspberry-pi-pico": (UNICORN, UNICORN),
}
EACH = pytest.mark.parametrize(
    "board",
    [pytest.param(name, marks=pytest.mark.needs(GCC, tool)) for name, (_, tool) in BOARDS.items()],
    indirect=True,
)


@pytest.fixture
def board(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlashedBoard:
    """A board whose flash is erased; nothing hangs on USB."""
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [])
    monkeypatch.setattr("tinylm.flashing.RETURN_S", 0.0)
    with FlashedBoard(tmp_path / "board", request.param, BOARDS[request.param][0]) as made:
        yield made


def built(folder: Path, board: str, model: Model) -> Path:
    build(model, load_board(board), folder, None, lambda *_: None)
    return folder


def write(board: FlashedBoard, folder: Path, *options: str) -> Outcome:
    """`tinylm flash`; of a board that is a drive, to that."""
    options += ("--drive", str(board.drive)) if load_board(board.name).flasher.drive else ()
    with tools_on(f"{board.programs}{os.pathsep}{os.environ['PATH']}"):
        return run_cli("flash", "--board", board.name, "--build", folder, "--port", board.url, *options)


def suggestions(board: FlashedBoard) -> list[str]:
    with Device.open(board.url) as device:
        return device.suggest(3)


@EACH
def test_a_models_region_is_replaced_and_the_firmware_boots_with_it(board: FlashedBoard, tmp_path: Path) -> None:
    first, second = (built(tmp_path / m.info.name, board.name, m) for m in (tiny_word_model(), other_word_model()))
    offset = load_board(board.name).memory.model_offset
    assert write(board, first).status == 0
    assert suggestions(board) == HostEngine(tiny_word_model()).suggest(3)
    firmware = board.flash[:offset]
    shown = write(board, second, "--model-only")
    assert shown.status == 0, shown.err
    model = (second / "model.bin").read_bytes()
    assert board.flash[:offset] == firmware and board.flash[offset : offset + len(model)] == model
    assert suggestions(board) == HostEngine(other_word_model()).suggest(3)


@EACH
def test_a_model_of_another_firmware_is_refused_by_name(board: FlashedBoard, tmp_path: Path) -> None:
    """Before it is written, where the firmware runs meanwhile; when it starts, where only the boot loader does."""
    first, other = (built(tmp_path / m.info.name, board.name, m) for m in (tiny_word_model(), tiny_character_model()))
    assert write(board, first).status == 0
    before = board.flash
    refused = write(board, other, "--model-only")
    if load_board(board.name).flasher.boot_loader:
        assert "is in its boot loader" in refused.out
    else:
        assert refused.status == 1 and board.flash == before and "a network of another shape" in refused.err
        offset = load_board(board.name).memory.model_offset
        board.put(before[:offset] + (other / "model.bin").read_bytes())
    identity = identify_port(board.url)
    assert identity.language_check == status_code("TLM_ERR_FIRMWARE") and identity.model == "no model"
    told = run_cli("type", "--port", board.url, typed=b"the\n")
    assert told.status == 1 and "its model was built with another firmware" in told.err
    assert f"tinylm flash --board {board.name}" in told.err


def test_every_board_with_a_flasher_and_a_model_apart_is_in_this_file_or_an_esp() -> None:
    able = {name for name in board_names() if load_board(name).has_model_apart and load_board(name).flasher}
    assert able == {*BOARDS, "esp32", "esp32c3"}
