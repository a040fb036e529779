"""From an ELF to the bytes in flash: .bin and .hex, and the rules that the bytes of each chip must satisfy.

Knows ELF, Intel hex and what a chip's boot needs to see; knows nothing of compilers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from tinylm.board import Board, Region
from tinylm.errors import TinylmError

ERASED = 0xFF  # what unwritten flash reads as
_DIRECT_BOOT_MAGIC = struct.pack("<II", 0xAEDB041D, 0xAEDB041D)
_FOREIGN = "The image was not made for this board; build it again."


def flash_bytes(elf: Path, board: Board) -> bytes:
    """What the flash holds from its first byte on; gaps are 0xFF. Raises TinylmError when something lies outside."""
    with elf.open("rb") as file:
        try:
            segments = [(s["p_paddr"], s.data()) for s in ELFFile(file).iter_segments("PT_LOAD") if s["p_filesz"]]
        except ELFError as error:
            raise TinylmError(f"{elf}: not an ELF file ({error}).", "Build it again: tinylm build") from error
    flash = board.memory.flash
    image = bytearray()
    for address, content in sorted(segments):
        at = address - flash.origin
        if at < len(image) or at + len(content) > flash.bytes:
            raise TinylmError(f"{elf}: {len(content)} bytes at {address:#x} are not inside the flash.", _FOREIGN)
        image += bytes([ERASED]) * (at - len(image)) + content
    return bytes(image)


def write_images(elf: Path, board: Board, output: Path) -> dict[str, Path]:
    """Checks the ELF and writes each of the board's formats to output/firmware.<format>. Returns format -> path."""
    content = flash_bytes(elf, board)
    check_sections(elf, board)
    _CHECKS[board.image.check](content, board)
    images = {}
    for name in board.image.formats:
        images[name] = output / f"firmware.{name}"
        images[name].write_bytes(_FORMATS[name](content, board))
    return images


def render_hex(content: bytes) -> str:
    """Intel hex of bytes from address 0: records of 16, an extended linear address every 64 KB."""
    lines = []
    for at in range(0, len(content), 16):
        if at % 0x10000 == 0:
            lines.append(_hex_record(0, 4, struct.pack(">H", at >> 16)))
        lines.append(_hex_record(at & 0xFFFF, 0, content[at : at + 16]))
    return "".join(lines) + _hex_record(0, 1, b"")


def _hex_record(address: int, kind: int, payload: bytes) -> str:
    record = struct.pack(">BHB", len(payload), address, kind) + payload
    return f":{record.hex().upper()}{-sum(record) & 0xFF:02X}\n"


def check_sections(elf: Path, board: Board) -> None:
    """Every section that occupies memory lies inside the flash or the RAM, by either of their addresses."""
    regions = (board.memory.flash, board.memory.ram)
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            start, size = section["sh_addr"], section["sh_size"]
            if not section["sh_flags"] & SH_FLAGS.SHF_ALLOC or not size:
                continue
            if not any(_inside(start, size, region) for region in regions):
                raise TinylmError(f"{elf}: section '{section.name}' at {start:#x} is outside the memory.", _FOREIGN)


def _inside(start: int, size: int, region: Region) -> bool:
    origins = (region.origin,) if region.alias is None else (region.origin, region.alias)
    return any(origin <= start and start + size <= origin + region.bytes for origin in origins)


def _check_cortex_m(content: bytes, board: Board) -> None:
    """Word 0: the stack pointer, inside RAM and a multiple of 8. Word 1: the reset handler, a Thumb address in flash."""
    stack, reset = struct.unpack_from("<II", content.ljust(8, b"\0"))
    ram, flash = board.memory.ram, board.memory.flash
    if not ram.origin < stack <= ram.origin + ram.bytes or stack % 8:
        raise TinylmError(f"The image's first word is {stack:#x}, which is no place for the stack in RAM.", _FOREIGN)
    if not _inside(reset, 1, Region(flash.origin, min(flash.bytes, len(content)))) or not reset & 1:
        raise TinylmError(f"The image's reset vector is {reset:#x}, which is no code in its flash.", _FOREIGN)


def _check_direct_boot(content: bytes, board: Board) -> None:
    """The boot ROM of an ESP32-C3 looks for the magic word twice and maps no more than 4 MB."""
    if not content.startswith(_DIRECT_BOOT_MAGIC):
        raise TinylmError(f"The image begins with {content[:8].hex()}, not the magic of a direct boot.", _FOREIGN)


def _check_avr(content: bytes, board: Board) -> None:
    """The first word is a JMP (0x940C) or RJMP (0xC...), over the vectors to the start code."""
    word = int.from_bytes(content[:2], "little")
    if word & 0xFE0E != 0x940C and word >> 12 != 0xC:
        raise TinylmError(f"The image begins with {word:#06x}, which is no jump over the vectors.", _FOREIGN)


_CHECKS: dict[str, Callable[[bytes, Board], None]] = {
    "cortex-m-vectors": _check_cortex_m,
    "esp-direct-boot": _check_direct_boot,
    "avr-vectors": _check_avr,
}
_FORMATS: dict[str, Callable[[bytes, Board], bytes]] = {
    "bin": lambda content, board: content,
    "hex": lambda content, board: render_hex(content).encode(),
}
