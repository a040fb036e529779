"""Kernels and arithmetic in plain C, on this computer, for every size; a kernel as other compilers' code calls it."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
import serial

from tinylm.board import load_board
from tinylm.emulator import start
from tinylm.firmware import compile_firmware
from tinylm.layout import arrange
from tinylm.layout_int4 import arrange_int4
from tinylm.resources import firmware_dir

PORT = firmware_dir() / "port"
STRICT = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-shared", "-fPIC")
SMALL = """#include "tlm_high.h"
int32_t high(int32_t a, int32_t b);
int32_t high(int32_t a, int32_t b) { return tlm_high(a, b); }
int32_t times_high(int32_t factor, int16_t x);
int32_t times_high(int32_t factor, int16_t x) { return tlm_times_high(factor, x); }
"""


def compile_library(folder: Path, sources: list[Path], ports: tuple[str, ...]) -> ctypes.CDLL:
    includes = [f"-I{PORT / port}" for port in ports] + [
        f"-I{firmware_dir() / part}" for part in ("runtime", "include")
    ]
    library = folder / "kernel.so"
    subprocess.run(["cc", *STRICT, *includes, *map(str, sources), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


@pytest.mark.needs("cc")
def test_four_rows_in_three_multiplies_equal_numpy_for_every_size(tmp_path: Path) -> None:
    sources = [PORT / "quads" / "dot.c", PORT / "quads-word" / "quad.c"]
    dot = compile_library(tmp_path, sources, ("quads", "mapped")).tlm_dot_rows
    rng = np.random.default_rng(1)
    for inputs in (*range(301), 511, 512, 513, 700, 4096):
        extreme = inputs % 3 == 0  # every product as large as can be
        x = np.full(inputs, -128, np.int8) if extreme else rng.integers(-128, 128, inputs).astype(np.int8)
        shape = (13, inputs)
        w = (
            rng.choice([-128, 127], shape).astype(np.int8)
            if extreme
            else rng.integers(-128, 128, shape).astype(np.int8)
        )
        words = ctypes.create_string_buffer(arrange(w, "quads"))  # malloc aligns it
        first, rows = inputs % 7, 1 + inputs % 6
        sums = np.full(rows + 1, 77, np.int32)
        dot(words, inputs, first, rows, x.ctypes.data_as(ctypes.c_void_p), sums.ctypes.data_as(ctypes.c_void_p))
        expected = w[first : first + rows].astype(np.int64) @ x.astype(np.int64)
        assert np.array_equal(sums[:-1], expected) and sums[-1] == 77, (inputs, first, rows)


# Layout of 4-bit weights -> the files of a kernel in C, and the port folders that they need.
INT4_KERNELS = {"halves": (["halves/dot_int4.c"], ("mapped",))}


@pytest.mark.needs("cc")
@pytest.mark.parametrize("layout", INT4_KERNELS)
def test_rows_of_4_bits_equal_numpy_for_every_size(layout: str, tmp_path: Path) -> None:
    sources, ports = INT4_KERNELS[layout]
    library = compile_library(tmp_path, [PORT / source for source in sources], ports)
    rng, pointer = np.random.default_rng(3), ctypes.c_void_p
    for inputs in (*range(301), 511, 512, 513, 700, 4096):
        extreme = inputs % 3 == 0  # every product as large as can be
        x = np.full(inputs, -128, np.int8) if extreme else rng.integers(-128, 128, inputs).astype(np.int8)
        w = (rng.choice([-8, 7], (21, inputs)) if extreme else rng.integers(-8, 8, (21, inputs))).astype(np.int8)
        words = ctypes.create_string_buffer(arrange_int4(w, layout))
        first, rows = inputs % 11, 1 + inputs % 10
        sums, row = np.full(rows + 1, 77, np.int32), np.full(inputs + 1, 77, np.int8)
        library.tlm_dot_rows_int4(words, inputs, first, rows, x.ctypes.data_as(pointer), sums.ctypes.data_as(pointer))
        expected = w[first : first + rows].astype(np.int64) @ x.astype(np.int64)
        assert np.array_equal(sums[:-1], expected) and sums[-1] == 77, (inputs, first, rows)
        library.tlm_dot_row_int4(words, inputs, first, row.ctypes.data_as(pointer))
        assert np.array_equal(row[:-1], w[first]) and row[-1] == 77


@pytest.mark.needs("cc")
@pytest.mark.parametrize("port", ["narrow", "wide"])
def test_products_by_halves_equal_those_of_64_bits(port: str, tmp_path: Path) -> None:
    (tmp_path / "small.c").write_text(SMALL)
    library = compile_library(tmp_path, [tmp_path / "small.c"], (port,))
    rng = np.random.default_rng(2)
    edges = [0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFEFFFF, 0x7FFF0000, 0x7FFFFFFF]
    numbers = [*edges, *(-e for e in edges), -(1 << 31), *rng.integers(-(1 << 31), 1 << 31, 3000).tolist()]
    factors = [*edges, *rng.integers(0, 1 << 31, 40).tolist()]
    for factor in factors:
        for a in numbers[:400]:
            assert library.high(a, factor) == a * factor >> 32
    for a in numbers:
        x = a % 65535 - 32767  # -32767..32767
        assert library.times_high(factors[a % len(factors)], ctypes.c_int16(x)) == factors[a % len(factors)] * x >> 16


@pytest.mark.needs("xtensa-lx106-elf-gcc", "qemu-system-xtensa")
def test_the_lx6_kernels_give_the_same_sums_to_code_with_register_windows(tmp_path: Path) -> None:
    """Arduino's and Espressif's compilers use windows, ours does not."""
    board = load_board("qemu-xtensa-de212")
    (tmp_path / "generated").mkdir()
    (tmp_path / "generated" / "language.c").write_text(
        "#include <stdint.h>\nextern const uint8_t tlm_language[];\nconst uint8_t tlm_language[1] = {0};\n"
    )
    code = Path(__file__).parent / "c" / "windowed"
    compile_firmware(board, tmp_path / "generated", tmp_path, sources=[code / "main.c", code / "call.S"])
    with start(board, tmp_path) as running, serial.serial_for_url(running.url, timeout=20) as line:
        assert line.readline() == b"=" * 65 + b"\n"
