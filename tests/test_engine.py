"""The typing engine in C behaves as a plain Python model of it through whatever a person types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from predict_model import EngineModel, network_hash
from predict_rig import Probe, render_language

from tinylm.capitals import FIRST, write_word
from tinylm.lexicon import pack_lexicon

FRENCH = "'abcdeinostuyzéÿœ"
TYPED = list("abcdeinost'") * 3 + list("ABESTÉéŒœŸÿ\u2019\u2018.,-0 ") + ["  ", "\U0001f600", "\u3042", "×", "\u02bc"]
STEPS = st.one_of(
    st.tuples(st.just("feed"), st.text(st.sampled_from([c for c in TYPED if len(c) == 1]), min_size=1, max_size=8)),
    st.tuples(st.just("word"), st.integers(0, 999)),
    st.tuples(st.just("letters"), st.integers(0, 999)),
    st.tuples(st.just("letters"), st.integers(0, 999)),
    st.tuples(st.just("feed"), st.sampled_from([" ", " ", "n", "\n", "\b", "\x7f", "\r", "s" * 26, "'" * 5])),
    st.tuples(st.just("backspace"), st.integers(1, 12)),
    st.tuples(st.just("suggest"), st.integers(1, 5)),
    st.tuples(st.just("suggest"), st.integers(1, 5)),
    st.tuples(st.just("accept"), st.integers(0, 5)),
)


@st.composite
def engines(draw: st.DrawFn, kind: str) -> EngineModel:
    alphabet = draw(st.sampled_from((FRENCH, "'abcdeinost")))
    words: tuple[str, ...] = ()
    if kind == "word":
        listed = st.text(st.sampled_from(alphabet), min_size=1, max_size=draw(st.sampled_from((3, 6, 24))))
        words = tuple(sorted(draw(st.sets(listed, min_size=2, max_size=50))))
    levels = tuple(draw(st.lists(st.integers(0, 5), min_size=len(words), max_size=len(words))))
    spread, units = draw(st.sampled_from(((3, 1), (50, 10), (5000, 1000), (1 << 22, 2_000_000), (1 << 22, 3001))))
    top, level = draw(st.integers(-9000, 500)), draw(st.integers(0, 900))
    capitals = tuple(draw(st.lists(st.integers(0, 2), min_size=len(words), max_size=len(words))))
    return EngineModel(kind, alphabet, words, levels, top, level, units, spread, capitals=capitals)


def load(probe: Probe, model: EngineModel, block_words: int = 4) -> None:
    packed = pack_lexicon(model.words, model.levels, model.alphabet, block_words, model.capitals)
    answer = probe.load(packed, model.alphabet, model.kind, model.top, model.level, model.units, model.spread)
    assert answer == "0 0"


def take_step(probe: Probe, model: EngineModel, act: str, value: object) -> None:
    """Do one thing on both sides and compare what is answered and what the line then is."""
    if act == "letters":
        count = 1 + int(value) % 4  # type: ignore[call-overload]
        word = model.words[int(value) % len(model.words)] if model.words else "sea"  # type: ignore[call-overload]
        for letter in word[:5]:
            take_step(probe, model, "suggest", count)
            take_step(probe, model, "feed", letter)
        return
    if act == "word":
        act, value = "feed", model.words[value % len(model.words)] if model.words else "sea"  # type: ignore[operator]
    if act == "feed":
        probe.ask("feed", str(value).encode().hex())
        model.feed(str(value))
    elif act == "backspace":
        for _ in range(int(value)):  # type: ignore[call-overload]
            assert int(probe.ask("backspace")) == model.backspace()
    elif act == "accept":
        assert int(probe.ask("accept", value)) == model.accept(int(value))  # type: ignore[call-overload]
    else:
        count, *texts = probe.ask("suggest", value).split("\t")
        assert texts == model.suggest(int(value))  # type: ignore[call-overload]
        assert int(count) == len(texts) == len(set(texts))
    assert probe.ask("line") == model.line


@given(model=engines("word"), session=st.lists(STEPS, max_size=40))
@settings(deadline=None, max_examples=150)
def test_a_session_with_the_word_kind_goes_as_in_the_model(probe: Probe, model: EngineModel, session: list) -> None:
    load(probe, model)
    for act, value in [*session, ("suggest", 5)]:
        take_step(probe, model, act, value)


@given(model=engines("character"), session=st.lists(STEPS, max_size=25))
@settings(deadline=None, max_examples=60)
def test_a_session_with_the_character_kind_goes_as_in_the_model(
    probe: Probe, model: EngineModel, session: list
) -> None:
    load(probe, model)
    for act, value in [*session, ("suggest", 5)]:
        take_step(probe, model, act, value)


def test_accepting_a_word_typed_with_a_longer_apostrophe_follows_the_line_as_it_then_is(probe: Probe) -> None:
    model = EngineModel("character", FRENCH, (), (), 0, 0, 1000, 5000)
    load(probe, model)
    typing = [("feed", "on a\u2019"), ("suggest", 3), ("accept", 1), ("suggest", 3), ("backspace", 2), ("suggest", 5)]
    for act, value in typing:
        take_step(probe, model, act, value)


SMALL = EngineModel("word", "'abcdeinost", ("a", "sea", "seat", "so"), (0, 0, 2, 0), -3000, 500, 1000, 5000)


@given(noise=st.binary(max_size=80))
@settings(deadline=None, max_examples=150)
def test_bytes_that_are_no_text_leave_whole_characters_in_the_line(probe: Probe, noise: bytes) -> None:
    load(probe, SMALL)
    for byte in noise:
        probe.ask("feed", f"{byte:02x}")
        probe.ask("suggest", 3)
    probe.ask("feed", "0a" + b"se".hex())
    assert set(probe.ask("suggest", 3).split("\t")[1:]) == {"sea", "seat"}


def test_upper_case_keeps_the_letters_as_typed(probe: Probe) -> None:
    load(probe, SMALL)
    expected = {"se": {"sea", "seat"}, "Se": {"Sea", "Seat"}, "SE": {"SEa", "SEat"}, "sE": {"sea", "seat"}}
    for typed, words in expected.items():
        probe.ask("feed", ("\n" + typed).encode().hex())
        assert set(probe.ask("suggest", 3).split("\t")[1:]) == words


def test_a_word_comes_in_its_capitals_however_its_beginning_is_typed(probe: Probe) -> None:
    load(probe, replace(SMALL, words=("a", "san", "sea", "so"), capitals=(1, 1, 2, 0), levels=(0, 0, 2, 0)))
    expected = {
        "": {"A", "San", "so"},
        "s": {"San", "SEA", "so"},
        "S": {"San", "SEA", "So"},
        "sA": {"San"},
        "SA": {"SAn"},
    }
    for typed, words in expected.items():
        probe.ask("feed", ("\n" + typed).encode().hex())
        assert set(probe.ask("suggest", 3).split("\t")[1:]) == words
    probe.ask("feed", b"\nse".hex())
    assert probe.ask("suggest", 1) == "1\tSEA"
    assert probe.ask("accept", 0) == "4" and probe.ask("line") == "SEA "
    # What follows is the same as after the word in lower case.
    after = probe.ask("suggest", 5)
    probe.ask("feed", b"\nsea ".hex())
    assert probe.ask("suggest", 5) == after


@pytest.mark.parametrize("start", range(0xDF, 0x180, 30))
def test_every_latin_letter_is_known_in_upper_case_and_has_its_capital(probe: Probe, start: int) -> None:
    lower = [chr(c) for c in range(start, min(start + 30, 0x180))]
    letters = [
        c for c in lower if c.islower() and c.upper().lower() == c and len(c.upper()) == 1 and c.upper() < "\u0180"
    ]
    if not letters:
        pytest.skip("no cased letters here")
    words = tuple(a + a for a in letters)
    load(probe, EngineModel("word", "".join(letters), words, (0,) * len(words), 0, 500, 1000, 5000))
    for letter in letters:
        probe.ask("feed", ("\n" + letter.upper()).encode().hex())
        assert probe.ask("suggest", 1) == f"1\t{letter.upper()}{letter}"
    load(
        probe,
        EngineModel("word", "".join(letters), words, (0,) * len(words), 0, 500, 1000, 5000, capitals=(2,) * len(words)),
    )
    for letter in letters:
        probe.ask("feed", ("\n" + letter).encode().hex())
        assert probe.ask("suggest", 1) == f"1\t{letter.upper() * 2}"


def test_a_letter_without_a_capital_stays_as_it_is(probe: Probe) -> None:
    letters = "'aßµ÷ĸŉſ\u0131"
    words = tuple(sorted(letter + "a" for letter in letters))
    load(probe, EngineModel("word", "".join(sorted(letters)), words, (0,) * 9, 0, 500, 1000, 5000, capitals=(2,) * 9))
    for letter in letters:
        if letter == "a":
            continue
        probe.ask("feed", ("\n" + letter).encode().hex())
        assert probe.ask("suggest", 1) == f"1\t{letter}A"


def test_the_capitals_of_python_and_c_agree_on_every_letter_that_an_alphabet_may_have(probe: Probe) -> None:
    letters = [chr(c) for c in range(0x61, 0x180) if chr(c).isalpha() and chr(c).lower() == chr(c)]
    for start in range(0, len(letters), 60):
        part = letters[start : start + 60]
        words = tuple(letter * 2 for letter in part)
        load(
            probe,
            EngineModel("word", "".join(part), words, (0,) * len(part), 0, 500, 1000, 5000, capitals=(1,) * len(part)),
        )
        for letter, word in zip(part, words):
            probe.ask("feed", ("\n" + letter).encode().hex())
            assert probe.ask("suggest", 1) == f"1\t{write_word(word, FIRST)}"


def test_the_self_test_takes_the_recorded_hash_and_no_other(probe: Probe) -> None:
    load(probe, SMALL)
    recorded = network_hash(rows=5, spread=5000)
    probe.ask("feed", b"sea ".hex())
    assert int(probe.ask("hash")) == recorded
    assert probe.ask("line") == ""
    assert int(probe.ask("selftest", recorded)) == 0
    assert int(probe.ask("selftest", recorded ^ 1)) == -4


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda b: b, "0 0"),
        (lambda b: b"TLM1" + b[4:], "-4 0"),  # with the lexicon of before
        (lambda b: b[:-1] + bytes([b[-1] ^ 1]), "0 -4"),
        (lambda b: b + b"\0", "-4 -4"),
        (lambda b: b[:12] + bytes([b[12] ^ 1]) + b[13:], "-4 0"),
    ],
)
def test_language_bytes_of_another_model_are_refused(
    probe: Probe, change: Callable[[bytes], bytes], answer: str
) -> None:
    packed = pack_lexicon(SMALL.words, SMALL.levels, SMALL.alphabet)
    assert probe.load(packed, SMALL.alphabet, language=change(render_language(packed, 7)[0])) == answer


def test_a_rank_or_count_out_of_range_is_refused(probe: Probe) -> None:
    load(probe, SMALL)
    assert probe.ask("suggest", 0) == probe.ask("suggest", 6) == "-1"
    assert probe.ask("accept", 0) == "-2"
    probe.ask("feed", b"s".hex())
    assert probe.ask("suggest", 2)[0] == "2"
    assert probe.ask("accept", 2) == "-1"
    probe.ask("feed", b"e".hex())
    assert probe.ask("accept", 0) == "-2"
