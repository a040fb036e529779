"""`tinylm emulate`: boots real builds of a tiny model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_rig import run_cli, tiny_build
from models import tiny_character_model, tiny_word_model

from tinylm.link import Device
from tinylm.model import write_model

TINYLM = [sys.executable, "-c", "from tinylm.cli import main; main()"]


def start_emulate(*arguments: object) -> tuple[subprocess.Popen, dict]:
    """`tinylm emulate --json` as a process of its own, and what it says."""
    command = [*TINYLM, "emulate", "--json", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())


def descendants(pid: int) -> list[int]:
    """The processes below one."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split()
    parents = {int(child): int(parent) for child, parent in zip(listed[::2], listed[1::2])}
    below = [child for child, parent in parents.items() if parent == pid]
    return below + [further for child in below for further in descendants(child)]


@pytest.mark.needs("cc")
def test_check_boots_a_build_and_types_a_line() -> None:
    shown = run_cli("emulate", "--board", "host", "--build", tiny_build("host"), "--check")
    assert shown.status == 0
    assert "model" in shown.out.lower() and f"{tiny_word_model().hash:08x}" in shown.out
    assert "with 6 keys" in shown.out


@pytest.mark.needs("cc")
def test_check_tells_a_program_what_it_found() -> None:
    told = json.loads(run_cli("emulate", "--board", "host", "--build", tiny_build("host"), "--check", "--json").out)
    assert told["ok"] and told["identity"]["model_hash"] == tiny_word_model().hash
    assert told["typed"]["line"] == " ".join(told["typed"]["taken"]) + " "


@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_check_boots_a_cortex_m4_in_qemu() -> None:
    folder = tiny_build("qemu-cortex-m4")
    shown = run_cli("emulate", "--board", "qemu-cortex-m4", "--build", folder, "--check", "--emulator", "qemu")
    assert shown.status == 0 and "in qemu (the real board)" in shown.out


@pytest.mark.needs("cc")
def test_a_build_with_damaged_language_fails_the_check(tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_build("host"), tmp_path / "build")
    language = (folder / "language.bin").read_bytes()
    program = (folder / "firmware.elf").read_bytes()
    at = program.index(language) + len(language) // 2
    (folder / "firmware.elf").write_bytes(program[:at] + bytes([program[at] ^ 1]) + program[at + 1 :])
    failed = run_cli("emulate", "--board", "host", "--build", folder, "--check", "--json")
    told = json.loads(failed.out)
    assert failed.status == 1 and not told["ok"] and "its model is damaged" in told["error"]


@pytest.mark.needs("cc")
def test_an_image_with_another_model_than_its_record_fails_the_check(tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_build("host"), tmp_path / "build")
    record = json.loads((folder / "build.json").read_text())
    (folder / "build.json").write_text(json.dumps(record | {"model_hash": 1}))
    failed = run_cli("emulate", "--board", "host", "--build", folder, "--check")
    assert failed.status == 1 and "holds model tiny-word" in failed.err and failed.out == ""


@pytest.mark.needs("cc")
def test_a_model_that_is_not_in_the_build_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path / "other", tiny_character_model())
    write_model(tmp_path / "same", tiny_word_model())
    known = ("emulate", "--board", "host", "--build", tiny_build("host"), "--check", "--model")
    refused = run_cli(*known, tmp_path / "other")
    assert refused.status == 1 and "holds another model (tiny-word)" in refused.err
    assert run_cli(*known, tmp_path / "same").status == 0


def test_no_build_names_the_command_that_makes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run_cli("emulate", "--board", "esp32c3")
    assert refused.status == 1
    assert "no build for esp32c3 in 'build/esp32c3'" in refused.err and "tinylm build --board esp32c3" in refused.err
    assert "No board was named" in run_cli("emulate").err


@pytest.mark.needs("cc")
def test_a_build_of_another_board_is_refused() -> None:
    refused = run_cli("emulate", "--board", "esp32c3", "--build", tiny_build("host"))
    assert refused.status == 1 and "is for host, not for esp32c3" in refused.err


@pytest.mark.needs("cc")
def test_an_unknown_emulator_is_refused_with_those_of_the_board() -> None:
    refused = run_cli("emulate", "--board", "host", "--build", tiny_build("host"), "--emulator", "qemu")
    assert refused.status == 1 and "does not run in 'qemu'" in refused.err and "process" in refused.err


@pytest.mark.needs("cc")
@pytest.mark.parametrize("pty", [False, True])
def test_the_port_can_be_typed_on_until_ctrl_c(pty: bool) -> None:
    process, told = start_emulate("--board", "host", "--build", tiny_build("host"), *(["--pty"] if pty else []))
    assert told["port"].startswith("/dev/" if pty else "socket://127.0.0.1:")
    with Device.open(told["port"]) as device:
        assert device.identity.board == "host"
        assert device.feed("wh", 3)
    started = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert started and not any(alive(pid) for pid in started)


@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_no_emulator_outlives_a_kill() -> None:
    process, told = start_emulate("--board", "qemu-cortex-m4", "--build", tiny_build("qemu-cortex-m4"))
    started = descendants(process.pid)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in started) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert told["board"] == "qemu-cortex-m4" and started and not any(alive(pid) for pid in started)


def alive(pid: int) -> bool:
    """Whether a process runs (one that waits for its parent to notice its end does not)."""
    try:
        os.kill(pid, 0)
        return "Z" not in subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    except ProcessLookupError:
        return False
