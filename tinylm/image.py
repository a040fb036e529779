"""From an ELF to the files that a flasher writes, and the rules that the bytes of each chip must satisfy.

Knows ELF and what a chip's boot needs to see; knows nothing of compilers.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from tinylm.board import Board, Region
from tinylm.boot_image import check_boot_image, check_code_ram, make_boot_image
from tinylm.errors import TinylmError
from tinylm.image_formats import parse_hex, parse_uf2, render_hex, render_uf2

CORE_VECTORS = 16  # of any Cortex-M, before its interrupts'
STORE_HEAD_BYTES = 12  # tlm_store_t
ERASED = 0xFF  # what unwritten flash reads as
_DIRECT_BOOT_MAGIC = struct.pack("<II", 0xAEDB041D, 0xAEDB041D)
_BOOT_BYTES = 256  # of an RP2040's second-stage boot
_FOREIGN = "The image was not made for this board; build it again."


def flash_bytes(elf: Path, board: Board) -> bytes:
    """What the flash holds from its first byte on; gaps are 0xFF. Where a boot ROM loads the code, its image is one piece.

    Raises TinylmError when something lies outside.
    """
    with elf.open("rb") as file:
        segments = [(s["p_paddr"], s.data()) for s in _read_elf(elf, file).iter_segments("PT_LOAD") if s["p_filesz"]]
    flash, boot = board.memory.flash, board.image.boot
    pieces = [(address - flash.origin, content) for address, content in segments]
    if boot:
        pieces = [piece for piece in pieces if 0 <= piece[0] < flash.bytes]
        pieces.append((boot.offset, make_boot_image(elf, board)))
    image = bytearray()
    for at, content in sorted(pieces):
        if at < len(image) or at + len(content) > flash.bytes:
            raise TinylmError(
                f"{elf}: {len(content)} bytes at byte {at:#x} are not in a place of their own in the flash.", _FOREIGN
            )
        image += bytes([ERASED]) * (at - len(image)) + content
    return bytes(image)


def _read_elf(elf: Path, file: BinaryIO) -> ELFFile:
    try:
        return ELFFile(file)
    except ELFError as error:
        raise TinylmError(f"{elf}: not an ELF file ({error}).", "Build it again: tinylm build") from error


def write_images(elf: Path, board: Board, output: Path, apart: bool = False) -> dict[str, Path]:
    """Checks the ELF and writes each of the board's formats to output/firmware.<format>. Returns format -> path.

    `apart`: the model, which lies apart, is in output/model.<format> too, under "model.<format>".
    """
    check_sections(elf, board)
    images: dict[str, Path] = {}
    if not board.image.formats:
        return images
    content = flash_bytes(elf, board)
    check_bytes(content, board)
    for name in board.image.formats:
        images[name] = output / f"firmware.{name}"
        images[name].write_bytes(_FORMATS[name](content, board))
    offset = board.memory.model_offset
    if apart:
        flash = board.memory.flash
        there = Region(flash.origin + offset, flash.bytes - offset)
        behind = replace(board, memory=replace(board.memory, flash=there))
        for name in board.image.formats:
            images[f"model.{name}"] = output / f"model.{name}"
            images[f"model.{name}"].write_bytes(_FORMATS[name](content[offset:], behind))
    return images


def seal_model(elf: Path, board: Board) -> int:
    """Writes into a linked firmware whose model lies apart what only the linked bytes tell: the fingerprint of all that
    lies before the model, into the firmware and the model's head (tlm_store_t), and the check of the model's constants.

    Two builds of one fingerprint differ in nothing but their models, so either's model runs with either's firmware.
    Returns it; 0: the model is part of the firmware.
    """
    if not board.has_model_apart:
        return 0
    with elf.open("rb") as file:
        places = _symbol_places(ELFFile(file), ("tlm_fingerprint", "tlm_store", "tlm_language"))
    if "tlm_store" not in places or "tlm_fingerprint" not in places:
        return 0
    head = places["tlm_store"]
    firmware = flash_bytes(elf, board)[: board.memory.model_offset]
    fingerprint = int.from_bytes(hashlib.sha256(firmware).digest()[:4], "little") or 1
    content = bytearray(elf.read_bytes())
    constants = content[head + STORE_HEAD_BYTES : places["tlm_language"]]
    struct.pack_into("<I", content, places["tlm_fingerprint"], fingerprint)
    struct.pack_into("<II", content, head + 4, fingerprint, zlib.crc32(constants))
    elf.write_bytes(content)
    return fingerprint


def _symbol_places(linked: ELFFile, names: tuple[str, ...]) -> dict[str, int]:
    """Where in the file the bytes of symbols are."""
    places = {}
    for symbol in linked.get_section_by_name(".symtab").iter_symbols():
        if symbol.name in names and isinstance(symbol["st_shndx"], int):
            section = linked.get_section(symbol["st_shndx"])
            places[symbol.name] = section["sh_offset"] + symbol["st_value"] - section["sh_addr"]
    return places


def check_bytes(content: bytes, board: Board) -> None:
    """The board's chip would start these bytes of flash. Raises TinylmError that says what is wrong."""
    _CHECKS[board.image.check](content, board)


def check_sections(elf: Path, board: Board) -> None:
    """Every section that occupies memory lies inside the flash or the RAM, by any of their addresses."""
    memory = board.memory
    regions = [region for region in (memory.flash, memory.ram, memory.code_ram) if region]
    with elf.open("rb") as file:
        for section in _read_elf(elf, file).iter_sections():
            start, size = section["sh_addr"], section["sh_size"]
            if not section["sh_flags"] & SH_FLAGS.SHF_ALLOC or not size:
                continue
            if not any(region.holds(start, size) for region in regions):
                raise TinylmError(f"{elf}: section '{section.name}' at {start:#x} is outside the memory.", _FOREIGN)
    if memory.code_ram:
        check_code_ram(elf, memory.code_ram)


def _check_cortex_m(content: bytes, board: Board, at: int = 0) -> None:
    """Word 0: the stack pointer, inside RAM and a multiple of 8. Word 1 and each further one that is not empty, up to the
    serial line's: a handler, a Thumb address in what is in flash. `at`: where the vectors are in the flash."""
    vectors = CORE_VECTORS + board.serial.interrupt + 1
    ram, flash = board.memory.ram, board.memory.flash
    stack, *handlers = struct.unpack_from(f"<{vectors}I", content.ljust(at + 4 * vectors, b"\0"), at)
    if not ram.origin < stack <= ram.origin + ram.bytes or stack % 8:
        raise TinylmError(f"The image's first word is {stack:#x}, which is no place for the stack in RAM.", _FOREIGN)
    filled = Region(flash.origin + at, min(flash.bytes, len(content)) - at)
    for number, handler in enumerate(handlers, 1):
        empty_allowed = CORE_VECTORS <= number < vectors - 1
        if not (empty_allowed and handler == 0) and not (handler & 1 and filled.holds(handler)):
            name = "reset vector" if number == 1 else f"vector {number}"
            raise TinylmError(f"The image's {name} is {handler:#x}, which is no code in its flash.", _FOREIGN)


def _check_rp2040(content: bytes, board: Board) -> None:
    """The boot ROM runs the first 256 bytes only when their last word is the CRC of the rest; the vectors come behind."""
    if len(content) <= _BOOT_BYTES:
        raise TinylmError(f"The image has {len(content)} bytes, which is no RP2040's.", _FOREIGN)
    told = int.from_bytes(content[_BOOT_BYTES - 4 : _BOOT_BYTES], "little")
    right = _crc_mpeg2(content[: _BOOT_BYTES - 4])
    if told != right:
        raise TinylmError(
            f"The second-stage boot ends with {told:#010x}, but its CRC is {right:#010x}: the ROM would not run it.",
            "Write that number into the last line of firmware/port/rp2040/boot.S.",
        )
    _check_cortex_m(content, board, _BOOT_BYTES)


def _crc_mpeg2(content: bytes) -> int:
    """CRC-32 with the polynomial 04C11DB7 from all ones, nothing reflected or inverted."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


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
    "rp2040-boot": _check_rp2040,
    "esp-direct-boot": _check_direct_boot,
    "esp-boot-image": check_boot_image,
    "avr-vectors": _check_avr,
}


def _make_bin(content: bytes, board: Board) -> bytes:
    return content


def _make_hex(content: bytes, board: Board) -> bytes:
    text = render_hex(content, board.memory.flash.origin)
    _require_same(parse_hex(text), content, board)
    return text.encode()


def _make_uf2(content: bytes, board: Board) -> bytes:
    file = render_uf2(content, board.memory.flash.origin, board.image.uf2_family)
    origin, read = parse_uf2(file, board.image.uf2_family)
    _require_same((origin, read[: len(content)]), content, board)
    return file


def _require_same(read: tuple[int, bytes], content: bytes, board: Board) -> None:
    """What was written is read back before anybody flashes it."""
    if read != (board.memory.flash.origin, content):
        raise TinylmError("The image file does not hold the bytes of the firmware.", "Please report this as a bug.")


_FORMATS: dict[str, Callable[[bytes, Board], bytes]] = {"bin": _make_bin, "hex": _make_hex, "uf2": _make_uf2}
