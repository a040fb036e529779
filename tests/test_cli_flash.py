"""`tinylm flash`: with a stand-in for the flasher that records how it was called."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest
from cli_rig import run_cli, tiny_build, tools_on
from models import tiny_word_model
from test_cli_emulate import start_emulate
from test_cli_type import Usb

from tinylm.board import Board, load_board
from tinylm.toolchain import install_command


@pytest.fixture
def mega(tmp_path: Path) -> Path:
    """A build folder as `tinylm build --board arduino-mega` leaves it, as far as flashing reads it."""
    folder = tmp_path / "build"
    folder.mkdir()
    record = {"board": "arduino-mega", "model": "tiny-word", "model_hash": tiny_word_model().hash}
    (folder / "build.json").write_text(json.dumps(record | {"images": {"hex": "firmware.hex"}}))
    (folder / "firmware.hex").write_text(":00000001FF\n")
    return folder


@pytest.fixture
def avrdude(tmp_path: Path) -> Path:
    """A folder for PATH with an avrdude that writes its arguments to `called` and succeeds."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "avrdude"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {shlex.quote(str(tmp_path / "called"))}\nexit 0\n')
    program.chmod(0o755)
    return folder


@pytest.fixture
def no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [])


def with_ports(monkeypatch: pytest.MonkeyPatch, *ports: Usb) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: list(ports))


def expected_arguments(folder: Path, port: str) -> list[str]:
    image = folder / "firmware.hex"
    return ["-p", "atmega2560", "-c", "wiring", "-P", port, "-b", "115200", "-D", "-U", f"flash:w:{image}:i"]


def test_a_dry_run_prints_the_command_that_would_be_run(mega: Path, avrdude: Path) -> None:
    with tools_on(str(avrdude)):
        shown = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", "/dev/tty X", "--dry-run")
    assert shown.status == 0 and shown.err == ""
    assert shlex.split(shown.out) == [str(avrdude / "avrdude"), *expected_arguments(mega, "/dev/tty X")]


def test_a_dry_run_needs_neither_board_nor_program(mega: Path, tmp_path: Path, no_ports: None) -> None:
    with tools_on(str(tmp_path)):
        shown = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--dry-run")
    assert shown.status == 0
    assert shlex.split(shown.out) == ["avrdude", *expected_arguments(mega, "PORT")]
    assert install_command("avrdude") in shown.err


def test_a_missing_program_is_named_with_its_install_command(mega: Path, tmp_path: Path) -> None:
    with tools_on(str(tmp_path)):
        refused = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", "/dev/null")
    assert refused.status == 1
    assert "avrdude is not installed" in refused.err and install_command("avrdude") in refused.err


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_an_emulated_board_is_not_flashed(options: tuple[str, ...]) -> None:
    refused = run_cli("flash", "--board", "qemu-cortex-m4", *options)
    assert refused.status == 1
    assert "has nothing to flash" in refused.err and "tinylm emulate --board qemu-cortex-m4" in refused.err


def test_no_build_names_the_command_that_makes_one(
    avrdude: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with tools_on(str(avrdude)):
        refused = run_cli("flash", "--board", "arduino-mega", "--port", "/dev/null")
    assert refused.status == 1 and "tinylm build --board arduino-mega" in refused.err


def test_a_build_without_the_image_that_the_flasher_writes_is_refused(mega: Path, avrdude: Path) -> None:
    (mega / "firmware.hex").unlink()
    with tools_on(str(avrdude)):
        refused = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--dry-run")
    assert refused.status == 1 and "has no hex image" in refused.err


def test_a_board_that_is_not_attached_is_asked_for(mega: Path, avrdude: Path, no_ports: None) -> None:
    with tools_on(str(avrdude)):
        refused = run_cli("flash", "--board", "arduino-mega", "--build", mega)
    assert refused.status == 1
    assert "No port looks like arduino-mega" in refused.err and "--port" in refused.err


def test_of_several_attached_boards_one_must_be_chosen(
    mega: Path, avrdude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_ports(monkeypatch, Usb("/dev/ttyX0", 0x2341, 0x0042), Usb("/dev/ttyX1", 0x2341, 0x0010))
    with tools_on(str(avrdude)):
        refused = run_cli("flash", "--board", "arduino-mega", "--build", mega)
    assert refused.status == 1 and "2 ports may be arduino-mega" in refused.err
    assert "/dev/ttyX0" in refused.err and "/dev/ttyX1" in refused.err


def test_a_failing_flasher_is_an_error_with_the_boards_own_hints(mega: Path, avrdude: Path) -> None:
    (avrdude / "avrdude").write_text("#!/bin/sh\nexit 3\n")
    with tools_on(str(avrdude)):
        failed = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", "/dev/null")
    assert failed.status == 1
    assert "avrdude failed on '/dev/null' (exit code 3)" in failed.err and "dialout" in failed.err


@pytest.mark.needs("cc")
def test_after_flashing_the_board_says_who_it_is(
    mega: Path, avrdude: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, told = start_emulate("--board", "host", "--build", tiny_build("host"), "--pty")
    with_ports(monkeypatch, Usb(told["port"], 0x2341, 0x0042), Usb("/dev/ttyS0", None, None))
    try:
        with tools_on(f"{avrdude}{os.pathsep}{os.environ['PATH']}"):
            shown = run_cli("flash", "--board", "arduino-mega", "--build", mega)
    finally:
        process.terminate()
        process.wait()
    assert (tmp_path / "called").read_text().splitlines() == expected_arguments(mega, told["port"])
    assert shown.status == 0
    assert f"model tiny-word ({tiny_word_model().hash:08x}), self-test passed" in shown.out
    assert f"tinylm type --port {told['port']}" in shown.out


@pytest.mark.needs("cc")
def test_a_board_that_still_holds_another_model_is_an_error(
    mega: Path, avrdude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = json.loads((mega / "build.json").read_text())
    (mega / "build.json").write_text(json.dumps(record | {"model_hash": 1}))
    monkeypatch.setattr("tinylm.flashing.RETURN_S", 0.0)
    process, told = start_emulate("--board", "host", "--build", tiny_build("host"))
    try:
        with tools_on(f"{avrdude}{os.pathsep}{os.environ['PATH']}"):
            failed = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", told["port"])
    finally:
        process.terminate()
        process.wait()
    assert failed.status == 1 and "holds model tiny-word" in failed.err


def test_an_esp_board_is_flashed_by_the_program_or_the_package(tmp_path: Path) -> None:
    board: Board = load_board("esp32c3")
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "firmware.bin").write_bytes(b"\0")
    (folder / "build.json").write_text(json.dumps({"board": "esp32c3", "images": {"bin": "firmware.bin"}}))
    shown = run_cli("flash", "--board", "esp32c3", "--build", folder, "--port", "/dev/ttyACM0", "--dry-run")
    command = shlex.split(shown.out)
    wanted = [a.format(port="/dev/ttyACM0", image=str(folder / "firmware.bin")) for a in board.flasher.arguments]
    assert shown.status == 0 and command[-len(wanted) :] == wanted and "esptool" in " ".join(command[: -len(wanted)])
