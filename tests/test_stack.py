"""The stack that a board keeps is enough: measured on images that boot, type, are asked everything and are sent noise.

The word kind takes the most of the three: 1.1 to 1.7 KB, from gcc 12.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import serial
from board_rig import BEST_BOOTS, OTHER_BOOTS
from cli_rig import tiny_build
from elftools.elf.elffile import ELFFile

from tinylm.board import Board, load_board
from tinylm.emulator import start
from tinylm.frames import encode_frame

PAINT = 0xA5
SPARE = 0.25  # of the stack: what a larger model's lines, another compiler's choices and an interrupt may take
INTERRUPT_BYTES = 32 + 64  # Unicorn takes none: the frame of a Cortex-M and its handler's registers
UNICORN_BOOTS = [boot for boot in BEST_BOOTS + OTHER_BOOTS if boot.values[1:] == ("gcc", "unicorn")]


class Script:
    """A serial line that sends some bytes and then stops the machine."""

    def __init__(self, content: bytes) -> None:
        self.waiting = bytearray(reversed(content))
        self.answers = bytearray()
        self.machine = None

    def send(self, byte: int) -> None:
        self.answers.append(byte)

    def poll(self) -> bool:
        return bool(self.waiting)

    def wait(self) -> None:
        self.machine.uc.emu_stop()


def session() -> bytes:
    """Text with suggestions taken, every command with and without arguments, and noise."""
    choose = random.Random(7)
    text = b"we need the ladder on the north side \rcan you call 1me when 2 the 3\x7f\x7f\x7f doctor is back \r" * 2
    frames = [encode_frame(bytes([number, command])) for number, command in enumerate(range(24), 1)]
    asked = [(1, b"\1"), (2, b"\3"), (3, b"\3we need the l"), (4, b"\0\3"), (5, b"\3"), (8, b"\3\0\7\0\x20\0")]
    frames += [encode_frame(bytes([60 + i, command]) + rest) for i, (command, rest) in enumerate(asked)]
    frames += [encode_frame(choose.randbytes(choose.randrange(2, 250))) for _ in range(30)]
    return text + b"".join(frames) + choose.randbytes(2000)


def used_stack(board: Board, folder: Path) -> int:
    """The most bytes of stack that the session took."""
    from tinylm.emulators.unicorn_machine import Machine

    with (folder / "firmware.elf").open("rb") as file:
        symbols = {s.name: s["st_value"] for s in ELFFile(file).get_section_by_name(".symtab").iter_symbols()}
    bottom, top = symbols["tlm_bss_end"], symbols["tlm_stack_top"]
    line = Script(session())
    machine = line.machine = Machine(board, (folder / "firmware.bin").read_bytes(), line)
    machine.uc.mem_write(bottom, bytes([PAINT]) * (top - bottom))
    at = machine.reset()
    while line.waiting:
        at = machine.run_until_sleep(at)
    assert b"1" in line.answers and len(line.answers) > 1000
    held = bytes(machine.uc.mem_read(bottom, top - bottom))
    return len(held.lstrip(bytes([PAINT])))


@pytest.mark.parametrize(("name", "toolchain", "emulator"), UNICORN_BOOTS)
def test_a_board_keeps_more_stack_than_a_session_takes(name: str, toolchain: str, emulator: str) -> None:
    board = load_board(name)
    used = used_stack(board, tiny_build(name)) + INTERRUPT_BYTES
    assert 200 < used <= (1 - SPARE) * board.memory.stack_bytes


@pytest.mark.needs("cc", "xtensa-lx106-elf-gcc", "esptool")
def test_an_esp8266_keeps_more_stack_than_a_session_takes() -> None:
    board = load_board("nodemcu")
    with start(board, tiny_build("nodemcu"), "esp8266") as running:
        with serial.serial_for_url(running.url, timeout=1) as line:
            line.write(session())
            assert len(line.read(100_000)) > 1000
        running._process.stdin.close()
        running.wait()
        lowest = int(re.search(r"reached down to (0x[0-9a-f]+)", running.log())[1], 16)
    used = board.memory.ram.origin + board.memory.ram.bytes - lowest + INTERRUPT_BYTES
    assert 200 < used <= (1 - SPARE) * board.memory.stack_bytes
