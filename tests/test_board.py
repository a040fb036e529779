"""Boards are data that is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinylm.board import Region, board_names, load_board, read_board
from tinylm.errors import TinylmError
from tinylm.resources import boards_dir, firmware_dir


@pytest.mark.parametrize("name", board_names())
def test_every_board_loads_and_its_port_has_each_header_once(name: str) -> None:
    board = load_board(name)
    folders = [firmware_dir() / "port" / folder for folder in (board.port, *board.port_also)]
    for header in ("tlm_port.h", "tlm_high.h"):
        assert sum((folder / header).exists() for folder in folders) == 1, header
    assert board.emulators


def test_an_unknown_board_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(TinylmError) as caught:
        load_board("arduino-mgea")
    assert "arduino-mgea" in caught.value.message and "arduino-mega" in caught.value.hint


def altered(tmp_path: Path, old: str, new: str) -> Path:
    text = (boards_dir() / "arduino-mega.toml").read_text()
    assert old in text
    path = tmp_path / "arduino-mega.toml"
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("baud =", "bauds =", "unknown key 'serial.bauds'"),
        ("clock_hz = 16_000_000", "", "'clock_hz' is missing"),
        ("clock_hz = 16_000_000", "clock_hz = '16'", "'clock_hz' is '16'"),
        ("clock_hz = 16_000_000", "clock_hz = true", "'clock_hz' is True"),
        ("clock_hz = 16_000_000", "clock_hz = -1", "whole number, 0 or more"),
        ('formats = ["hex", "bin"]', 'formats = ["hex", 3]', "'image.formats' is 3"),
        ('formats = ["hex", "bin"]', 'formats = "hex"', "must be a list"),
        ('"2341:0010"', '"2341-0010"', "'usb.ids' is '2341-0010'"),
        ('name = "arduino-mega"', 'name = "uno"', "'name' is 'uno'"),
        ('name = "arduino-mega"', 'name = "arduino mega"', "lower-case letters"),
        ('fidelity = "the real board"', 'fidelity = "good"', "'emulators.fidelity' is 'good'"),
        ("[serial]", "[serial", "not a board file"),
        ("far_flash = true", "model_offset = 4096", "'memory.model_offset' is 4096, but must be the start of a sector"),
        ("far_flash = true", "model_offset = 4096\nsector_bytes = [512, 8192]", "'memory.model_offset' is 4096"),
        ("far_flash = true", "far_flash = 1", "'memory.far_flash' is 1, but must be true or false"),
        ('formats = ["hex", "bin"]', 'formats = ["hex", "uf2"]', "'image.uf2_family' is None"),
        ('formats = ["hex", "bin"]', 'formats = ["bin"]', "'flasher.image' is 'hex'"),
        ('check = "avr-vectors"', 'check = "none"', "'image.check' is 'none'"),
        ('check = "avr-vectors"', 'check = "esp-boot-image"', "'image.boot' is None"),
        ('tool = "avrdude"', 'tool = "copy"', "'flasher.drive' is None"),
    ],
)
def test_a_wrong_board_file_is_refused_with_the_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = altered(tmp_path, old, new)
    with pytest.raises(TinylmError) as caught:
        read_board(path)
    assert str(path) in caught.value.message and said in caught.value.message
    assert caught.value.hint


def test_a_region_holds_what_lies_in_it_by_either_of_its_addresses() -> None:
    region = Region(0x100, 0x10, alias=0x900)
    assert [region.holds(at, 2) for at in (0xFF, 0x100, 0x10E, 0x10F, 0x900, 0x90F)] == [0, 1, 1, 0, 1, 0]


def test_a_misspelt_key_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(TinylmError) as caught:
        read_board(altered(tmp_path, "baud =", "bauds ="))
    assert "'baud'" in caught.value.hint
