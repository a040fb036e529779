"""From C to an image: built by every compiler, checked, measured, the same bytes each time."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import echo_rig
import pytest
from board_rig import GCC_BUILDS, ZIG_BUILDS
from cli_rig import tiny_build
from conftest import need
from elftools.elf.elffile import ELFFile
from models import tiny_character_model

from tinylm.board import Region, board_names, load_board
from tinylm.building import build, read_build
from tinylm.catalogue import find_folder
from tinylm.emulator import start
from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.firmware import compile_firmware, write_board_header
from tinylm.image import check_bytes, flash_bytes, write_images
from tinylm.image_formats import parse_hex, parse_uf2
from tinylm.link import Device
from tinylm.memory import largest_language_bytes, predict_memory, require_fit
from tinylm.model import load_model


@pytest.mark.parametrize(("name", "toolchain"), GCC_BUILDS + ZIG_BUILDS)
def test_a_firmware_is_built_measured_and_the_same_bytes_again(name: str, toolchain: str, tmp_path: Path) -> None:
    board = load_board(name)
    first = echo_rig.build_echo(board, tmp_path / "one", toolchain)
    second = echo_rig.build_echo(board, tmp_path / "another place", toolchain)
    assert first.elf.read_bytes() == second.elf.read_bytes()
    assert str(tmp_path).encode() not in first.elf.read_bytes()
    assert set(first.images) == set(board.image.formats)
    groups = {usage.name: usage for usage in first.memory.groups}
    assert groups["language"].flash_bytes == len(echo_rig.sample_of(board).language)
    assert groups["app"].ram_bytes >= 600
    assert sum(g.flash_bytes for g in groups.values()) == first.memory.flash_bytes
    assert sum(g.ram_bytes for g in groups.values()) == first.memory.ram_bytes - board.memory.stack_bytes
    assert all(g.flash_bytes >= 0 and g.ram_bytes >= 0 for g in groups.values())
    assert groups["libc"].flash_bytes < 1000
    if "bin" in first.images:
        gap = board.memory.model_offset or 0
        assert len(first.images["bin"].read_bytes()) <= first.memory.flash_bytes + gap + 64


@pytest.mark.needs("arm-none-eabi-gcc")
def test_a_firmware_that_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    board = load_board("qemu-cortex-m4")
    small = dataclasses.replace(board.memory, flash=Region(0, 16384))
    with pytest.raises(TinylmError) as caught:
        echo_rig.build_echo(dataclasses.replace(board, memory=small), tmp_path)
    assert "bytes too many" in caught.value.message
    assert not list((tmp_path / "build").glob("firmware*"))


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.needs(*tools)) for name, *tools in (
    ("qemu-cortex-m4", "arm-none-eabi-gcc"), ("nrf52840dk", "arm-none-eabi-gcc"), ("esp32c3", "riscv64-unknown-elf-gcc"),
    ("esp32", "xtensa-lx106-elf-gcc", "esptool"), ("arduino-mega", "avr-gcc"),
)])  # fmt: skip
def test_ram_without_room_for_the_stack_is_refused_by_each_link_script(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    ram = dataclasses.replace(board.memory.ram, bytes=board.memory.stack_bytes + 512)
    small = dataclasses.replace(board.memory, ram=ram)
    with pytest.raises(TinylmError) as caught:
        echo_rig.build_echo(dataclasses.replace(board, memory=small), tmp_path)
    assert "stack does not fit" in caught.value.message


@pytest.mark.parametrize(("name", "toolchain"), GCC_BUILDS)
def test_nothing_is_allocated_so_that_the_stack_meets_no_heap(name: str, toolchain: str) -> None:
    with (tiny_build(name) / "firmware.elf").open("rb") as file:
        symbols = {symbol.name.lstrip("_") for symbol in ELFFile(file).get_section_by_name(".symtab").iter_symbols()}
    assert symbols and not symbols & {"malloc", "calloc", "realloc", "free", "sbrk"}


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


@pytest.mark.needs("arm-none-eabi-gcc")
@pytest.mark.parametrize(("name", "at", "said"), [
    ("qemu-cortex-m4", 0, "no place for the stack"), ("qemu-cortex-m4", 4, "reset vector"),
    ("qemu-cortex-m4", 12, "vector 3"), ("qemu-cortex-m4", 64, "vector 16"), ("nucleo-f401re", 216, "vector 54"),
    ("raspberry-pi-pico", 100, "its CRC is"), ("raspberry-pi-pico", 256, "no place for the stack"),
    ("raspberry-pi-pico", 260, "reset vector"),
])  # fmt: skip
def test_an_image_that_its_chip_would_not_start_is_refused(name: str, at: int, said: str) -> None:
    board, content = load_board(name), bytearray((tiny_build(name) / "firmware.bin").read_bytes())
    check_bytes(bytes(content), board)
    content[at : at + 4] = (int.from_bytes(content[at : at + 4], "little") ^ 0x04000001).to_bytes(4, "little")
    with pytest.raises(TinylmError, match=said):
        check_bytes(bytes(content), board)


@pytest.mark.parametrize(("name", "said"), [("arduino-mega", "no jump over the vectors"), ("arduino-uno", "no jump over"),
                                            ("esp32c3", "not the magic of a direct boot")])  # fmt: skip
def test_an_image_that_begins_with_something_else_is_refused(name: str, said: str) -> None:
    for content in (b"", b"\xff" * 64, bytes(64)):
        with pytest.raises(TinylmError, match=said):
            check_bytes(content, load_board(name))


@pytest.mark.parametrize(("name", "toolchain"), GCC_BUILDS)
def test_every_format_of_an_image_holds_the_same_bytes_at_the_flashs_address(name: str, toolchain: str) -> None:
    board, folder = load_board(name), tiny_build(name)
    if not board.image.formats:
        pytest.skip("an emulator takes the ELF: there is nothing to flash")
    content, origin = flash_bytes(folder / "firmware.elf", board), board.memory.flash.origin
    for kind in board.image.formats:
        file = folder / f"firmware.{kind}"
        if kind == "hex":
            assert parse_hex(file.read_text()) == (origin, content)
        elif kind == "uf2":
            place, read = parse_uf2(file.read_bytes(), board.image.uf2_family)
            assert place == origin and read[: len(content)] == content
        else:
            assert file.read_bytes() == content


@pytest.mark.needs("avr-gcc")
@pytest.mark.parametrize(("emulator", "tool"), [("simavr", "simavr"), ("qemu", "qemu-system-avr")])
def test_the_shipped_24_kb_model_fits_an_uno_and_types_there_as_on_the_host(
    emulator: str, tool: str, tmp_path: Path
) -> None:
    need(tool)
    board, model = load_board("arduino-uno"), load_model(find_folder("en-24k"))
    build(model, board, tmp_path / "build", None, lambda *_: None)
    host = HostEngine(model)
    with start(board, tmp_path / "build", emulator) as running, Device.open(running.url) as device:
        assert device.identity.self_test == 0 and device.identity.max_suggestions == 3
        assert device.hash(3, 7, 5) == host.hash(3, 7, 5)
        for line in ("I'm at the hut, see you tomorrow", "Don\u2019t forget Bread"):
            device.reset()
            host.reset()
            for letter in line:
                device.feed(letter)
                host.feed(letter)
                assert device.suggest(3) == host.suggest(3), line
            for _ in range(9):
                device.backspace()
                host.backspace()
            assert device.suggest(3) == host.suggest(3)


@pytest.mark.parametrize("name", [name for name in board_names() if load_board(name).memory])
def test_a_model_too_big_is_refused_before_compiling_with_the_budget_that_fits(name: str) -> None:
    board = load_board(name)
    fits = largest_language_bytes(board)
    require_fit(board, predict_memory(board, fits, 600))
    with pytest.raises(TinylmError) as caught:
        require_fit(board, predict_memory(board, fits + 1234, 600))
    assert "1,234 more" in caught.value.message and f"{fits:,}" in caught.value.hint
    with pytest.raises(TinylmError) as caught:
        require_fit(board, predict_memory(board, 1000, board.memory.ram.bytes))
    assert "RAM" in caught.value.message


def test_an_ngrams_larger_reader_is_told_before_an_uno_is_compiled_for_it() -> None:
    board = load_board("arduino-uno")
    network, ngram = largest_language_bytes(board), largest_language_bytes(board, has_ngram=True)
    assert network - ngram == board.overhead.ngram_flash_bytes > 0
    require_fit(board, predict_memory(board, ngram, 600, has_ngram=True))
    with pytest.raises(TinylmError, match="does not fit") as caught:
        require_fit(board, predict_memory(board, network, 600, has_ngram=True))
    assert f"at most {ngram:,} language bytes" in caught.value.hint


def require_good_prediction(record: dict) -> None:
    predicted, measured = record["predicted"], record["measured"]
    assert 0 <= predicted["flash_bytes"] - measured["flash_bytes"] <= 8192
    assert 0 <= predicted["ram_bytes"] - measured["ram_bytes"] <= 512
    reach, told = (report["flash_bytes"] + report["gap_bytes"] for report in (measured, predicted))
    assert 0 <= told - reach <= 8192  # with what lies empty before a model that lies apart


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
