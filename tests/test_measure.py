"""Keystroke savings by the rule, on examples counted by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tinylm.measure import Tally, figures_of, probe_word, type_line, type_lines, type_word


class FakeEngine:
    """Offers the same ranked words for every context: those that start with what is typed and differ from it."""

    def __init__(self, ranked: Sequence[str]) -> None:
        self.ranked, self.line, self.offered = ranked, "", []

    def reset(self) -> None:
        self.line = ""

    def feed(self, text: str) -> None:
        self.line += text

    def backspace(self) -> None:
        assert self.line
        self.line = self.line[:-1]

    def accept(self, rank: int) -> None:
        typed = len(self.prefix)
        self.line = self.line[: len(self.line) - typed] + self.offered[rank] + " "

    def suggest(self, count: int) -> list[str]:
        self.offered = [w for w in self.ranked if w.startswith(self.prefix) and w != self.prefix][:count]
        return self.offered

    @property
    def prefix(self) -> str:
        return self.line.rpartition(" ")[2]


class Oracle(FakeEngine):
    """Always offers the word that comes."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(())
        self.words = words

    def suggest(self, count: int) -> list[str]:
        self.offered = [self.words[self.line.count(" ")]]
        return self.offered


def known(word: str) -> bool:
    return True


def keys(engine: FakeEngine, words: Sequence[str], shown: int = 3) -> int:
    return type_line(engine, words, shown, known, False).lines[0][1]


def test_a_useless_predictor_saves_nothing_and_costs_nothing() -> None:
    assert keys(FakeEngine(()), ["how", "are", "you"]) == len("how are you")


def test_a_perfect_predictor_costs_one_key_a_word() -> None:
    words = ["how", "are", "you"]
    assert keys(Oracle(words), words) == 3


def test_a_word_is_taken_as_soon_as_it_is_shown_and_brings_its_space() -> None:
    # Of the ranked words one is shown: 'the' at once (1 key); 'then' after 't', 'h', 'e' ('the' itself is typed: 4 keys);
    # 'cat' is never shown: 3 letters, no space at the line's end.
    engine = FakeEngine(["the", "then", "them"])
    assert type_word(engine, "the", False, 1) == 1
    assert engine.line == "the "
    assert type_word(engine, "then", False, 1) == 4
    assert engine.line == "the then "
    assert type_word(engine, "cat", True, 1) == 3
    assert engine.line == "the then cat"


def test_three_shown_words_are_looked_at_and_the_right_one_is_taken() -> None:
    engine = FakeEngine(["one", "two", "three", "four"])
    assert type_word(engine, "three", True, 3) == 1
    assert engine.line == "three "
    assert type_word(engine, "four", True, 3) == 2


def test_a_word_typed_to_its_end_costs_its_letters_and_a_space() -> None:
    engine = FakeEngine(["ab"])
    assert type_word(engine, "abc", False, 3) == 4
    assert engine.line == "abc "
    assert type_word(engine, "a", False, 3) == 2


def test_looking_after_each_letter_leaves_the_line_as_it_was() -> None:
    engine, tally = FakeEngine(["no", "now", "know", "known"]), Tally()
    engine.feed("i ")
    probe_word(engine, "known", tally)
    assert engine.line == "i "
    # Shown are no, now, know before a letter; know, known from 'k' on.
    assert tally.shown == {0: 0, 1: 1, 2: 1, 3: 1}
    assert tally.long_enough == {0: 1, 1: 1, 2: 1, 3: 1}
    probe_word(engine, "no", tally)
    assert engine.line == "i "
    assert tally.top1 == 1
    # 'no' has one place to look after a letter: a word typed whole is not looked for any more.
    assert tally.long_enough == {0: 2, 1: 2, 2: 1, 3: 1}


def test_the_figures_are_percentages_of_what_was_counted() -> None:
    engine = FakeEngine(["the", "cat"])
    tally = type_lines(engine, [["the", "cat"], ["dog"]], 3, {"the", "cat"}.__contains__)
    figures = figures_of(tally)
    # 'the cat': 2 keys of 7 characters; 'dog': 3 of 3.
    assert (figures.characters, figures.keystrokes, figures.lines, figures.words) == (10, 5, 2, 3)
    assert figures.kss == pytest.approx(50.0)
    assert figures.next_word_top1 == pytest.approx(100 / 3)
    assert figures.next_word_top3 == pytest.approx(200 / 3)
    assert figures.out_of_vocabulary == pytest.approx(100 / 3)
    assert figures.bits_per_character is None
    assert 0 <= figures.interval[0] <= figures.kss <= figures.interval[1] <= 100 * 5 / 7 + 1e-9
    assert figures_of(tally) == figures


def test_probing_changes_no_keystroke() -> None:
    lines = [["the", "cat", "then"], ["them"]]
    engines = FakeEngine(["the", "then", "them"]), FakeEngine(["the", "then", "them"])
    plain, probed = (type_lines(e, lines, 1, known, probe) for e, probe in zip(engines, (False, True)))
    assert plain.lines == probed.lines


def test_progress_is_told_after_each_line() -> None:
    told: list[int] = []
    type_lines(FakeEngine(()), [["a"], ["b"]], 3, known, False, told.append)
    assert told == [1, 2]
