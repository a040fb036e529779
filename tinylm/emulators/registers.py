"""The registers of chips in Unicorn: a serial line's, and those by which a chip says that it is ready; others keep what is written.

Knows addresses and bits from the chips' manuals, as far as firmware/port uses them; knows no instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tinylm.board import Serial
from tinylm.emulators.line import Line

Answer = Callable[[int], int]


@dataclass(frozen=True)
class SerialMap:
    """Where a serial line's registers are, from its base. `status` answers how many bytes wait (at most 128); reading `take`
    takes one, writing `give` sends one. `ready` are (address, what is read there when this was written)."""

    take: int
    give: int
    status: int
    there: Answer
    ready: Mapping[int, Answer] = field(default_factory=dict)


_ALWAYS = 0xFFFFFFFF
SERIAL_MAPS = {
    "cmsdk-uart": SerialMap(0, 0, 4, lambda waiting: 2 if waiting else 0),
    "esp-uart": SerialMap(0, 0, 0x1C, lambda waiting: waiting),
    # RCC: each oscillator's ready bit follows its switch; the clock that was asked for is the one in use.
    "stm32f4-usart": SerialMap(4, 4, 0, lambda waiting: 0xA0 if waiting else 0x80, {
        0x40023800: lambda value: value & ~0x02020002 | (value & 0x01010001) << 1,
        0x40023808: lambda value: value & ~0xC | (value & 3) << 2,
    }),
    # The crystal has started, a byte has been sent.
    "nrf-uart": SerialMap(0x518, 0x51C, 0x108, lambda waiting: int(waiting > 0), {
        0x40000100: lambda value: 1,
        0x4000211C: lambda value: 1,
    }),
    # Resets, crystal, clock switches, PLL; the flash's serial port is idle and its status register has QE.
    "rp2040-uart": SerialMap(0, 0, 0x18, lambda waiting: 0 if waiting else 0x10, {
        0x4000C008: lambda value: _ALWAYS,
        0x40024004: lambda value: _ALWAYS,
        0x40008038: lambda value: _ALWAYS,
        0x40008044: lambda value: _ALWAYS,
        0x40028000: lambda value: value | 1 << 31,
        0x18000028: lambda value: 4,
        0x18000060: lambda value: 2,
    }),
}  # fmt: skip


class Registers:
    """All of a chip's registers, by address."""

    def __init__(self, serial: Serial, line: Line) -> None:
        self.written: dict[int, int] = {}
        self._line = line
        self._empty_looks = 0
        chip = SERIAL_MAPS[serial.kind]
        self._there, self._ready = chip.there, chip.ready
        self._take, self._give, self._status = (serial.base + at for at in (chip.take, chip.give, chip.status))

    def read(self, address: int) -> int:
        """What the firmware reads there."""
        line = self._line
        if address == self._take:
            self._empty_looks = 0
            return line.waiting.pop() if line.waiting else 0
        if address == self._status:
            return self._there(min(len(line.waiting), 128) if line.waiting or self._look() else 0)
        value = self.written.get(address, 0)
        return self._ready[address](value) if address in self._ready else value

    def write(self, address: int, value: int) -> None:
        """The firmware writes there."""
        self.written[address] = value
        if address == self._give:
            self._empty_looks = 0
            self._line.send(value & 0xFF)

    def _look(self) -> bool:
        """The second look in a row at an empty receiver means that the guest only waits: then so does this process."""
        self._empty_looks += 1
        if self._empty_looks == 1:
            return self._line.poll()
        self._line.wait()
        return True
