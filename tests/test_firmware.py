"""From C to an image: built by every compiler, checked, measured, the same bytes each time."""

from __future__ import annotations

import dataclasses
import struct
from pathlib import Path

import echo_rig
import pytest
from board_rig import GCC_BUILDS, ZIG_BUILDS
from cli_rig import tiny_build
from models import tiny_character_model

from tinylm.board import Region, load_board
from tinylm.building import build, read_build
from tinylm.errors import TinylmError
from tinylm.firmware import compile_firmware, write_board_header
from tinylm.image import render_hex, write_images
from tinylm.memory import largest_language_bytes, predict_memory, require_fit


@pytest.mark.parametrize(("name", "toolchain"), GCC_BUILDS + ZIG_BUILDS)
def test_a_firmware_is_built_measured_and_the_same_bytes_again(name: str, toolchain: str, tmp_path: Path) -> None:
    board = load_board(name)
    first = echo_rig.build_echo(board, tmp_path / "one", toolchain)
    second = echo_rig.build_echo(board, tmp_path / "another place", toolchain)
    assert first.elf.read_bytes() == second.elf.read_bytes()
    assert str(tmp_path).encode() not in first.elf.read_bytes()
    assert set(first.images) == set(board.image.formats)
    groups = {usage.name: usage for usage in first.memory.groups}
    assert groups["language"].flash_bytes == len(echo_rig.LANGUAGE)
    assert groups["app"].ram_bytes >= 600
    assert sum(g.flash_bytes for g in groups.values()) == first.memory.flash_bytes
    assert sum(g.ram_bytes for g in groups.values()) == first.memory.ram_bytes - board.memory.stack_bytes
    assert all(g.flash_bytes >= 0 and g.ram_bytes >= 0 for g in groups.values())
    assert groups["libc"].flash_bytes < 1000
    assert len(first.images["bin"].read_bytes()) <= first.memory.flash_bytes + 64


@pytest.mark.needs("arm-none-eabi-gcc")
def test_a_firmware_that_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    board = load_board("qemu-cortex-m4")
    small = dataclasses.replace(board.memory, flash=Region(0, 65536))
    with pytest.raises(TinylmError) as caught:
        echo_rig.build_echo(dataclasses.replace(board, memory=small), tmp_path)
    assert "bytes too many" in caught.value.message
    assert not list((tmp_path / "build").glob("firmware*"))


@pytest.mark.needs("arm-none-eabi-gcc")
def test_ram_without_room_for_the_stack_is_refused(tmp_path: Path) -> None:
    board = load_board("qemu-cortex-m4")
    small = dataclasses.replace(board.memory, ram=Region(0x20000000, 4096))
    with pytest.raises(TinylmError) as caught:
        echo_rig.build_echo(dataclasses.replace(board, memory=small), tmp_path)
    assert "stack does not fit" in caught.value.message


@pytest.mark.needs("cc")
def test_a_compilers_refusal_is_shown(tmp_path: Path) -> None:
    source = tmp_path / "wrong.c"
    source.write_text("int main(void) { return missing; }\n")
    (tmp_path / "generated").mkdir()
    with pytest.raises(TinylmError) as caught:
        compile_firmware(load_board("host"), tmp_path / "generated", tmp_path / "build", sources=[source])
    assert "wrong.c" in caught.value.message and "missing" in caught.value.message


@pytest.mark.needs("arm-none-eabi-gcc")
def test_an_image_of_another_chip_is_refused(tmp_path: Path) -> None:
    elf = echo_rig.build_echo(load_board("qemu-cortex-m4"), tmp_path).elf
    for name in ("esp32c3", "arduino-mega"):
        with pytest.raises(TinylmError):
            write_images(elf, load_board(name), tmp_path)
    elf.write_bytes(b"not an ELF")
    with pytest.raises(TinylmError):
        write_images(elf, load_board("qemu-cortex-m4"), tmp_path)


def test_the_board_header_says_only_what_the_board_has(tmp_path: Path) -> None:
    header = write_board_header(load_board("esp32c3"), tmp_path).read_text()
    assert '#define TLM_BOARD_NAME "esp32c3"' in header
    assert "#define TLM_SERIAL_BASE 0x60000000UL" in header
    assert "TLM_SERIAL_INTERRUPT" not in header


def test_intel_hex_decodes_to_the_same_bytes() -> None:
    content = echo_rig.LANGUAGE[:70_001]
    decoded, base = bytearray(), 0
    for line in render_hex(content).splitlines():
        record = bytes.fromhex(line[1:])
        assert sum(record) % 256 == 0
        address, kind, payload = struct.unpack(">H", record[1:3])[0], record[3], record[4:-1]
        if kind == 4:
            base = int.from_bytes(payload, "big") << 16
        elif kind == 0:
            assert base + address == len(decoded)
            decoded += payload
    assert decoded == content


def test_a_model_too_big_is_refused_before_compiling_with_the_budget_that_fits() -> None:
    board = load_board("arduino-mega")
    fits = largest_language_bytes(board)
    require_fit(board, predict_memory(board, fits, 1500))
    with pytest.raises(TinylmError) as caught:
        require_fit(board, predict_memory(board, fits + 1234, 1500))
    assert "1,234 more" in caught.value.message and f"{fits:,}" in caught.value.hint
    with pytest.raises(TinylmError) as caught:
        require_fit(board, predict_memory(board, 1000, 9000))
    assert "RAM" in caught.value.message


def require_good_prediction(record: dict) -> None:
    predicted, measured = record["predicted"], record["measured"]
    assert 0 <= predicted["flash_bytes"] - measured["flash_bytes"] <= 8192
    assert 0 <= predicted["ram_bytes"] - measured["ram_bytes"] <= 512


@pytest.mark.parametrize(("name", "toolchain"), GCC_BUILDS)
def test_what_is_predicted_before_compiling_is_enough_and_at_most_8_kb_too_much(name: str, toolchain: str) -> None:
    require_good_prediction(read_build(tiny_build(name)))


@pytest.mark.parametrize(("name", "toolchain"), ZIG_BUILDS)
def test_the_prediction_holds_for_the_second_compiler_and_the_other_kind(
    name: str, toolchain: str, tmp_path: Path
) -> None:
    build(tiny_character_model(), load_board(name), tmp_path / "build", toolchain, lambda *progress: None)
    require_good_prediction(read_build(tmp_path / "build"))


def test_a_computer_has_no_limit() -> None:
    board = load_board("host")
    assert largest_language_bytes(board) is None
    require_fit(board, predict_memory(board, 10**9, 10**9))
