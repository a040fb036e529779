"""Counting: the same in every run, and in two emulators that count in different ways."""

from __future__ import annotations

import dataclasses

import pytest
from models import tiny_lines, tiny_word_model

from tinylm import bench
from tinylm.board import Board, load_board
from tinylm.catalogue import choose_folder
from tinylm.counting import Counts, choose_counter, count_model
from tinylm.errors import TinylmError
from tinylm.model import load_model

NAMES = {"step", "rows", "word", "letter 1", "letter 2", "letter 3"}
TEXTS = ("we need the ladder ",)
SLACK = 16  # instructions: QEMU's timer ticks every tenth, and its calibrating loop is no whole number of them


def only(board: Board, emulator: str) -> Board:
    return dataclasses.replace(board, emulators=tuple(e for e in board.emulators if e.name == emulator))


def count(board: Board) -> Counts:
    return count_model(tiny_word_model(), board, "gcc", TEXTS)


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_counts_are_the_same_twice_and_name_what_was_counted() -> None:
    first, second = (count(load_board("qemu-cortex-m4")) for _ in range(2))
    assert first == second and first.unit == "instructions" and first.emulator == "unicorn"
    assert set(first.intervals) == NAMES and all(taken > 0 for taken in first.intervals.values())
    assert 1 < first.per_mac < 40 and "tlm_dot_four" in first.profile


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn", "qemu-system-arm")
def test_a_timer_in_qemu_says_what_unicorn_counts() -> None:
    board = load_board("qemu-cortex-m4")
    timed, counted = count(only(board, "qemu")).intervals, count(only(board, "unicorn")).intervals
    assert set(timed) == NAMES
    assert all(abs(timed[name] - counted[name]) <= SLACK for name in NAMES), (timed, counted)


@pytest.mark.needs("xtensa-lx106-elf-gcc", "qemu-system-xtensa")
def test_an_xtensa_tells_its_instructions_by_its_own_counter() -> None:
    counts = count(load_board("qemu-xtensa-de212"))
    assert counts.unit == "instructions" and set(counts.intervals) == NAMES
    assert 1 < counts.per_mac < 40


@pytest.mark.needs("avr-gcc", "simavr")
def test_an_avr_tells_its_cycles() -> None:
    counts = count(load_board("arduino-mega"))
    assert counts.unit == "cycles" and set(counts.intervals) == NAMES
    assert 10 < counts.per_mac < 60 and not counts.profile


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_a_word_and_a_keystroke_of_a_shipped_mixture_cost_little_beside_its_network() -> None:
    """1.84 and 0.32 full passes (the step, and the scores of all rows), 590,436 and 102,266 instructions, with the model of then; 891,718
    and 190,123 before long sets were in groups."""
    counts = count_model(load_model(choose_folder("en-256k")), load_board("qemu-cortex-m4"), "gcc", bench.TEXTS)
    letters = [counts.intervals[f"letter {n}"] for n in (1, 2, 3)]
    assert counts.intervals["word"] < 2.1 * counts.whole_step, counts.intervals
    assert sum(letters) / 3 < 0.4 * counts.whole_step, counts.intervals


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_a_full_memory_is_read_once_a_suggestion_and_costs_little() -> None:
    """A pass over its 4,096 bytes: at most 20 instructions a byte after a letter, 40 where every word may follow."""
    board = load_board("qemu-cortex-m4")
    taught = [" ".join(words) for words in tiny_lines()] * 3
    assert sum(map(len, taught)) > 2.5 * board.user_memory_bytes
    counts = count_model(tiny_word_model(), board, "gcc", TEXTS, taught)
    learning = {name for name in counts.intervals if name.endswith(", learning")}
    assert set(counts.intervals) == NAMES | {"newline"} | learning and len(learning) == 4
    for name in learning:
        more = counts.intervals[name] - counts.intervals[name.partition(",")[0]]
        most = 40 if name.startswith("word") else 20
        assert 0 < more < most * board.user_memory_bytes, (name, more)


def test_a_computer_counts_nothing() -> None:
    with pytest.raises(TinylmError, match="No emulator of host counts"):
        choose_counter(load_board("host"))
