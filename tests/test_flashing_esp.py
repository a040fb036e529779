"""The real esptool writes a real image into a stand-in for the chip's boot ROM, and the chip then runs that very image."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from cli_rig import Outcome, run_cli, tiny_build
from esp_rom import EspChip
from flash_rig import fake_build
from models import TEXTS, tiny_character_model, tiny_word_model
from vectors.make import make_word_model

from tinylm.board import load_board
from tinylm.building import build
from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.link import Device, identify_port
from tinylm.model import Model
from tinylm.statuses import status_code

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


@functools.cache
def other_word_model() -> Model:
    """A network of the same shape, with the words of another text, and fewer rows."""
    return make_word_model("other-word", TEXTS / "conversation.txt", 150)


def built(folder: Path, model: Model) -> Path:
    build(model, load_board("esp32c3"), folder, None, lambda *_: None)
    return folder


def write(chip: EspChip, folder: Path, *options: str) -> Outcome:
    return run_cli("flash", "--board", "esp32c3", "--build", folder, "--port", chip.url, *options)


def suggestions(chip: EspChip) -> list[str]:
    with Device.open(chip.url) as device:
        return device.suggest(3)


def test_a_model_of_the_same_shape_is_written_alone_and_the_firmware_stays(tmp_path: Path) -> None:
    first, second = built(tmp_path / "first", tiny_word_model()), built(tmp_path / "second", other_word_model())
    expected = HostEngine(other_word_model()).suggest(3)
    assert (first / "firmware.bin").read_bytes()[:0x10000] == (second / "firmware.bin").read_bytes()[:0x10000]
    with EspChip(tmp_path / "chip") as chip:
        assert write(chip, first).status == 0
        assert suggestions(chip) != expected
        firmware, chip.written = bytes(chip.flash[:0x10000]), []
        shown = write(chip, second, "--model-only")
        assert shown.status == 0, shown.err
        assert [offset for offset, _ in chip.written] == [0x10000] and chip.flash[:0x10000] == firmware
        assert suggestions(chip) == expected
    assert f"({other_word_model().hash:08x}), self-test passed" in shown.out


def test_a_model_of_another_shape_is_refused_before_and_after_it_is_written(tmp_path: Path) -> None:
    """By tinylm, and by the firmware, should another program write it."""
    first, other = built(tmp_path / "first", tiny_word_model()), built(tmp_path / "other", tiny_character_model())
    with EspChip(tmp_path / "chip") as chip:
        assert write(chip, first).status == 0
        chip.written = []
        refused = write(chip, other, "--model-only")
        assert refused.status == 1 and chip.written == []
        assert "a network of another shape" in refused.err and "tinylm flash --board esp32c3" in refused.err
        model = (other / "model.bin").read_bytes()
        chip.flash[0x10000 : 0x10000 + len(model)] = model
        chip.restart()
        identity = identify_port(chip.url)
        assert identity.language_check == status_code("TLM_ERR_FIRMWARE") and identity.model == "no model"
        with pytest.raises(TinylmError, match="its model was built with another firmware"):
            Device.open(chip.url)
        chip.flash[0x10000:] = b"\xff" * (len(chip.flash) - 0x10000)
        chip.restart()
        assert identify_port(chip.url).language_check == status_code("TLM_ERR_MODEL")


def test_where_the_model_is_part_of_the_firmware_it_is_not_written_alone(tmp_path: Path) -> None:
    folder = fake_build(tmp_path / "build", "arduino-mega", "hex")
    refused = run_cli("flash", "--board", "arduino-mega", "--build", folder, "--model-only", "--dry-run")
    assert refused.status == 1 and "cannot be written alone" in refused.err
