"""Every board boots in every emulator and from every compiler that is here, and its serial line loses nothing."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import echo_rig
import pytest
import serial
from board_rig import BEST_BOOTS, OTHER_BOOTS

from tinylm import emulator as emulators
from tinylm.board import load_board
from tinylm.emulator import Emulator, bridge_to_pty, choose_emulator, start
from tinylm.errors import TinylmError

IN_FLIGHT_BYTES = 100  # the receive ring of an AVR holds 127; its sender goes no faster than its receiver


def boot(name: str, toolchain: str, emulator: str, folder: Path) -> Emulator:
    board = load_board(name)
    echo_rig.build_echo(board, folder, toolchain)
    return start(board, folder / "build", emulator)


def open_line(emulator: Emulator, name: str = "qemu-cortex-m4") -> serial.SerialBase:
    """Asks again while a board in QEMU starts its clocks: what comes before its serial line is on is lost, as on a real one."""
    line = serial.serial_for_url(emulator.url, timeout=2 if emulator.name == "qemu" else 60)
    expected = echo_rig.expected_report(load_board(name))
    report, asked = b"", 0
    while not report.endswith(expected[:4]) and asked < 30:  # a boot ROM speaks before
        line.write(b"?")
        report, asked = report + line.read_until(expected[:4]), asked + 1
    line.timeout = 30
    assert line.read(28) == expected[4:]
    if asked > 1:  # further questions come back
        line.write(b".")
        assert set(line.read_until(b".")) <= set(b"?.")
    return line


def echo(line: serial.SerialBase, content: bytes) -> bytes:
    came, sent = bytearray(), 0
    while len(came) < len(content):
        room = min(len(content) - sent, IN_FLIGHT_BYTES - (sent - len(came)))
        line.write(content[sent : sent + room])
        sent += room
        answer = line.read(max(1, min(sent - len(came), IN_FLIGHT_BYTES // 2)))
        assert answer, f"{len(came)} of {sent} bytes came back"
        came += answer
    return bytes(came)


@pytest.mark.needs("avr-gcc", "simavr")
@pytest.mark.parametrize("name", ["arduino-mega", "arduino-uno"])
def test_what_an_avr_has_in_assembler_answers_as_plain_c(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    echo_rig.build_echo(board, tmp_path, "gcc", Path(__file__).parent / "c" / "elements" / "elements.c")
    with (
        start(board, tmp_path / "build", "simavr") as emulator,
        serial.serial_for_url(emulator.url, timeout=60) as line,
    ):
        line.write(b"?")
        compared, different = (int(line.read(8), 16) for _ in range(2))
    assert compared > 30_000 and different == 0


@pytest.mark.parametrize(("name", "toolchain", "emulator"), BEST_BOOTS + OTHER_BOOTS)
def test_a_board_boots_reads_its_language_and_echoes_8_kb(
    name: str, toolchain: str, emulator: str, tmp_path: Path
) -> None:
    content = random.Random(8).randbytes(8192)
    with boot(name, toolchain, emulator, tmp_path) as running, open_line(running, name) as line:
        assert echo(line, content) == content
    assert not running.running()


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_a_second_client_finds_the_board_as_the_first_one_left_it(tmp_path: Path) -> None:
    with boot("qemu-cortex-m4", "gcc", "unicorn", tmp_path) as running:
        open_line(running).close()
        with serial.serial_for_url(running.url, timeout=10) as line:
            assert echo(line, b"again") == b"again"


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_an_emulated_board_that_waits_does_not_use_the_computer(tmp_path: Path) -> None:
    with boot("qemu-cortex-m4", "gcc", "unicorn", tmp_path) as running, open_line(running):
        time.sleep(0.2)
        before = _cpu_ticks(running._process.pid)
        time.sleep(0.5)
        assert _cpu_ticks(running._process.pid) - before <= 5


def _cpu_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        pytest.skip("no /proc here")
    return int(fields[11]) + int(fields[12])


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_a_pty_carries_the_serial_line(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4
    with boot("qemu-cortex-m4", "gcc", "unicorn", tmp_path) as running, bridge_to_pty(running) as path:
        with serial.Serial(path, timeout=10) as line:
            line.write(b"?")
            assert line.read(32) == echo_rig.expected_report(load_board("qemu-cortex-m4"))
            assert echo(line, content) == content


@pytest.mark.parametrize(("name", "emulator"), [("qemu-cortex-m4", "qemu"), ("qemu-cortex-m4", "unicorn"),
                                                ("arduino-mega", "simavr"), ("host", "process")])  # fmt: skip
def test_no_emulator_outlives_a_parent_that_is_killed(name: str, emulator: str, tmp_path: Path) -> None:
    boot(name, "gcc", emulator, tmp_path).close()
    script = (
        "import sys, time; from pathlib import Path; from tinylm.board import load_board; from tinylm.emulator import *\n"
        f"e = start(load_board({name!r}), Path({str(tmp_path / 'build')!r}), {emulator!r})\n"
        "print(e.port, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        port = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while _listens(port):
        assert time.monotonic() < deadline, "the emulator is still there"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    """Whether a socket listens there, without connecting to it."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1] == f"0100007F:{port:04X}" and row.split()[3] == "0A" for row in rows)


def test_a_missing_emulator_is_refused_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulators, "find_tool", lambda name: None)
    with pytest.raises(TinylmError) as caught:
        choose_emulator(load_board("qemu-cortex-m4"))
    assert "qemu-system-arm" in caught.value.hint and "pip install" in caught.value.hint


def test_an_emulator_that_a_board_does_not_have_is_answered_with_those_it_has() -> None:
    with pytest.raises(TinylmError) as caught:
        choose_emulator(load_board("esp32c3"), "simavr")
    assert "unicorn" in caught.value.hint


def test_a_folder_without_a_firmware_is_refused_with_the_build_command(tmp_path: Path) -> None:
    with pytest.raises(TinylmError) as caught:
        start(load_board("esp32c3"), tmp_path)
    assert "tinylm build --board esp32c3" in caught.value.hint


@pytest.mark.needs("rp2040js", "arm-none-eabi-gcc")
def test_a_pico_whose_clocks_make_another_baud_rate_is_refused(tmp_path: Path) -> None:
    board = load_board("raspberry-pi-pico")
    echo_rig.build_echo(dataclasses.replace(board, crystal_hz=11_000_000), tmp_path, "gcc")
    with start(board, tmp_path / "build", "rp2040js") as running, serial.serial_for_url(running.url) as line:
        line.write(b"?")
        running.wait()
        assert "baud, not at 115200" in running.log()


@pytest.mark.needs("unicorn", "arm-none-eabi-gcc")
def test_an_image_that_crashes_says_so(tmp_path: Path) -> None:
    with boot("qemu-cortex-m4", "gcc", "unicorn", tmp_path):
        pass
    image = tmp_path / "build" / "firmware.bin"
    image.write_bytes(image.read_bytes()[:8] + b"\xff" * 4000)
    with start(load_board("qemu-cortex-m4"), tmp_path / "build", "unicorn") as running:
        with serial.serial_for_url(running.url) as line:
            line.write(b"x")
            running.wait()
        assert "stopped" in running.log()
