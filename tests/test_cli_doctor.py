"""`tinylm doctor`."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from cli_rig import run_cli, tools_on

from tinylm.toolchain import TOOLS, install_command


def test_a_missing_tool_comes_with_the_command_that_installs_it(tmp_path: Path) -> None:
    with tools_on(str(tmp_path)):
        shown = run_cli("doctor")
    assert shown.status == 0
    for tool in TOOLS:
        if tool.programs and not tool.package:
            line = next(line for line in shown.out.splitlines() if line.startswith(tool.name))
            assert f"missing: {install_command(tool.name)}" in line


def test_a_tool_that_is_here_is_shown_with_its_place_and_version(tmp_path: Path) -> None:
    program = tmp_path / "avr-gcc"
    program.write_text('#!/bin/sh\necho "avr-gcc (GCC 1.2) 5.4.0"\n')
    program.chmod(0o755)
    with tools_on(str(tmp_path)):
        shown = run_cli("doctor", "--board", "arduino-mega")
        told = json.loads(run_cli("doctor", "--board", "arduino-mega", "--json").out)
    line = next(line for line in shown.out.splitlines() if line.startswith("avr-gcc"))
    assert str(program) in line and " 5.4.0 " in line
    assert told["boards"] == {"arduino-mega": {"compiler": True, "emulator": False, "flasher": False}}


def test_a_board_that_cannot_be_built_is_exit_code_1(tmp_path: Path) -> None:
    with tools_on(str(tmp_path)):
        shown = run_cli("doctor", "--board", "arduino-mega")
    assert shown.status == 1
    assert "needs avr-gcc" in shown.out and "cc " not in shown.out.replace("avr-gcc", "")


def test_a_board_whose_image_esptool_makes_cannot_be_built_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "xtensa-lx106-elf-gcc"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "esptool" else find_spec(name))
    with tools_on(str(tmp_path)):
        shown = run_cli("doctor", "--board", "esp32")
    row = next(line for line in shown.out.splitlines() if line.startswith("esp32 "))
    assert shown.status == 1 and row.count("needs esptool") == 2, shown.out


@pytest.mark.needs("ziglang")
def test_a_board_that_zig_builds_needs_no_program_on_the_path(tmp_path: Path) -> None:
    with tools_on(str(tmp_path)):
        assert run_cli("doctor", "--board", "qemu-cortex-m4").status == 0


def test_json_lists_every_tool_and_every_board() -> None:
    told = json.loads(run_cli("doctor", "--json").out)
    assert [tool["name"] for tool in told["tools"]] == [tool.name for tool in TOOLS]
    assert all(bool(tool["where"]) != bool(tool["install"]) for tool in told["tools"])
    assert told["boards"]["host"]["emulator"] is True
