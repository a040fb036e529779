"""Intel HEX and UF2 hold the bytes and their place, for other programs too; damage is found when they are read."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tinylm.errors import TinylmError
from tinylm.image_formats import parse_hex, parse_uf2, render_hex, render_uf2

CONTENT = random.Random(3).randbytes(70_001)
ORIGINS = [0, 0x10000, 0x0800FFF8, 0x10000000]
RP2040 = 0xE48BFF56


@pytest.mark.parametrize("origin", ORIGINS)
def test_hex_is_read_back(origin: int) -> None:
    assert parse_hex(render_hex(CONTENT, origin)) == (origin, CONTENT)


@pytest.mark.needs("arm-none-eabi-gcc")
@pytest.mark.parametrize("origin", ORIGINS)
def test_objcopy_reads_the_same_bytes_from_hex(origin: int, tmp_path: Path) -> None:
    (tmp_path / "a.hex").write_text(render_hex(CONTENT, origin))
    subprocess.run(["arm-none-eabi-objcopy", "-I", "ihex", "-O", "binary", "a.hex", "a.bin"], cwd=tmp_path, check=True)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    command = [
        "arm-none-eabi-objcopy",
        "-I",
        "binary",
        "-O",
        "ihex",
        "--change-addresses",
        hex(origin),
        "a.bin",
        "b.hex",
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    text = (tmp_path / "b.hex").read_text()
    assert parse_hex("".join(line + "\n" for line in text.split() if line[7:9] not in ("03", "05"))) == (
        origin,
        CONTENT,
    )


@pytest.mark.parametrize("damage", [("\n:", "\n"), (":10", ":20"), (":00000001FF\n", ""), ("0A", "0B"), (":", "x")])
def test_damaged_hex_is_refused(damage: tuple[str, str]) -> None:
    text = render_hex(b"\x0a" * 64, 0x08000000)
    assert damage[0] in text
    with pytest.raises(TinylmError, match="damaged"):
        parse_hex(text.replace(*damage, 1))


def test_a_line_of_hex_that_is_missing_is_found() -> None:
    lines = render_hex(CONTENT[:100]).splitlines()
    with pytest.raises(TinylmError, match="line 3 is not where"):
        parse_hex("\n".join(lines[:2] + lines[3:]))


def test_uf2_is_read_back_in_whole_blocks() -> None:
    file = render_uf2(CONTENT, 0x10000000, RP2040)
    assert len(file) == 274 * 512 and file[:4] == b"UF2\n"
    origin, read = parse_uf2(file, RP2040)
    assert origin == 0x10000000 and read == CONTENT.ljust(274 * 256, b"\0")


@pytest.mark.parametrize("at", [0, 4, 8, 12, 16, 20, 24, 28, 508])
def test_damaged_uf2_is_refused(at: int) -> None:
    file = bytearray(render_uf2(CONTENT[:1000], 0x10000000, RP2040))
    file[512 + at + 2] ^= 0xFF
    file[512 + at + 1] ^= 0xFF
    with pytest.raises(TinylmError, match="damaged"):
        parse_uf2(bytes(file), RP2040)


@pytest.mark.parametrize("cut", [0, 511, 512, 1535])
def test_cut_uf2_is_refused(cut: int) -> None:
    with pytest.raises(TinylmError, match="damaged"):
        parse_uf2(render_uf2(CONTENT[:1000], 0, RP2040)[:cut], RP2040)
