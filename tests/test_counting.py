"""Counting: the same in every run, and in two emulators that count in different ways."""

from __future__ import annotations

import dataclasses

import pytest
from models import tiny_word_model

from tinylm.board import Board, load_board
from tinylm.counting import Counts, choose_counter, count_model
from tinylm.errors import TinylmError

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


@pytest.mark.needs("avr-gcc", "simavr")
def test_an_avr_tells_its_cycles() -> None:
    counts = count(load_board("arduino-mega"))
    assert counts.unit == "cycles" and set(counts.intervals) == NAMES
    assert 10 < counts.per_mac < 60 and not counts.profile


def test_a_computer_counts_nothing() -> None:
    with pytest.raises(TinylmError, match="No emulator of host counts"):
        choose_counter(load_board("host"))
