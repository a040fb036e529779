"""Clocks, pins and baud rates that a chip's start sets, read from a model of its registers against the makers' limits.

The model knows only what the manuals say of ready bits: it proves numbers and order, not that a real chip starts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import echo_rig
import pytest

from tinylm.board import Board, load_board

pytestmark = pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
MHZ = 1_000_000
WORST_BAUD_ERROR = 0.005  # a receiver bears some 2 %, and the other side has its share


class Started:
    """A board that ran until it waited for its first byte: what its registers hold, and the order of the writes."""

    def __init__(self, board: Board, folder: Path, dead: dict[int, Callable[[int], int]]) -> None:
        from tinylm.emulators.unicorn_machine import Machine

        class Silence:
            waiting: list[int] = []

            def poll(self) -> bool:
                return False

            def wait(self) -> None:
                """The guest waits without sleeping."""
                machine.uc.emu_stop()

        self.board = board
        self.writes: list[tuple[int, int]] = []
        echo_rig.build_echo(board, folder, "gcc")
        machine = Machine(board, (folder / "build" / "firmware.bin").read_bytes(), Silence())
        registers = machine.registers
        registers._ready = {**registers._ready, **dead}
        keep = registers.write
        registers.write = lambda address, value: (self.writes.append((address, value)), keep(address, value))
        self.analog = follow_analog_bus(machine, self.writes) if board.compiler.architecture == "riscv32" else {}
        machine.run_until_sleep(machine.reset())
        self.held = registers.written

    def bits(self, address: int, at: int, width: int) -> int:
        return self.held.get(address, 0) >> at & ((1 << width) - 1)

    def first_write(self, address: int, holds: Callable[[int], bool]) -> int:
        return next(i for i, (to, value) in enumerate(self.writes) if to == address and holds(value))


ANALOG_WRITE, ANALOG_WRITE_BITS = 0x4000195C, 0x40001960  # of an ESP32-C3's ROM


def follow_analog_bus(machine: object, writes: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """(block, register) -> byte, as the ROM's functions are asked to write it; each write is in `writes` too, at the function."""
    from unicorn import UC_HOOK_CODE, riscv_const

    analog: dict[tuple[int, int], int] = {}

    def called(uc: object, address: int, size: int, user: object) -> None:
        block, host, number, *rest = (uc.reg_read(riscv_const.UC_RISCV_REG_A0 + i) for i in range(6))
        assert host == 0
        high, low, value = rest if address == ANALOG_WRITE_BITS else (7, 0, rest[0])
        mask = (1 << high + 1) - (1 << low)
        analog[block, number] = analog.get((block, number), 0) & ~mask | value << low
        writes.append((address, block))

    for function in (ANALOG_WRITE, ANALOG_WRITE_BITS):
        machine.uc.hook_add(UC_HOOK_CODE, called, begin=function, end=function)
    return analog


Start = Callable[..., Started]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return lambda name, **dead: Started(load_board(name), tmp_path, dead.get("dead", {}))


RCC, FLASH_ACR = 0x40023800, 0x40023C00
LIMITS = {"netduinoplus2": (168, 42, 84), "nucleo-f401re": (84, 42, 84)}  # MHz: core, slow bus, fast bus


def check_stm32(started: Started, source_hz: int, from_crystal: bool) -> None:
    board, (core, slow, fast) = started.board, LIMITS[started.board.name]
    assert started.bits(RCC + 4, 22, 1) == from_crystal
    fed = source_hz / started.bits(RCC + 4, 0, 6)
    oscillator = fed * started.bits(RCC + 4, 6, 9)
    clock = oscillator / (2 * started.bits(RCC + 4, 16, 2) + 2)
    assert 0.95 * MHZ <= fed <= 2 * MHZ and 100 * MHZ <= oscillator <= 432 * MHZ
    assert clock == board.clock_hz <= core * MHZ and started.bits(RCC + 8, 0, 2) == 2
    divided = [clock / {0: 1, 4: 2, 5: 4, 6: 8, 7: 16}[started.bits(RCC + 8, at, 3)] for at in (10, 13)]
    assert started.bits(RCC + 8, 4, 4) == 0 and divided[0] <= slow * MHZ and divided[1] <= fast * MHZ
    assert (1 + started.bits(FLASH_ACR, 0, 3)) * 30 * MHZ >= clock
    switched = started.first_write(RCC + 8, lambda value: value & 3 == 2)
    assert started.first_write(FLASH_ACR, lambda value: value & 7 > 0) < switched
    assert started.first_write(RCC, lambda value: bool(value & 1 << 24)) < switched
    check_usart(started, divided[1 if board.serial.base & 0x10000 else 0])


def check_usart(started: Started, bus_hz: float) -> None:
    serial = started.board.serial
    assert abs(bus_hz / started.held[serial.base + 8] / serial.baud - 1) < WORST_BAUD_ERROR
    enable = RCC + (0x44 if serial.base & 0x10000 else 0x40)
    assert started.held[enable] == 1 << (serial.base & 0xFFFF) // 0x400
    for pin in (serial.tx, serial.rx):
        port, number = 0x40020000 + pin // 16 * 0x400, pin % 16
        assert started.bits(RCC + 0x30, pin // 16, 1) == 1
        assert started.bits(port, 2 * number, 2) == 2
        assert started.bits(port + 0x20 + number // 8 * 4, number % 8 * 4, 4) == serial.function


@pytest.mark.parametrize("name", ["netduinoplus2", "nucleo-f401re"])
def test_an_stm32f4_runs_at_its_clock_within_its_limits(name: str, start: Start) -> None:
    board = load_board(name)
    check_stm32(start(name), board.crystal_hz or 16 * MHZ, board.crystal_hz > 0)


def test_an_stm32f4_whose_crystal_is_dead_runs_from_its_own_oscillator(start: Start) -> None:
    dead = {RCC: lambda value: value & ~0x02020002 | (value & 0x01000001) << 1}
    check_stm32(start("netduinoplus2", dead=dead), 16 * MHZ, False)


def test_an_stm32f4_whose_pll_is_dead_still_speaks_at_the_right_rate(start: Start) -> None:
    dead = {RCC: lambda value: value & ~0x02020002 | (value & 0x00010001) << 1}
    started = start("netduinoplus2", dead=dead)
    assert started.bits(RCC + 8, 0, 2) == 0 and FLASH_ACR not in started.held
    check_usart(started, 16 * MHZ)


@pytest.mark.parametrize("name", ["microbit", "nrf52840dk", "arduino-nano33ble"])
def test_an_nrf_starts_its_crystal_and_connects_its_pins(name: str, start: Start) -> None:
    started = start(name)
    serial = started.board.serial
    assert started.held[0x40000000] == 1
    assert started.held[serial.base + 0x524] == 0x01D7E000  # the manuals' number for 115200
    assert started.held[serial.base + 0x50C] == serial.tx and started.held[serial.base + 0x514] == serial.rx
    for pin, settings in ((serial.tx, 3), (serial.rx, 0xC)):
        assert started.held[0x50000700 + pin // 32 * 0x300 + pin % 32 * 4] == settings
    assert started.held[0x50000508 + serial.tx // 32 * 0x300] == 1 << serial.tx % 32
    assert started.first_write(serial.base + 0x500, lambda value: value == 4) > started.first_write(
        serial.base + 0x524, lambda value: True
    )


def test_a_nano_takes_over_from_its_boot_loader(start: Start) -> None:
    started = start("arduino-nano33ble")
    assert started.held[0xE000ED08] == started.board.memory.flash.origin == 0x10000
    assert started.held[0xE000E180] == started.held[0xE000E184] == 0xFFFFFFFF


def test_an_rp2040_runs_at_125_mhz_from_its_crystal(start: Start) -> None:
    started = start("raspberry-pi-pico")
    oscillator = started.board.crystal_hz * started.held[0x40028008]
    clock = oscillator / started.bits(0x4002800C, 16, 3) / started.bits(0x4002800C, 12, 3)
    assert 750 * MHZ <= oscillator <= 1600 * MHZ and clock == started.board.clock_hz == 125 * MHZ
    assert started.held[0x4002400C] * 256 / started.board.crystal_hz >= 0.001 and started.held[0x40024000] == 0xFABAA0
    baud = clock / (16 * (started.held[0x40034024] + started.held[0x40034028] / 64))
    assert abs(baud / started.board.serial.baud - 1) < WORST_BAUD_ERROR
    assert [started.held[0x40014004 + 8 * pin] for pin in (0, 1)] == [2, 2]
    assert started.bits(0x4000C000, 12, 1) == 0 == started.bits(0x4000C000, 22, 1)


def test_an_rp2040s_flash_is_read_on_four_wires_or_on_one(start: Start) -> None:
    flash, command, speed = 0x18000000, 0x180000F4, 0x18000014
    four = start("raspberry-pi-pico")
    assert four.held[command] >> 24 == 0x6B and four.bits(flash, 21, 2) == 2 and four.held[speed] == 2
    one = start("raspberry-pi-pico", dead={flash + 0x60: lambda value: 0})
    assert one.held[command] >> 24 == 0x03 and one.bits(flash, 21, 2) == 0
    assert one.board.clock_hz / one.held[speed] <= 50 * MHZ
    assert four.held[0xE000ED08] == one.held[0xE000ED08] == 0x10000100


C3_CPU, C3_SYSTEM, C3_FLASH = 0x600C0008, 0x600C0058, 0x60003014


@pytest.mark.needs("riscv64-unknown-elf-gcc")
def test_an_esp32c3_runs_at_160_mhz_from_its_pll(start: Start) -> None:
    started = start("esp32c3")
    pll, supply = 0x66, 0x6D
    assert 40 * MHZ * (started.analog[pll, 3] + 4) == 480 * MHZ and started.analog[pll, 2] == 0x50
    assert started.bits(C3_CPU, 2, 1) == 1  # it has 480 MHz
    assert started.bits(C3_CPU, 0, 2) == 1 and started.bits(C3_SYSTEM, 10, 2) == 1  # a third of them
    assert started.board.clock_hz == 160 * MHZ
    assert started.analog[supply, 4] == started.analog[supply, 6] == 28  # core voltage
    switched = started.first_write(C3_SYSTEM, lambda value: value >> 10 & 3 == 1)
    analog = [i for i, (to, _) in enumerate(started.writes) if to in (ANALOG_WRITE, ANALOG_WRITE_BITS)]
    assert max(analog) < switched and started.first_write(0x60008000, lambda value: True) < analog[-1]
    divider = started.held[C3_FLASH]
    assert divider >> 16 & 0xFF == divider & 0xFF == 1  # 80 MHz / 2, set before it is 80
    assert started.first_write(C3_FLASH, lambda value: True) < switched


@pytest.mark.needs("riscv64-unknown-elf-gcc")
def test_an_esp32c3_whose_rom_started_the_pll_only_takes_its_speed(start: Start) -> None:
    started = start("esp32c3", dead={C3_SYSTEM: lambda value: value | 1 << 10})
    assert {block for to, block in started.writes if to in (ANALOG_WRITE, ANALOG_WRITE_BITS)} == {0x6D}
    assert started.bits(C3_CPU, 0, 2) == 1 and started.bits(C3_SYSTEM, 10, 2) == 1
