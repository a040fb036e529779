"""Our emulator of an ESP8266: its instructions are QEMU's, and it refuses what traps on the chip without a word."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import echo_rig
import pytest
import serial

from tinylm.board import Board, EmulatorChoice, Image, load_board
from tinylm.emulator import start
from tinylm.errors import TinylmError

pytestmark = pytest.mark.needs("cc", "xtensa-lx106-elf-gcc", "esptool")
INSTRUCTIONS = Path(__file__).parent / "c" / "lx106" / "instructions.c"


def in_qemu(board: Board) -> Board:
    """The same core on a board of QEMU's."""
    other = load_board("qemu-xtensa-de212")
    ports = tuple({"xtensa-esp8266": "xtensa-kc705"}.get(name, name) for name in board.port_also)
    arguments = tuple("lx106" if argument == "de212" else argument for argument in other.emulators[0].arguments)
    qemu = EmulatorChoice("qemu", "the real board", "qemu-system-xtensa", arguments)
    return dataclasses.replace(board, port_also=("mapped", *ports), memory=other.memory, serial=other.serial,
                               image=Image((), "none"), emulators=(qemu,))  # fmt: skip


def run_all(board: Board, folder: Path) -> list[str]:
    """name=hash of each instruction."""
    echo_rig.build_echo(board, folder, "gcc", INSTRUCTIONS)
    with start(board, folder / "build") as running, serial.serial_for_url(running.url, timeout=60) as line:
        line.write(b"?")
        return line.read_until(b"!").decode().splitlines()


@pytest.mark.needs("qemu-system-xtensa")
def test_every_instruction_gives_what_it_gives_in_qemu(tmp_path: Path) -> None:
    board = load_board("nodemcu")
    ours, theirs = run_all(board, tmp_path / "ours"), run_all(in_qemu(board), tmp_path / "theirs")
    assert ours[-1] == theirs[-1] == "!" and len(ours) > 90
    assert ours == theirs


def run_program(folder: Path, before: str, after: str, stops: bool) -> str:
    """What the emulator says when it `stops` a program that does something `before` or `after` the port was initialized."""
    source = folder / "program.c"
    source.write_text(f"""
#include "tlm_port.h"
#define WORD(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))
int main(void)
{{
    uint32_t value = 0;
    {before}
    tlm_port_init();
    (void)tlm_port_read();
    {after}
    tlm_port_write((uint8_t)value);
    for (;;) {{
    }}
}}
""")
    board = load_board("nodemcu")
    echo_rig.build_echo(board, folder, "gcc", source)
    with start(board, folder / "build") as running, serial.serial_for_url(running.url, timeout=30) as line:
        line.write(b"?")
        if not stops:
            return "it ran" if line.read(1) else "silence"
        running.wait()
        return running.log()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", "value = WORD(0x40210000UL);", "it ran"),
        ("", "value = BYTE(0x40210000UL);", "bytes are reached in data RAM alone (0x40210000)"),
        ("", "value = BYTE(0x40100003UL);", "bytes are reached in data RAM alone (0x40100003)"),
        ("", "BYTE(0x60000000UL) = 1;", "bytes are reached in data RAM alone (0x60000000)"),
        ("", "__asm__ volatile(\"l32i %0, %1, 0\" : \"=r\"(value) : \"r\"(0x3FFE8002UL));", "not aligned (0x3ffe8002)"),
        ("", "value = WORD(0x20000000UL);", "nothing to read is there (0x20000000)"),
        ("", "WORD(0x40210000UL) = 1;", "nothing to write is there (0x40210000)"),
        ("", "WORD(0x60000014UL) = 1068;", "another rate"),
        ("", "__asm__ volatile(\".byte 0x36, 0x41, 0x00\");", "no instruction of this core"),
        ("", "((void (*)(void))0x40001234UL)();", "no such function of the boot ROM"),
        ("value = WORD(0x40210000UL);", "", "flash is not mapped yet"),
        ("for (;;) { __asm__ volatile(\"\"); }", "", "the watchdog resets the chip"),
    ],
)  # fmt: skip
def test_what_the_chip_would_not_do_stops_the_program_and_is_said(
    before: str, after: str, said: str, tmp_path: Path
) -> None:
    assert said in run_program(tmp_path, before, after, said != "it ran")


@pytest.mark.parametrize(
    ("at", "said"), [(0, "does not begin with E9"), (11, "does not lie in RAM"), (200, "checksum is wrong")]
)
def test_an_image_that_the_rom_would_not_load_is_refused(at: int, said: str, tmp_path: Path) -> None:
    board = load_board("nodemcu")
    image = echo_rig.build_echo(board, tmp_path, "gcc").images["bin"]
    content = bytearray(image.read_bytes())
    content[at] ^= 0x81
    image.write_bytes(content)
    with pytest.raises(TinylmError) as caught:
        start(board, tmp_path / "build")
    assert said in caught.value.message
