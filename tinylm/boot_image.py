"""What an Espressif boot ROM loads into RAM: made by esptool, read back, held to what the ROM and the chip's buses allow.

Knows esptool's command line, the format of such an image and its rules; knows no compiler and no other chip.
"""

from __future__ import annotations

import functools
import operator
import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from tinylm.board import Board, Region
from tinylm.errors import TinylmError
from tinylm.toolchain import require_tool

_MAGIC, _CHECKSUM_SEED = 0xE9, 0xEF
_HEADER = struct.Struct("<BBBBI")
_SECOND_HEADER_BYTES = 16  # of every chip but the first
_FIRST_CHIP = "esp8266"
_SEGMENT = struct.Struct("<II")
_SECTION_TYPE_AT = 4  # in an ELF's section header
# Xtensa's linker keeps what the assembler said of each piece of code: where it is, its length, flags.
_PIECES, _PIECE = ".xt.prop", struct.Struct("<III")
_KNOWN = 1 | 2 | 8  # literals, instructions, what is never reached
_BUG = "Please report this as a bug."
MAKER = "esptool"  # of tinylm/toolchain.py


@dataclass(frozen=True)
class LoadedSegment:
    """Bytes that the ROM copies to an address."""

    address: int
    content: bytes


@dataclass(frozen=True)
class BootImage:
    """An image taken apart. `checksum_holds`: whether its last byte is the one that the ROM will compute."""

    entry: int
    segments: tuple[LoadedSegment, ...]
    checksum_holds: bool


def make_boot_image(elf: Path, board: Board) -> bytes:
    """The image of all that an ELF has outside of mapped flash. Raises TinylmError when esptool is missing or refuses."""
    boot, flash = board.image.boot, board.memory.flash
    with tempfile.TemporaryDirectory(prefix="tinylm-") as name:
        loaded, image = Path(name) / "loaded.elf", Path(name) / "image.bin"
        loaded.write_bytes(_without_flash(elf, flash))
        options = ["--flash-mode", boot.mode, "--flash-freq", boot.frequency, "--flash-size", f"{flash.bytes >> 20}MB"]
        command = [*require_tool(MAKER), "--chip", boot.chip, "elf2image", *options, "-o", str(image), str(loaded)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        made = sorted(Path(name).glob(f"{image.name}*"))  # an ESP8266's says where it goes: image.bin0x00000.bin
        if done.returncode or len(made) != 1:
            said = (done.stderr or done.stdout).strip()[-500:]
            raise TinylmError(f"esptool could not make an image of {elf}:\n{said}", "tinylm needs esptool 5 or later.")
        return made[0].read_bytes()


def _without_flash(elf: Path, flash: Region) -> bytes:
    """The ELF with every section in `flash` marked as unused: esptool would put it into the image."""
    content = bytearray(elf.read_bytes())
    with elf.open("rb") as file:
        linked = ELFFile(file)
        for number, section in enumerate(linked.iter_sections()):
            if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and flash.holds(section["sh_addr"]):
                at = linked["e_shoff"] + number * linked["e_shentsize"] + _SECTION_TYPE_AT
                content[at : at + 4] = bytes(4)
    return bytes(content)


def read_boot_image(content: bytes, chip: str) -> BootImage:
    """Take a chip's image apart. Raises TinylmError when it is none."""
    try:
        magic, count, _, _, entry = _HEADER.unpack_from(content)
        if magic != _MAGIC:
            raise TinylmError(f"The boot image begins with {magic:#04x}, not with {_MAGIC:#04x}.", _BUG)
        segments, at = [], _HEADER.size + (_SECOND_HEADER_BYTES if chip != _FIRST_CHIP else 0)
        for _ in range(count):
            address, size = _SEGMENT.unpack_from(content, at)
            at += _SEGMENT.size + size
            segments.append(LoadedSegment(address, content[at - size : at]))
        checksum = content[at | 15]  # the last byte of 16
    except (struct.error, IndexError) as error:
        raise TinylmError(f"The boot image ends after {len(content)} bytes, amid its contents.", _BUG) from error
    sums = (functools.reduce(operator.xor, segment.content, 0) for segment in segments)
    return BootImage(entry, tuple(segments), checksum == functools.reduce(operator.xor, sums, _CHECKSUM_SEED))


def check_boot_image(content: bytes, board: Board) -> None:
    """The rules that no emulator makes: where the ROM may load, and that what it loads starts.

    Args:
        content: the flash from its first byte on.
    """
    memory, offset = board.memory, board.image.boot.offset
    image = read_boot_image(content[offset : memory.model_offset], board.image.boot.chip)
    if not image.checksum_holds:
        raise TinylmError("The boot image's checksum is wrong: the boot ROM would refuse it.", _BUG)
    for segment in image.segments:
        size = len(segment.content)
        if not any(region.holds(segment.address, size) for region in (memory.ram, memory.code_ram)):
            raise TinylmError(
                f"{size:,} bytes are to be loaded at {segment.address:#x}, where the boot ROM of {board.name} hangs or has"
                f" no memory; allowed are {_range(memory.code_ram)} and {_range(memory.ram)}.",
                _BUG,
            )
    loaded = (Region(segment.address, len(segment.content)) for segment in image.segments)
    if not memory.code_ram.holds(image.entry) or not any(region.holds(image.entry) for region in loaded):
        raise TinylmError(f"The image starts at {image.entry:#x}, where it loads no code.", _BUG)


def check_code_ram(elf: Path, region: Region) -> None:
    """A load of a byte from instruction RAM traps on the chip (no emulator traps): no variable may lie there."""
    with elf.open("rb") as file:
        linked = ELFFile(file)
        for section in linked.iter_sections():
            held = section["sh_flags"] & SH_FLAGS.SHF_ALLOC and region.holds(section["sh_addr"])
            if held and not section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR:
                raise TinylmError(f"{elf}: section '{section.name}' is data, but lies in instruction RAM.", _BUG)
        for symbol in linked.get_section_by_name(".symtab").iter_symbols():
            if symbol["st_info"]["type"] == "STT_OBJECT" and region.holds(symbol["st_value"]):
                raise TinylmError(
                    f"{elf}: the variable '{symbol.name}' lies in instruction RAM, where the chip cannot read its bytes.",
                    "Take it out of the code's section.",
                )
        for start, size in _nameless_data(linked, region):
            raise TinylmError(
                f"{elf}: {size} bytes at {start:#x} are data without a name in instruction RAM, neither code nor a literal.",
                "Take them out of the code's section.",
            )


def _nameless_data(linked: ELFFile, region: Region) -> Iterator[tuple[int, int]]:
    """(address, size) of what lies among the code and is neither told to be code or a literal, which is read by words, nor part
    of a function, where it is an instruction that the assembler does not know. Zeros fill up to an alignment."""
    symbols = linked.get_section_by_name(".symtab").iter_symbols()
    known = [(s["st_value"], s["st_size"]) for s in symbols if s["st_info"]["type"] == "STT_FUNC"]
    told = linked.get_section_by_name(_PIECES)
    known += [(at, size) for at, size, flags in _PIECE.iter_unpack(told.data()) if flags & _KNOWN] if told else []
    for section in linked.iter_sections():
        start, content = section["sh_addr"], section.data()
        if not section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR or not region.holds(start):
            continue
        left = bytearray(content)
        for at, size in known:
            if start <= at < start + len(content):
                left[at - start : at - start + size] = bytes(size)
        yield from ((start + piece.start(), len(piece[0])) for piece in re.finditer(rb"[^\0]+", left))


def _range(region: Region) -> str:
    return f"{region.origin:#x}..{region.origin + region.bytes - 1:#x}"
