"""`tinylm flash`: with a stand-in for the flasher that records how it was called. Real ones: test_flashing_esp.py, _avr.py."""

from __future__ import annotations

import json
import os
import shlex
import signal
import stat
import threading
from pathlib import Path

import pytest
from cli_rig import run_cli, tiny_build, tools_on
from flash_rig import Usb, called, crashing_board, fake_build, fake_program, terminal
from models import tiny_word_model
from test_cli_emulate import start_emulate
from test_drive import make_drive

from tinylm.board import load_board
from tinylm.toolchain import install_command


@pytest.fixture
def mega(tmp_path: Path) -> Path:
    """A build folder of arduino-mega."""
    return fake_build(tmp_path / "build", "arduino-mega", "hex")


@pytest.fixture
def avrdude(tmp_path: Path) -> Path:
    """A folder for PATH with an avrdude that succeeds."""
    return fake_program(tmp_path / "bin", "avrdude")


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


def test_a_failing_flasher_is_an_error_with_what_it_said_and_the_boards_own_hints(mega: Path, tmp_path: Path) -> None:
    programs = fake_program(tmp_path / "bin", "avrdude", says="the moon is full", status=3)
    with tools_on(str(programs)), terminal() as port:
        failed = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", port)
    assert failed.status == 1
    assert f"avrdude failed on '{port}' (exit code 3)" in failed.err and "dialout" in failed.err
    assert "the moon is full" in failed.err


def test_another_speed_is_passed_to_the_flasher(mega: Path, avrdude: Path) -> None:
    options = ("--board", "arduino-mega", "--build", mega, "--port", "P", "--dry-run")
    with tools_on(str(avrdude)):
        assert "-b 57600 " in run_cli("flash", *options, "--baud", "57600").out
        assert run_cli("flash", *options, "--baud", "0").status == 2


def test_a_busy_port_and_a_missing_one_are_told_before_the_flasher_starts(mega: Path, avrdude: Path) -> None:
    from tinylm.serial_port import open_port

    options = ("--board", "arduino-mega", "--build", mega, "--port")
    with tools_on(str(avrdude)), terminal() as port:
        holder = open_port(port, 115200)
        busy = run_cli("flash", *options, port)
        holder.close()
        missing = run_cli("flash", *options, "/dev/ttyNOPE")
    assert busy.status == 1 and f"'{port}' is busy" in busy.err and "Close the serial monitor" in busy.err
    assert (
        missing.status == 1 and "There is no port '/dev/ttyNOPE'" in missing.err and "Plug the board in" in missing.err
    )
    assert not (avrdude / "called").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every port")
def test_a_port_without_permission_names_the_group(mega: Path, avrdude: Path) -> None:
    with tools_on(str(avrdude)), terminal() as port:
        os.chmod(port, stat.S_IWUSR)
        refused = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", port)
    assert refused.status == 1 and "sudo usermod -aG" in refused.err


def test_a_board_that_vanishes_is_told_while_the_flasher_still_waits(
    mega: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinylm.flashing.GONE_S", 0.0)
    programs = fake_program(tmp_path / "bin", "avrdude", sleeps_s=60)
    with tools_on(str(programs)), terminal() as port:
        link = tmp_path / "ttyACM0"
        link.symlink_to(port)
        threading.Timer(1.0, link.unlink).start()
        failed = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", link)
    assert failed.status == 1 and "went away while avrdude was writing" in failed.err
    assert "tinylm flash --board arduino-mega" in failed.err


def test_ctrl_c_stops_the_flasher_and_says_what_that_means(mega: Path, tmp_path: Path) -> None:
    programs = fake_program(tmp_path / "bin", "avrdude", sleeps_s=60)
    with tools_on(str(programs)), terminal() as port:
        threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        stopped = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", port)
    assert stopped.status == 130
    assert "may not start" in stopped.err and "tinylm flash --board arduino-mega" in stopped.err


@pytest.mark.needs("cc")
def test_another_board_on_the_port_is_an_error(mega: Path, avrdude: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinylm.flashing.RETURN_S", 0.0)
    process, told = start_emulate("--board", "host", "--build", tiny_build("host"))
    try:
        with tools_on(f"{avrdude}{os.pathsep}{os.environ['PATH']}"):
            failed = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", told["port"])
    finally:
        process.terminate()
        process.wait()
    assert failed.status == 1 and "answers host, not arduino-mega" in failed.err


@pytest.mark.needs("avr-gcc", "simavr", "cc")
def test_after_flashing_the_board_says_who_it_is(mega: Path, avrdude: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, told = start_emulate("--board", "arduino-mega", "--build", tiny_build("arduino-mega"), "--pty")
    with_ports(monkeypatch, Usb(told["port"], 0x2341, 0x0042), Usb("/dev/ttyS0", None, None))
    options = ("flash", "--board", "arduino-mega", "--build", mega)
    try:
        with tools_on(f"{avrdude}{os.pathsep}{os.environ['PATH']}"):
            shown = run_cli(*options)
            record = json.loads((mega / "build.json").read_text())
            (mega / "build.json").write_text(json.dumps(record | {"model_hash": 1}))
            monkeypatch.setattr("tinylm.flashing.RETURN_S", 0.0)
            old = run_cli(*options)
    finally:
        process.terminate()
        process.wait()
    assert called(avrdude) == expected_arguments(mega, told["port"])
    assert shown.status == 0
    assert f"model tiny-word ({tiny_word_model().hash:08x}), self-test passed" in shown.out
    assert f"tinylm type --port {told['port']}" in shown.out
    assert old.status == 1 and "still holds model tiny-word" in old.err


def test_a_board_that_does_not_answer_is_shown_by_what_it_sends(
    mega: Path, avrdude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinylm.flashing.RETURN_S", 0.0)
    monkeypatch.setattr("tinylm.flashing.ANSWER_S", 0.5)
    with tools_on(str(avrdude)), crashing_board() as port:
        failed = run_cli("flash", "--board", "arduino-mega", "--build", mega, "--port", port)
    assert failed.status == 1 and "The image was written, but:" in failed.err
    assert "  | invalid header: 0xffffffff" in failed.err


def test_esptool_of_version_4_is_spoken_to_in_its_own_syntax(tmp_path: Path) -> None:
    folder = fake_build(tmp_path / "build", "esp32c3", "bin")
    board = load_board("esp32c3")
    shown = {}
    for version in ("esptool.py v4.8.1", "esptool v5.6.0"):
        with tools_on(str(fake_program(tmp_path / "bin", "esptool", says=version))):
            options = ("--build", folder, "--port", "/dev/ttyACM0", "--dry-run")
            shown[version] = shlex.split(run_cli("flash", "--board", "esp32c3", *options).out)[1:]
    new, old = shown["esptool v5.6.0"], shown["esptool.py v4.8.1"]
    values = {"port": "/dev/ttyACM0", "image": folder / "firmware.bin", "offset": "0x0", "baud": 460800}
    assert new == [argument.format(**values) for argument in board.flasher.arguments] and "write-flash" in new
    assert old == [argument.replace("write-flash", "write_flash") for argument in new]


@pytest.fixture
def pico(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build folder of a board that is a drive."""
    monkeypatch.setattr("tinylm.flashing.RETURN_S", 0.0)
    return fake_build(tmp_path / "build", "raspberry-pi-pico", "uf2")


def test_a_board_that_is_a_drive_gets_its_image_by_copy(
    pico: Path, tmp_path: Path, no_ports: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = make_drive(tmp_path / "pico")
    monkeypatch.setattr("tinylm.drive.mounted_drives", lambda: [drive])
    dry = run_cli("flash", "--board", "raspberry-pi-pico", "--build", pico, "--dry-run", "--drive", drive)
    assert shlex.split(dry.out) == ["cp", str(pico / "firmware.uf2"), str(drive)]
    assert not (drive / "firmware.uf2").exists()
    shown = run_cli("flash", "--board", "raspberry-pi-pico", "--build", pico)
    assert shown.status == 0 and "copy 100 %" in shown.err
    assert (drive / "firmware.uf2").read_bytes() == (pico / "firmware.uf2").read_bytes()
    assert "tinylm type --port PORT" in shown.out


def test_a_board_whose_drive_is_not_there_says_how_it_shows_one(
    pico: Path, no_ports: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinylm.drive.mounted_drives", list)
    refused = run_cli("flash", "--board", "raspberry-pi-pico", "--build", pico)
    assert refused.status == 1 and "No drive RPI-RP2" in refused.err and "hold BOOTSEL" in refused.err


@pytest.mark.parametrize(
    ("board", "tool", "arguments"),
    [
        ("nrf52840dk", "pyocd", "flash --no-wait --target nrf52840 --base-address 0x0 --format bin {image}"),
        (
            "nucleo-f401re",
            "pyocd",
            "flash --no-wait --target stm32f401retx --base-address 0x8000000 --format bin {image}",
        ),
        ("netduinoplus2", "dfu-util", "-a 0 -d 0483:df11 -s 0x8000000:leave -D {image}"),
    ],
)
def test_a_board_with_a_debug_probe_needs_no_port(
    board: str, tool: str, arguments: str, tmp_path: Path, no_ports: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinylm.flashing.RETURN_S", 0.0)
    folder = fake_build(tmp_path / "build", board, "bin")
    with tools_on(str(fake_program(tmp_path / "bin", tool, says="[---|---]\n[" + 40 * "=" + "]"))):
        dry = run_cli("flash", "--board", board, "--build", folder, "--dry-run")
        shown = run_cli("flash", "--board", board, "--build", folder)
    wanted = arguments.format(image=folder / "firmware.bin").split(" ")
    assert shlex.split(dry.out)[1:] == wanted == called(tmp_path / "bin")
    assert shown.status == 0 and "Written." in shown.out and "write 100 %" in shown.err


def test_without_a_debug_probe_it_says_so(tmp_path: Path, no_ports: None) -> None:
    folder = fake_build(tmp_path / "build", "nrf52840dk", "bin")
    with tools_on(str(fake_program(tmp_path / "bin", "pyocd", says="E No target device available", status=1))):
        failed = run_cli("flash", "--board", "nrf52840dk", "--build", folder)
    assert failed.status == 1 and "No debug probe is attached" in failed.err
