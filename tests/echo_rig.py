"""Builds the echo firmware (tests/c/echo) for a board, and knows in Python what it must answer."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import numpy as np

from tinylm.board import Board
from tinylm.firmware import Firmware, compile_firmware
from tinylm.layout import read_arranged

LANGUAGE = random.Random(1).randbytes(100_000)  # more than 64 KB: an AVR needs far reads
DOT_AT = 62_700  # rows of up to 600 from here, a multiple of 4, cross 64 KB of an AVR's flash
ECHO = Path(__file__).parent / "c" / "echo" / "echo.c"

_AVR_LANGUAGE = """    .section .progmemx.tlm_language, "a", @progbits
    .global tlm_language
    .type tlm_language, @object
    .size tlm_language, {size}
tlm_language:
"""


def build_echo(board: Board, folder: Path, toolchain: str | None = None, source: Path = ECHO) -> Firmware:
    """The echo firmware in folder/build."""
    generated = folder / "generated"
    generated.mkdir(parents=True, exist_ok=True)
    (generated / "echo.h").write_text(
        f"#define ECHO_LANGUAGE_BYTES {len(LANGUAGE)}UL\n#define ECHO_DOT_AT {DOT_AT}UL\n"
    )
    if board.compiler.architecture == "avr":
        rows = (LANGUAGE[i : i + 50] for i in range(0, len(LANGUAGE), 50))
        text = "".join("    .byte " + ",".join(map(str, row)) + "\n" for row in rows)
        (generated / "language.S").write_text(_AVR_LANGUAGE.format(size=len(LANGUAGE)) + text)
    else:
        text = "#include <stdint.h>\nextern const uint8_t tlm_language[];\n"
        text += "__attribute__((aligned(4))) const uint8_t tlm_language[] = {\n"
        (generated / "language.c").write_text(text + ",\n".join(map(str, LANGUAGE)) + "};\n")
    return compile_firmware(board, generated, folder / "build", toolchain, sources=[source])


def expected_report(layout: str) -> bytes:
    """The 32 hexadecimal digits that the echo firmware answers its first byte with."""
    words = (0x600DDA7A, zlib.crc32(LANGUAGE), _dot_sum(layout), _reader_sum())
    return "".join(f"{word:08x}" for word in words).encode()


def _dot_sum(layout: str) -> int:
    x = np.frombuffer(LANGUAGE[1000:1602], np.int8).astype(np.int64)
    total, count = 0, 0
    while count <= 600:
        rows, first = 1 + count % 9, count % 7
        w = read_arranged(LANGUAGE[DOT_AT:], 16, count, layout).astype(np.int64)
        numbers = [*(w[first : first + rows] @ x[count % 3 : count % 3 + count]), *w[first]]
        for number in numbers:
            total = (total * 31 + int(number)) & 0xFFFFFFFF
        count += 1 if count < 70 else 29
    return total


def _reader_sum() -> int:
    def read(at: int, size: int) -> int:
        return int.from_bytes(LANGUAGE[at : at + size], "little")

    return read(DOT_AT + 1, 4) ^ read(70001, 3) ^ read(3, 2)
