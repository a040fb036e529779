"""Counts the instructions that Unicorn runs, whole blocks of code at a time, and whose they are. Knows no model."""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from tinylm.board import Board
from tinylm.errors import TinylmError
from tinylm.firmware import ELF_NAME

END = b"."


def count_blocks(board: Board, folder: Path) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Instructions of each interval that the counting firmware in `folder` tells, by its letter, and their profile.

    The profile: instructions inside intervals by C function.
    """
    from tinylm.emulators.unicorn_machine import Machine

    meter = _Meter(board.compiler.architecture)
    machine = Machine(board, (folder / "firmware.bin").read_bytes(), meter)
    meter.watch(machine.uc)
    machine.run_until_sleep(machine.reset())
    if not meter.done:
        raise TinylmError("The counting firmware stopped before its end.", "Please report this as a bug.")
    return meter.intervals, _profile(folder / ELF_NAME, meter.blocks, meter)


class _Meter:
    """Stands in for the serial line of a Unicorn machine: an interval begins and ends where its bytes go out."""

    def __init__(self, architecture: str) -> None:
        self.waiting = [ord("?")]
        self.intervals: defaultdict[str, list[int]] = defaultdict(list)
        self.blocks: Counter[tuple[int, int]] = Counter()  # inside intervals
        self._lengths: dict[tuple[int, int], int] = {}
        self._count_code = _CODES[architecture]
        self._total, self._begun, self._what = 0, -1, ""
        self._uc: Any = None

    def watch(self, uc: Any) -> None:
        """Count every block that `uc` runs."""
        import unicorn

        self._uc = uc
        uc.hook_add(unicorn.UC_HOOK_BLOCK, self._on_block)

    def length(self, address: int, size: int) -> int:
        """Instructions in a block."""
        found = self._lengths.get((address, size))
        if found is None:
            found = self._lengths[address, size] = self._count_code(bytes(self._uc.mem_read(address, size)))
        return found

    def _on_block(self, uc: object, address: int, size: int, user: object) -> None:
        self._total += self.length(address, size)
        if self._begun >= 0:
            self.blocks[address, size] += 1

    def send(self, byte: int) -> None:
        """A byte from the firmware."""
        letter = chr(byte)
        if letter == "(":
            self._begun = self._total
        elif letter == ")":
            self.intervals[self._what].append(self._total - self._begun)
            self._begun = -1
        else:
            self._what = letter

    @property
    def done(self) -> bool:
        """Whether the firmware said so."""
        return self._what == END.decode()

    def poll(self) -> bool:
        """No byte ever comes."""
        return False

    def wait(self) -> None:
        """The firmware waits for one: it is done."""
        self._uc.emu_stop()


def _count_thumb(code: bytes) -> int:
    at = found = 0
    while at < len(code):
        at += 4 if struct.unpack_from("<H", code, at)[0] >> 11 in (0b11101, 0b11110, 0b11111) else 2
        found += 1
    return found


def _count_riscv(code: bytes) -> int:
    at = found = 0
    while at < len(code):
        at += 4 if code[at] & 3 == 3 else 2
        found += 1
    return found


_CODES = {"arm": _count_thumb, "riscv32": _count_riscv}


def _profile(elf: Path, blocks: Counter[tuple[int, int]], meter: _Meter) -> dict[str, int]:
    with elf.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
        functions = sorted(
            (s["st_value"] & ~1, s["st_size"], s.name) for s in symbols if s["st_info"]["type"] == "STT_FUNC"
        )
    shares: Counter[str] = Counter()
    for (address, size), times in blocks.items():
        name = next((n for start, length, n in reversed(functions) if start <= address < start + max(length, 1)), "?")
        shares[name] += times * meter.length(address, size)
    return dict(shares.most_common())
