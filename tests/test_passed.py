"""Words that were shown and not taken make room for others, and nothing else changes (docs/SPEC-passed.md)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from models import tiny_character_model, tiny_lines, tiny_mixture_model, tiny_ngram_model, tiny_word_model

from tinylm.engine import HostEngine
from tinylm.measure import Tally, probe_word, savings_of, type_lines

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import passed  # noqa: E402

pytestmark = pytest.mark.needs("cc")
KINDS = (tiny_word_model, tiny_character_model, tiny_ngram_model, tiny_mixture_model)


def lists_of(engine: passed.Engine, context: str, word: str) -> list[list[str]]:
    """What someone sees who types the word letter by letter."""
    engine.reset()
    engine.feed(context)
    lists = [engine.suggest(3)]
    for letter in word:
        engine.feed(letter)
        lists.append(engine.suggest(3))
    return lists


def saved(engine: passed.Engine) -> float:
    return savings_of(type_lines(engine, tiny_lines()[:60], 3, lambda _: True, probe=False).lines)


def test_who_looks_at_every_list_saves_more() -> None:
    engine = HostEngine(tiny_word_model())
    assert saved(engine) > saved(passed.Forgetful(engine)) + 0.2


@pytest.mark.parametrize("make", KINDS)
def test_each_kind_shows_other_words_and_nobody_who_looks_saves_less(make) -> None:  # noqa: ANN001
    engine = HostEngine(make())
    forgetful = passed.Forgetful(engine)
    words = [word for line in tiny_lines()[:20] for word in line]
    # The tiny character network spells words of one letter only; what it does with others, test_engine.py types.
    differ = any(lists_of(engine, "", word) != lists_of(forgetful, "", word) for word in words)
    assert differ == (engine.model.info.kind != "character")
    assert saved(engine) >= saved(forgetful)


def test_a_word_that_was_shown_and_not_taken_makes_room_for_another() -> None:
    engine = HostEngine(tiny_word_model())
    first, second = lists_of(engine, "we are at ", "t")
    engine.backspace()
    engine.feed("t")
    assert engine.suggest(3) == second, "the list before the letter was seen all the same"
    engine.reset()
    engine.feed("we are at t")
    unseen = engine.suggest(3)
    passed_over = set(first) & set(unseen)
    assert passed_over and second != unseen
    assert {word for word in unseen if word not in passed_over} <= set(second), "words that were not shown lose nothing"


def test_what_is_typed_at_once_or_without_asking_passes_over_nothing() -> None:
    engine = HostEngine(tiny_word_model())
    for word in ("the", "we're", "battery"):
        engine.reset()
        engine.feed("we are " + word[:2])
        at_once = engine.suggest(3)
        engine.reset()
        engine.feed("we are ")
        for letter in word[:2]:
            engine.feed(letter)
        assert engine.suggest(3) == at_once


@pytest.mark.parametrize("make", KINDS)
def test_taking_letters_back_takes_back_what_was_shown_since(make) -> None:  # noqa: ANN001
    engine = HostEngine(make())
    lists = lists_of(engine, "we are at ", "there")
    for end in (4, 2, 0):
        while len(lists) > end + 1:
            engine.backspace()
            lists.pop()
        assert engine.suggest(3) == lists[end]
        for letter in "nobody":
            engine.feed(letter)
            engine.suggest(5)
        for _ in "nobody":
            engine.backspace()
        assert engine.suggest(3) == lists[end]


def test_the_next_word_begins_afresh() -> None:
    engine = HostEngine(tiny_word_model())
    lists_of(engine, "we are at ", "the")
    engine.feed(" t")
    seen = engine.suggest(3)
    engine.reset()
    engine.feed("we are at the t")
    assert seen == engine.suggest(3)


def test_words_that_only_the_memory_has_are_passed_over_too() -> None:
    engine = HostEngine(tiny_word_model(), memory_bytes=512)
    for word in ("zorbly", "zorkel", "zormat", "zornik"):
        engine.feed(f"we {word}\nwe {word}\n")
    before, after = lists_of(engine, "we ", "z")
    assert "zorbly" not in before and after[0] == "zorbly"


def test_asking_for_scores_shows_nobody_a_word() -> None:
    engine, plain = HostEngine(tiny_word_model()), HostEngine(tiny_word_model())
    for each in (engine, plain):
        each.feed("we are at ")
    engine.scores()
    for each in (engine, plain):
        each.feed("t")
    assert engine.suggest(3) == plain.suggest(3)


def test_the_share_found_after_so_many_letters_is_of_lists_without_a_past() -> None:
    engine, tally, found = HostEngine(tiny_word_model()), Tally(), dict.fromkeys(range(4), 0)
    forgetful = passed.Forgetful(HostEngine(tiny_word_model()))
    for word in {word for line in tiny_lines()[:20] for word in line if len(word) > 3}:
        engine.reset()
        probe_word(engine, word, tally)
        for letters, words in enumerate(lists_of(forgetful, "", word[:3])):
            found[letters] += word in words
    assert tally.shown == found
