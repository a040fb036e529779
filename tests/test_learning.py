"""What is learned: the same on every emulated chip as on this computer, erased on request, and worth keystrokes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_rig import run_cli, tiny_build
from conftest import need
from models import tiny_lines, tiny_ngram_model, tiny_word_model

from tinylm.board import board_names, load_board
from tinylm.booting import BuiltImage, boot
from tinylm.building import read_build
from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.link import Device
from tinylm.memory import predict_memory
from tinylm.model import write_model
from tinylm.typist import type_words

BOARDS = {
    "host": ("process", "cc"),
    "qemu-cortex-m4": ("qemu", "arm-none-eabi-gcc", "qemu-system-arm"),
    "esp32c3": ("unicorn", "riscv64-unknown-elf-gcc", "unicorn"),
    "arduino-mega": ("simavr", "avr-gcc", "simavr"),
}
STRANGE = ["qwyjibo", "hut", "is", "dry", "vhfzz"]  # the first and last are in no vocabulary


@pytest.fixture(params=BOARDS)
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    """A booted board with the tiny word model."""
    emulator, *tools = BOARDS[request.param]
    need(*tools)
    folder = tiny_build(request.param)
    with boot(BuiltImage(load_board(request.param), folder, read_build(folder)), emulator) as (_, device):
        yield device


def test_a_board_learns_key_for_key_as_this_computer_does(device: Device) -> None:
    assert device.identity.memory_bytes == load_board(device.identity.board).user_memory_bytes
    host = HostEngine(tiny_word_model(), device.identity.memory_bytes)
    for words in [*tiny_lines()[:60], STRANGE]:  # fills the smallest memory, so that its oldest bytes go
        for engine in (device, host):
            engine.feed(" ".join(words) + "\n")
    lines = [STRANGE, *tiny_lines()[57:59], STRANGE]
    typed = [[type_words(engine, words, 3) for words in lines] for engine in (device, host)]
    assert typed[0] == typed[1]
    assert typed[0][0].kss > 40


def test_a_board_forgets_when_it_is_told_to_and_does_without_for_a_session(device: Device) -> None:
    device.feed("qwyjibo hut\n")
    assert device.feed("q", 3) == ["qwyjibo"]
    device.use_memory(False)
    assert device.suggest(3) == []
    device.feed("wyjibo qqqq\n")
    device.use_memory(True)
    assert device.feed("q", 3) == ["qwyjibo"]
    device.forget()
    assert device.suggest(3) == []


@pytest.mark.needs("cc")
def test_a_human_at_a_terminal_is_learned_from_at_each_enter_and_not_at_ctrl_u() -> None:
    typed = b"vhfzz \x15" + b"qwyjibo is late\r" + b"q\x15" + b"v"
    done = subprocess.run(
        [tiny_build("host") / "firmware.elf"], input=typed, capture_output=True, timeout=60, check=True
    )
    *_, after_q, after_clear, after_v = done.stdout.split(b"\033[J> ")[1:]
    assert b"1 qwyjibo" in after_q and b"vhfzz" not in after_v, (after_q, after_clear, after_v)


def test_every_board_says_what_its_user_memory_takes_of_the_ram() -> None:
    for name in board_names():
        board = load_board(name)
        assert board.user_memory_bytes == 0 or board.user_memory_bytes >= 128, name
        if board.memory:
            told = {usage.name: usage.ram_bytes for usage in predict_memory(board, 10_000, 500).groups}
            assert told["user memory"] == board.user_memory_bytes, name


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_model(tmp_path / "tiny-word", tiny_word_model())
    write_model(tmp_path / "tiny-ngram", tiny_ngram_model())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.needs("cc")
@pytest.mark.parametrize("kind", ["word", "ngram"])
def test_evaluate_types_each_text_as_another_user_with_and_without_learning(model: Path, kind: str) -> None:
    lines = "the qwyjibo is late\nthe qwyjibo is here\nwhere is the qwyjibo\n"
    (model / "one.txt").write_text(lines)
    (model / "two.txt").write_text(lines)
    told = json.loads(
        run_cli("evaluate", "one.txt", "two.txt", "-m", f"tiny-{kind}", "--learn", "--memory", "1K", "--json").out
    )
    plain = json.loads(run_cli("evaluate", "one.txt", "two.txt", "-m", f"tiny-{kind}", "--json").out)
    assert told["memory_bytes"] == 1024 and told["without_learning"] == plain["texts"]
    assert told["texts"]["one"] == told["texts"]["two"]
    assert told["gain"] == pytest.approx(told["mean_kss"] - plain["mean_kss"]) and told["gain"] > 10
    shown = run_cli("evaluate", "one.txt", "-m", f"tiny-{kind}", "--learn").out
    assert "learning in 4,096 bytes: +" in shown and f"{plain['texts']['one']['kss']:.2f}" in shown


@pytest.mark.needs("cc")
@pytest.mark.parametrize(
    ("memory", "said"), [("100", "128 to 65,535"), ("1M", "128 to 65,535"), ("some", "number of bytes")]
)
def test_a_memory_out_of_its_range_is_refused(model: Path, memory: str, said: str) -> None:
    (model / "one.txt").write_text("the hut\n")
    shown = run_cli("evaluate", "one.txt", "-m", "tiny-word", "--learn", "--memory", memory)
    assert shown.status == 1 and said in shown.err


@pytest.mark.needs("cc")
def test_type_learns_unless_it_is_told_not_to(model: Path) -> None:
    lines = b"qwyjibo\n" * 3
    learning, plain = (
        json.loads(run_cli("type", "--host", "-m", "tiny-word", "--json", *options, typed=lines).out)["lines"]
        for options in ((), ("--no-learn",))
    )
    assert [line["keys"] for line in plain] == [7, 7, 7]
    assert [line["keys"] for line in learning][0] == 7 and max(line["keys"] for line in learning[1:]) < 3


@pytest.mark.needs("cc")
def test_the_host_engine_refuses_a_memory_that_is_too_small() -> None:
    with pytest.raises(TinylmError, match="out of its range"):
        HostEngine(tiny_word_model(), 100)
