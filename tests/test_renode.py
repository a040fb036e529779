"""Files for Renode: each names what Renode has and what the build holds; run where Renode is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cli_rig import tiny_build
from models import tiny_character_model, tiny_word_model

from tinylm.board import board_names, load_board
from tinylm.engine import HostEngine
from tinylm.renode import FILES, choose_letter, write_renode

BOARDS = [name for name in board_names() if load_board(name).renode]
EACH = pytest.mark.parametrize("name", BOARDS)
# Renode's own platforms (renode/renode, platforms/): serial lines by address, and interrupts, as far as they are like the firmware's.
LINES = {
    "platforms/boards/nrf52840dk_nrf52840.repl": {},  # uart0 at 0x40002000 has the UART with DMA alone
    "platforms/boards/arduino_nano_33_ble.repl": {},
    "platforms/cpus/stm32f4.repl": {"usart1": 0x40011000, "usart2": 0x40004400, "usart3": 0x40004800},
}


@EACH
def test_the_serial_line_in_renode_is_the_one_that_the_firmware_uses(name: str) -> None:
    board = load_board(name)
    there = LINES[board.renode.platform]
    if board.renode.added:
        found = re.fullmatch(
            r"(\w+): UART\.\w+ @ sysbus <?(0x\w+)(?:, \+0x100>)? \{ -> nvic@(\d+) \}", board.renode.added
        )
        assert found and int(found[3]) == board.serial.interrupt, board.renode.added
        there = {**there, found[1]: int(found[2], 16)}
    assert there[board.renode.uart] == board.serial.base


@EACH
def test_a_script_and_a_test_are_written_for_the_build(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    write_renode(board, tiny_word_model(), tmp_path)
    script, test = ((tmp_path / file).read_text() for file in FILES)
    assert f"LoadPlatformDescription @{board.renode.platform}\n" in script and "LoadELF $ORIGIN/firmware.elf" in script
    assert f"VectorTableOffset 0x{board.memory.flash.origin:08X}" in script
    assert f"tinylm tiny-word on {name}, type" in test and f"sysbus.{board.renode.uart} " in test
    assert not re.search(r"[{]{2}|[}]{2}|None", script + test)


@pytest.mark.needs("cc")
@pytest.mark.parametrize("make", [tiny_word_model, tiny_character_model])
def test_after_the_letter_that_is_typed_a_longer_word_is_suggested(make) -> None:  # noqa: ANN001
    engine, letter = HostEngine(make()), choose_letter(make())
    engine.feed(letter)
    first = engine.suggest(3)[0]
    assert len(first) > 1 and first.startswith(letter)


@pytest.mark.needs("arm-none-eabi-gcc")
def test_a_build_has_them_beside_its_firmware_and_other_boards_do_not() -> None:
    assert all((tiny_build("nrf52840dk") / file).is_file() for file in FILES)
    assert not any((tiny_build("qemu-cortex-m4") / file).exists() for file in FILES)


@pytest.mark.needs("arm-none-eabi-gcc", "renode-test")
@EACH
def test_renode_boots_a_board_and_takes_a_suggestion(name: str, tmp_path: Path) -> None:
    shutil.copytree(tiny_build(name), tmp_path / name)
    done = subprocess.run(
        ["renode-test", "firmware.robot"], cwd=tmp_path / name, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-3000:]
