"""What an ESP32's boot ROM loads: made by esptool, and refused where only the chip itself would notice."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import echo_rig
import pytest

from tinylm.board import Board, Region, load_board
from tinylm.boot_image import check_boot_image, read_boot_image
from tinylm.errors import TinylmError
from tinylm.image import write_images

pytestmark = pytest.mark.needs("xtensa-lx106-elf-gcc", "esptool")


@pytest.fixture(scope="module")
def board() -> Board:
    return load_board("esp32")


@pytest.fixture(scope="module")
def built(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder of the echo firmware."""
    return echo_rig.build_echo(board, tmp_path_factory.mktemp("esp32")).elf.parent


def test_esptool_finds_the_image_valid_where_the_rom_looks_for_it(built: Path, board: Board, tmp_path: Path) -> None:
    flash = (built / "firmware.bin").read_bytes()
    (tmp_path / "image.bin").write_bytes(flash[board.image.boot.offset : board.memory.model_offset])
    command = [sys.executable, "-m", "esptool", "--chip", "esp32", "image-info", str(tmp_path / "image.bin")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "(valid)" in said and "invalid" not in said
    assert "40m" in said and "DIO" in said and "4MB" in said


def test_the_language_has_a_place_of_its_own_and_the_rest_is_erased(built: Path, board: Board) -> None:
    flash = (built / "firmware.bin").read_bytes()
    assert flash[: board.image.boot.offset] == b"\xff" * board.image.boot.offset
    assert flash[board.memory.model_offset :] == echo_rig.LANGUAGE
    loaded = read_boot_image(flash[board.image.boot.offset :], "esp32").segments
    assert sum(len(segment.content) for segment in loaded) < 8192  # none of the language


def test_data_where_the_rom_keeps_its_own_is_refused(board: Board, tmp_path: Path) -> None:
    higher = dataclasses.replace(board.memory, ram=Region(0x3FFE0000, 0x10000))
    elf = echo_rig.build_echo(dataclasses.replace(board, memory=higher), tmp_path).elf
    content = (elf.parent / "firmware.bin").read_bytes()
    with pytest.raises(TinylmError) as caught:
        check_boot_image(content, board)
    assert "0x3ffe0000" in caught.value.message and "0x3ffb0000..0x3ffdffff" in caught.value.message


def test_a_wrong_byte_is_refused_as_the_rom_would(built: Path, board: Board) -> None:
    content = bytearray((built / "firmware.bin").read_bytes())
    content[board.image.boot.offset + 200] ^= 1
    with pytest.raises(TinylmError) as caught:
        check_boot_image(bytes(content), board)
    assert "checksum" in caught.value.message
    for wrong, said in ((b"\x00" * 64, "begins with 0x00"), (bytes(content[0x1000:0x1100]), "amid its contents")):
        with pytest.raises(TinylmError) as caught:
            read_boot_image(wrong, "esp32")
        assert said in caught.value.message


def test_a_variable_among_the_code_is_refused_by_its_name(board: Board, tmp_path: Path) -> None:
    table = '__attribute__((section(".hot.table"), used)) const unsigned char misplaced[] = {1, 2, 3};\n'
    source = tmp_path / "echo.c"
    text = echo_rig.ECHO.read_text().replace("from_data + from_bss", "from_data + from_bss + misplaced[echo_byte]")
    table += "static volatile unsigned char echo_byte;\n"
    source.write_text("extern const unsigned char misplaced[3];\n" + table + text)
    with pytest.raises(TinylmError) as caught:
        echo_rig.build_echo(board, tmp_path, source=source)
    assert "'misplaced'" in caught.value.message
    assert not list((tmp_path / "build").glob("firmware*"))


def test_a_table_without_a_name_among_the_code_is_refused_by_its_place(board: Board, tmp_path: Path) -> None:
    table = '__asm__(".section .text.table, \\"ax\\", @progbits\\nhidden: .byte 1, 2, 3\\n.previous");\n'
    source = tmp_path / "echo.c"
    text = echo_rig.ECHO.read_text().replace("from_data + from_bss", "from_data + from_bss + hidden[from_bss]")
    source.write_text(f"extern const unsigned char hidden[3];\n{table}{text}")
    with pytest.raises(TinylmError) as caught:
        echo_rig.build_echo(board, tmp_path, source=source)
    assert "3 bytes at 0x400" in caught.value.message and "data without a name" in caught.value.message
    assert not list((tmp_path / "build").glob("firmware*"))


def test_without_esptool_it_is_said_what_to_type(
    built: Path, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(built / "firmware.elf", tmp_path)
    monkeypatch.setattr("tinylm.toolchain.find_tool", lambda name: None)
    with pytest.raises(TinylmError) as caught:
        write_images(tmp_path / "firmware.elf", board, tmp_path)
    assert "pip install" in caught.value.hint
