"""Tools are found, or it is said how to get them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tinylm import toolchain
from tinylm.errors import TinylmError
from tinylm.toolchain import find_tool, find_toolchain, install_command, require_tool, tool_table


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    find_tool.cache_clear()
    monkeypatch.setattr(toolchain.shutil, "which", lambda name, path=None: None)
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    yield
    find_tool.cache_clear()


@pytest.fixture
def only_zig(nothing_installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: name == "ziglang" or None)


@pytest.mark.parametrize("architecture", ["host", "arm", "riscv32", "avr"])
def test_a_missing_compiler_is_refused_with_what_to_type(architecture: str, nothing_installed: None) -> None:
    with pytest.raises(TinylmError) as caught:
        find_toolchain(architecture, zig_can=architecture != "avr")
    assert "apt-get install" in caught.value.hint or "brew install" in caught.value.hint
    assert ("pip install" in caught.value.hint) == (architecture != "avr")


def test_zig_is_taken_where_no_gcc_is(only_zig: None) -> None:
    assert find_toolchain("arm").name == "zig"
    with pytest.raises(TinylmError):
        find_toolchain("avr", zig_can=False)
    with pytest.raises(TinylmError):
        find_toolchain("arm", name="gcc")


@pytest.mark.needs("arm-none-eabi-gcc", "ziglang")
def test_gcc_comes_first_and_zig_can_be_asked_for() -> None:
    assert find_toolchain("arm").name == "gcc"
    assert find_toolchain("arm", name="zig").name == "zig"


def test_an_unknown_toolchain_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(TinylmError) as caught:
        find_toolchain("host", name="gc")
    assert "'gcc'" in caught.value.hint


def test_zig_is_refused_for_a_board_that_it_cannot_build() -> None:
    with pytest.raises(TinylmError) as caught:
        find_toolchain("avr", zig_can=False, name="zig")
    assert "avr" in caught.value.message


def test_the_doctors_table_has_a_place_or_an_install_command_for_every_tool() -> None:
    table = tool_table()
    assert {row.kind for row in table} == {"compiler", "emulator", "flasher"}
    assert all(bool(row.where) != bool(row.install) for row in table)


def test_a_tool_that_is_required_and_missing_names_its_install_command(nothing_installed: None) -> None:
    with pytest.raises(TinylmError) as caught:
        require_tool("esptool")
    assert install_command("esptool") in caught.value.hint
    assert all(row.install for row in tool_table())
