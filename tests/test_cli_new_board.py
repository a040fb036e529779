"""A board that is not listed: one file, found by every command."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_rig import run_cli

from tinylm.board import load_board


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_a_new_board_of_a_known_chip_is_one_file_that_builds_and_boots(own_folder: Path) -> None:
    made = run_cli("new-board", "my-node", "--like", "qemu-cortex-m4")
    assert made.status == 0 and str(Path("boards") / "my-node.toml") in made.out
    assert load_board("my-node").chip == load_board("qemu-cortex-m4").chip
    assert "my-node" in run_cli("boards").out
    assert run_cli("build", "--board", "my-node", "--model", "en-24k").status == 0
    (own_folder / "line.txt").write_text("see you tomorrow\n")
    typed = run_cli("type", "--board", "my-node", "--lines", "line.txt")
    assert typed.status == 0 and "en-24k on my-node" in typed.out


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_a_boards_file_may_lie_anywhere_and_is_named_by_its_path(own_folder: Path) -> None:
    run_cli("new-board", "my-node", "--like", "nrf52840dk")
    (own_folder / "boards" / "my-node.toml").rename(own_folder / "my-node.toml")
    path = "./my-node.toml"
    assert "my-node" not in run_cli("boards").out and run_cli("boards", path).out.startswith("board")
    built = run_cli("build", "--board", path, "--model", "en-24k")
    assert built.status == 0 and f"tinylm type --board {path}" in built.out
    typed = run_cli("type", "--board", path, typed=b"see you tomorrow\n")
    assert typed.status == 0 and "en-24k on my-node, run by unicorn" in typed.out
    assert "build/my-node/firmware.bin" in run_cli("flash", "--board", path, "--dry-run").out
    (own_folder / "build" / "my-node" / "firmware.bin").unlink()
    assert f"tinylm build --board {Path(path)}" in run_cli("flash", "--board", path, "--dry-run").err
    missing = run_cli("build", "--board", "their-node.toml")
    assert missing.status == 1 and "There is no board file 'their-node.toml'" in missing.err


def test_a_name_that_is_taken_or_none_is_refused_and_nothing_is_written(own_folder: Path) -> None:
    for name, said in (("esp32c3", "already"), ("My Board", "lower-case"), ("../x", "lower-case")):
        refused = run_cli("new-board", name, "--like", "qemu-cortex-m4")
        assert refused.status == 1 and said in refused.err
    assert run_cli("new-board", "mine", "--like", "esp32c").status == 1
    assert not list(own_folder.iterdir())


def test_a_mistake_in_an_own_board_names_the_file_and_the_key(own_folder: Path) -> None:
    run_cli("new-board", "mine", "--like", "qemu-cortex-m4")
    path = own_folder / "boards" / "mine.toml"
    path.write_text(path.read_text().replace("clock_hz", "clock"))
    refused = run_cli("boards", "mine")
    assert refused.status == 1 and "mine.toml" in refused.err and "'clock'" in refused.err
