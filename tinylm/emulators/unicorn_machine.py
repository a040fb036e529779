"""A CPU in Unicorn with flash, RAM and registers: enough to run an image, with PyPI alone.

Runs as a process of its own: `python -m tinylm.emulators.unicorn_machine BOARD_FILE IMAGE`. Prints its TCP port.
Knows instruction sets and memory maps; has no clock and no interrupt, and of a boot ROM only that its functions return.
"""

from __future__ import annotations

import ctypes
import signal
import struct
import sys
from pathlib import Path

import unicorn
from unicorn import arm_const, riscv_const

from tinylm.board import Board, Region, read_board
from tinylm.emulators.line import Line
from tinylm.emulators.registers import Registers
from tinylm.errors import TinylmError, nearest

_PAGE = 0x1000
_BOOT_BYTES = 256
_NEVER = 0xFFFFFFFE  # no code is there, so emulation runs until the guest sleeps


class Machine:
    """A board's image in memory, its UART on `line`, the CPU at reset."""

    def __init__(self, board: Board, image: bytes, line: Line) -> None:
        self.board = board
        self.line = line
        self.uc = _CPUS[board.compiler.architecture](board)
        self._buffers = []
        self._map_region(board.memory.flash, image)
        self._map_region(board.memory.ram, b"")
        for start, size, code in _ROMS.get(board.compiler.architecture, ()):
            self._map_region(Region(start, size), code * (size // len(code)))
        self.registers = Registers(board.serial, line)
        for start, size in _REGISTERS[board.compiler.architecture]:
            self._map_registers(start, size)

    def run(self) -> None:
        """Runs for ever; a guest that sleeps (WFI) is woken by the next byte."""
        at = self.reset()
        while True:
            at = self.run_until_sleep(at)
            self.line.wait()

    def reset(self) -> int:
        """The CPU as after a reset. Returns where it starts."""
        return _RESETS[self.board.compiler.architecture](self)

    def run_until_sleep(self, at: int) -> int:
        """Runs from `at` until the guest sleeps. Returns where it goes on."""
        self.uc.emu_start(at, _NEVER)
        return self.uc.reg_read(_COUNTERS[self.board.compiler.architecture]) | (at & 1)

    def _map_region(self, region: Region, content: bytes) -> None:
        """One piece of this process's memory, seen at the region's origin and at its alias."""
        buffer = ctypes.create_string_buffer(content, max(region.bytes, len(content)) + _PAGE)
        start = -(-ctypes.addressof(buffer) // _PAGE) * _PAGE
        ctypes.memmove(start, content, len(content))
        self._buffers.append(buffer)
        for origin in (region.origin, region.alias):
            if origin is not None:
                self.uc.mem_map_ptr(origin, region.bytes, unicorn.UC_PROT_ALL, start)

    def _map_registers(self, start: int, size: int) -> None:
        """Registers wherever the port writes: clocks, pins, watchdogs, the interrupt controller."""

        def read(uc: unicorn.Uc, offset: int, size: int, user: object) -> int:
            return self.registers.read(start + offset)

        def write(uc: unicorn.Uc, offset: int, size: int, value: int, user: object) -> None:
            self.registers.write(start + offset, value)

        self.uc.mmio_map(start, size, read, None, write, None)


def _arm(board: Board) -> unicorn.Uc:
    uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    choice = next(e for e in board.emulators if e.name == "unicorn")
    if choice.machine not in _ARM_MODELS:
        raise TinylmError(f"{board.name}: Unicorn has no '{choice.machine}'.", nearest(choice.machine, _ARM_MODELS))
    uc.ctl_set_cpu_model(_ARM_MODELS[choice.machine])
    return uc


def _reset_arm(machine: Machine) -> int:
    flash = machine.board.memory.flash.origin
    if (
        machine.board.image.check == "rp2040-boot"
    ):  # the boot ROM copies the first 256 bytes to the top of RAM and calls them
        ram = machine.board.memory.ram
        top = ram.origin + ram.bytes - _BOOT_BYTES
        machine.uc.mem_write(top, bytes(machine.uc.mem_read(flash, _BOOT_BYTES)))
        machine.uc.reg_write(arm_const.UC_ARM_REG_SP, top)
        return top | 1
    stack, start = struct.unpack("<II", machine.uc.mem_read(flash, 8))
    machine.uc.reg_write(arm_const.UC_ARM_REG_SP, stack)
    return start | 1


def _riscv(board: Board) -> unicorn.Uc:
    return unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)


def _reset_riscv(machine: Machine) -> int:
    return machine.board.memory.flash.origin + 8


_CPUS = {"arm": _arm, "riscv32": _riscv}
_RESETS = {"arm": _reset_arm, "riscv32": _reset_riscv}
_COUNTERS = {"arm": arm_const.UC_ARM_REG_PC, "riscv32": riscv_const.UC_RISCV_REG_PC}
# Peripherals, the RP2040's port to its flash, the core's own.
_REGISTERS = {
    "arm": ((0x40000000, 0x20000000), (0x18000000, _PAGE), (0xE000E000, _PAGE)),
    "riscv32": ((0x60000000, 0x100000),),
}
# The ESP32-C3's, of nothing but RET.
_ROMS = {"riscv32": ((0x40000000, 0x60000, b"\x82\x80"),)}
_ARM_MODELS = {
    "cortex-m0": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m3": arm_const.UC_CPU_ARM_CORTEX_M3,
    "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
}


def main(board_file: str, image: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it closes this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    line = Line()
    machine = Machine(read_board(Path(board_file)), Path(image).read_bytes(), line)
    line.announce()
    try:
        line.wait()
        machine.run()
    except unicorn.UcError as error:
        sys.exit(f"the emulated CPU stopped: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
