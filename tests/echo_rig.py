"""Builds the echo firmware (tests/c/echo) for a board, and knows in Python what it must answer."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tinylm.board import Board
from tinylm.firmware import Firmware, compile_firmware
from tinylm.layout import adds_128, read_arranged
from tinylm.layout_int4 import read_int4

LANGUAGE = random.Random(1).randbytes(100_000)
ECHO = Path(__file__).parent / "c" / "echo" / "echo.c"

_AVR_LANGUAGE = """    .section .progmemx.tlm_language, "a", @progbits
    .global tlm_language
    .type tlm_language, @object
    .size tlm_language, {size}
tlm_language:
"""


@dataclass(frozen=True)
class Sample:
    """A language, where rows of up to 600 start in it (a multiple of 4), and a place far into it."""

    language: bytes
    dot_at: int
    far_at: int


LARGE = Sample(LANGUAGE, 62_700, 70_001)  # more than 64 KB: an AVR needs far reads, and rows that cross the border
SMALL = Sample(LANGUAGE[:20_000], 4_000, 17_001)


def sample_of(board: Board) -> Sample:
    """The language that a board's echo firmware has."""
    return LARGE if board.memory is None or board.memory.flash.bytes > len(LANGUAGE) else SMALL


def build_echo(board: Board, folder: Path, toolchain: str | None = None, source: Path = ECHO) -> Firmware:
    """The echo firmware in folder/build."""
    sample = sample_of(board)
    generated = folder / "generated"
    generated.mkdir(parents=True, exist_ok=True)
    (generated / "echo.h").write_text(
        f"#define ECHO_LANGUAGE_BYTES {len(sample.language)}U\n"
        f"#define ECHO_DOT_AT {sample.dot_at}U\n#define ECHO_FAR_AT {sample.far_at}U\n"
    )
    if board.compiler.architecture == "avr":
        rows = (sample.language[i : i + 50] for i in range(0, len(sample.language), 50))
        text = "".join("    .byte " + ",".join(map(str, row)) + "\n" for row in rows)
        (generated / "language.S").write_text(_AVR_LANGUAGE.format(size=len(sample.language)) + text)
    else:
        text = "#include <stdint.h>\nextern const uint8_t tlm_language[];\n"
        text += "__attribute__((aligned(4))) const uint8_t tlm_language[] = {\n"
        (generated / "language.c").write_text(text + ",\n".join(map(str, sample.language)) + "};\n")
    return compile_firmware(board, generated, folder / "build", toolchain, sources=[source])


def expected_report(board: Board) -> bytes:
    """The 32 hexadecimal digits that the echo firmware answers its first byte with."""
    sample = sample_of(board)
    offset = 128 if adds_128(board.layout) else 0
    dots = _dot_sum(sample, partial(read_arranged, layout=board.layout), 0, offset)
    dots = _dot_sum(sample, partial(read_int4, layout=board.layout_int4), dots)
    words = (0x600DDA7A, zlib.crc32(sample.language), dots, _reader_sum(sample))
    return "".join(f"{word:08x}" for word in words).encode()


def _dot_sum(sample: Sample, read: Callable[[bytes, int, int], np.ndarray], total: int, offset: int = 0) -> int:
    """Of w (x + offset), added to a total."""
    x = np.frombuffer(LANGUAGE[1000:1602], np.int8).astype(np.int64)
    count = 0
    while count <= 600:
        rows, first = 1 + count % 9, count % 7
        w = read(sample.language[sample.dot_at :], 16, count).astype(np.int64)
        numbers = [*(w[first : first + rows] @ (x[count % 3 : count % 3 + count] + offset)), *w[first]]
        for number in numbers:
            total = (total * 31 + int(number)) & 0xFFFFFFFF
        count += 1 if count < 70 else 29
    return total


def _reader_sum(sample: Sample) -> int:
    def read(at: int, size: int) -> int:
        return int.from_bytes(sample.language[at : at + size], "little")

    return read(sample.dot_at + 1, 4) ^ read(sample.far_at, 3) ^ read(3, 2)
