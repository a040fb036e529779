"""The real esptool writes a real image into a stand-in for the chip's boot ROM, and the chip then runs that very image."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_rig import Outcome, run_cli, tiny_build
from esp_rom import EspChip
from models import tiny_word_model

from tinylm.link import Device

pytestmark = pytest.mark.needs("riscv64-unknown-elf-gcc", "esptool", "unicorn")


def flash(chip: EspChip, *options: str) -> Outcome:
    return run_cli("flash", "--board", "esp32c3", "--build", tiny_build("esp32c3"), "--port", chip.url, *options)


def test_esptool_writes_the_image_and_the_chip_answers_from_it(tmp_path: Path) -> None:
    image = (tiny_build("esp32c3") / "firmware.bin").read_bytes()
    with EspChip(tmp_path / "chip") as chip:
        shown = flash(chip)
        assert shown.status == 0, shown.err
        assert chip.flash[: len(image)] == image and set(chip.flash[len(image) :]) == {0xFF}
        with Device.open(chip.url) as device:
            assert device.suggest(3)
    assert "esp32c3 answers" in shown.out and f"({tiny_word_model().hash:08x}), self-test passed" in shown.out
    assert "writing 100 %" in shown.err


def test_another_chip_on_the_port_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    with EspChip(tmp_path / "chip", chip="ESP32-S3") as chip:
        refused = flash(chip)
        assert chip.written == []
    assert refused.status == 1 and "is ESP32-S3; esp32c3 has ESP32-C3" in refused.err, refused.err


def test_a_flash_that_holds_something_else_than_was_sent_is_found_out(tmp_path: Path) -> None:
    with EspChip(tmp_path / "chip", damage=True) as chip:
        failed = flash(chip)
    assert failed.status == 1 and "What esp32c3 holds after writing is not the image" in failed.err, failed.err


def test_a_board_that_vanishes_in_the_middle_is_told(tmp_path: Path) -> None:
    with EspChip(tmp_path / "chip", drop_after=0) as chip:
        failed = flash(chip)
    assert failed.status == 1 and "went away while it was written" in failed.err, failed.err
