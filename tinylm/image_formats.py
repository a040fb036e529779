"""Intel HEX and UF2: the two ways to write bytes of flash with their addresses, and how they are read back.

Knows records and blocks; knows no board and no chip.
"""

from __future__ import annotations

import struct

from tinylm.errors import TinylmError

HEX_BYTES = 16  # in a record
UF2_BYTES = 256  # in a block: what every boot loader of an RP2040 takes
_UF2_BEGIN, _UF2_SECOND, _UF2_END = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_UF2_HAS_FAMILY = 0x2000
_UF2_BLOCK = struct.Struct("<8I476sI")
_HEX_DATA, _HEX_END, _HEX_SEGMENT, _HEX_UPPER = 0, 1, 2, 4


def render_hex(content: bytes, origin: int = 0) -> str:
    """Intel HEX of bytes from an address on: records of 16, the upper half of the address where it changes."""
    lines, upper = [], None
    at = 0
    while at < len(content):
        address = origin + at
        size = min(HEX_BYTES, 0x10000 - address % 0x10000)
        if address >> 16 != upper:
            upper = address >> 16
            lines.append(_hex_record(0, _HEX_UPPER, struct.pack(">H", upper)))
        lines.append(_hex_record(address & 0xFFFF, _HEX_DATA, content[at : at + size]))
        at += size
    return "".join(lines) + _hex_record(0, _HEX_END, b"")


def _hex_record(address: int, kind: int, payload: bytes) -> str:
    record = struct.pack(">BHB", len(payload), address, kind) + payload
    return f":{record.hex().upper()}{-sum(record) & 0xFF:02X}\n"


def parse_hex(text: str) -> tuple[int, bytes]:
    """The address and the bytes of an Intel HEX file without gaps. Raises TinylmError, with the line, for any other."""
    origin, content, upper, ended = None, bytearray(), 0, False
    for number, line in enumerate(text.split(), 1):
        try:
            record = bytes.fromhex(line.removeprefix(":"))
            size, address, kind = struct.unpack_from(">BHB", record)
        except (ValueError, struct.error):
            raise _damaged(f"line {number} is no record") from None
        payload = record[4:-1]
        if ended or sum(record) % 256 or len(payload) != size or not line.startswith(":"):
            raise _damaged(f"line {number} has a wrong length or checksum, or follows the end")
        if kind in (_HEX_UPPER, _HEX_SEGMENT):
            upper = int.from_bytes(payload, "big") << (16 if kind == _HEX_UPPER else 4)
        elif kind == _HEX_DATA:
            origin = upper + address if origin is None else origin
            if upper + address != origin + len(content):
                raise _damaged(f"line {number} is not where the one before ended")
            content += payload
        ended = kind == _HEX_END
    if not ended:
        raise _damaged("it has no end")
    return origin or 0, bytes(content)


def render_uf2(content: bytes, origin: int, family: int) -> bytes:
    """UF2 of bytes from an address on, for the boot loaders of a family of chips; the last block is filled with zeros."""
    pieces = [content[at : at + UF2_BYTES] for at in range(0, len(content), UF2_BYTES)]
    blocks = []
    for number, piece in enumerate(pieces):
        address = origin + number * UF2_BYTES
        head = (_UF2_BEGIN, _UF2_SECOND, _UF2_HAS_FAMILY, address, UF2_BYTES, number, len(pieces), family)
        blocks.append(_UF2_BLOCK.pack(*head, piece, _UF2_END))
    return b"".join(blocks)


def parse_uf2(file: bytes, family: int) -> tuple[int, bytes]:
    """The address and the bytes (whole blocks) of a UF2 file without gaps. Raises TinylmError for any other."""
    if not file or len(file) % _UF2_BLOCK.size:
        raise _damaged(f"{len(file)} bytes are no whole blocks of {_UF2_BLOCK.size}")
    origin, content = 0, bytearray()
    for number, fields in enumerate(_UF2_BLOCK.iter_unpack(file)):
        begin, second, flags, address, size, index, count, told, payload, end = fields
        origin = address if number == 0 else origin
        expected = (_UF2_BEGIN, _UF2_SECOND, _UF2_END, number, len(file) // _UF2_BLOCK.size, origin + len(content))
        if (begin, second, end, index, count, address) != expected or size > len(payload):
            raise _damaged(f"block {number} is damaged or out of order")
        if not flags & _UF2_HAS_FAMILY or told != family:
            raise _damaged(f"block {number} is for chips {told:#x}, not {family:#x}")
        content += payload[:size]
    return origin, bytes(content)


def _damaged(what: str) -> TinylmError:
    return TinylmError(f"The image file is damaged: {what}.", "Build it again: tinylm build")
