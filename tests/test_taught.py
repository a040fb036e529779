"""The user's memory in C holds what its specification says, is used as a plain model of it says, and survives any bytes."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import test_ngram
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_model import MemoryModel, fnv
from predict_model import EngineModel
from predict_rig import Probe
from test_engine import SMALL, STEPS, engines, load, take_step

LEAST = 128
SIZES = st.sampled_from((LEAST, 150, 700))
LETTERS = "'abcdeinost"


WORDS = st.one_of(
    st.tuples(st.just("word"), st.integers(0, 7)),
    st.tuples(st.just("feed"), st.text(st.sampled_from("aest"), max_size=3)),
)
LINES = st.lists(st.lists(st.one_of(WORDS, WORDS, STEPS), max_size=8), max_size=12)


def take_lines(probe: Probe, model: EngineModel, lines: list) -> None:
    """Lines of a session; each word is finished, and suggestions are compared before and after its first letters."""
    for line in lines:
        for act, value in line:
            take_step(probe, model, act, value)
            take_step(probe, model, "suggest", 5)
            take_step(probe, model, "feed", " ")
            take_step(probe, model, "suggest", 3)
        take_step(probe, model, "feed", "\n")
    assert model.memory and bytes.fromhex(probe.ask("content"))[: len(model.memory.content())] == model.memory.content()


@given(model=engines("word"), size=SIZES, lines=LINES)
@settings(deadline=None, max_examples=150)
def test_the_word_kind_learns_as_the_model_does(probe: Probe, model: EngineModel, size: int, lines: list) -> None:
    load(probe, model)
    assert probe.ask("memory", size) == "0"
    model.learn(size)
    take_lines(probe, model, lines)


@given(model=engines("character"), size=SIZES, lines=LINES)
@settings(deadline=None, max_examples=50)
def test_the_character_kind_learns_as_the_model_does(probe: Probe, model: EngineModel, size: int, lines: list) -> None:
    load(probe, model)
    assert probe.ask("memory", size) == "0"
    model.learn(size)
    take_lines(probe, model, lines[:6])


@given(engine=test_ngram.engines(), size=SIZES, lines=LINES)
@settings(deadline=None, max_examples=100)
def test_the_n_gram_kind_learns_as_the_model_does(probe: Probe, engine: tuple, size: int, lines: list) -> None:
    model, ngram = engine
    test_ngram.load(probe, model, ngram)
    assert probe.ask("memory", size) == "0"
    model.learn(size)
    take_lines(probe, model, lines)


def small_memory(*lines: str, size: int = 200) -> MemoryModel:
    memory = MemoryModel(size, 7, SMALL.alphabet, SMALL.words, SMALL.rows)
    for line in lines:
        memory.learn(line.split())
    return memory


def open_memory(probe: Probe, content: bytes, size: int = 200) -> int:
    load(probe, SMALL)
    return int(probe.ask("memory", size, content.hex()))


def words_after(probe: Probe, line: str, count: int = 5) -> list[str]:
    probe.ask("feed", b"\n".hex())
    probe.ask("feed", line.encode().hex())
    return probe.ask("suggest", count).split("\t")[1:]


def test_a_word_that_no_lexicon_has_is_suggested_once_it_was_typed_in_a_finished_line(probe: Probe) -> None:
    assert open_memory(probe, b"") == 0
    probe.ask("feed", b"Dotted ".hex())
    assert probe.ask("suggest", 5).count("dotted") == 0
    assert words_after(probe, "do") == ["dotted"] and words_after(probe, "Do") == ["Dotted"]
    assert words_after(probe, "dottede") == []


def test_a_line_that_is_not_finished_is_not_learned(probe: Probe) -> None:
    open_memory(probe, b"")
    probe.ask("feed", b"dotted ".hex() + "08" * 7)
    assert words_after(probe, "do") == []


def test_a_memory_that_was_kept_is_used_when_it_is_opened_again(probe: Probe) -> None:
    kept = small_memory("dotted sea", "so dotted")
    assert open_memory(probe, kept.content()) == len(kept.lines)
    assert "dotted" in words_after(probe, "so ") and words_after(probe, "so d") == ["dotted"]
    probe.ask("forget")
    assert bytes.fromhex(probe.ask("content"))[10:] == bytes(190)
    assert probe.ask("suggest", 5) == "0"


@pytest.mark.parametrize("byte", range(4, 60, 7))
def test_a_memory_that_is_damaged_or_of_another_model_is_erased(probe: Probe, byte: int) -> None:
    content = bytearray(
        small_memory("dotted sea", "so dotted", "sea seat so a", "notes eat tea", "a sea is a sea").content()
    )
    assert len(content) > 60 and open_memory(probe, bytes(content)) > 0
    content[byte] ^= 0x10
    assert open_memory(probe, bytes(content)) == 0 and words_after(probe, "d") == []


def test_too_few_bytes_are_no_memory(probe: Probe) -> None:
    load(probe, SMALL)
    assert probe.ask("memory", LEAST - 1) == "-1"
    assert words_after(probe, "so\n") == words_after(probe, "")
    assert probe.ask("memory", LEAST) == "0"


@given(noise=st.one_of(st.binary(max_size=140), st.lists(st.sampled_from(b"\0\1\2\3\x0b\x0c\x0d\xfd\xfe\xff"), max_size=140)),
       lines=st.lists(st.sampled_from(("sea so", "dots", "s", "a a a", "nose on toes " * 3)), max_size=4),
       sealed=st.booleans())  # fmt: skip
@settings(deadline=None, max_examples=400)
def test_any_bytes_in_the_memory_are_harmless(probe: Probe, noise: bytes, lines: list, sealed: bool) -> None:
    """With a good header, and put in while the memory is used; the probe's sanitizers stop it at a read outside."""
    noise, size = bytes(noise), 150
    rest = (7).to_bytes(4, "little") + len(noise).to_bytes(2, "little") + noise
    content = fnv(rest).to_bytes(4, "little") + rest if sealed else small_memory("sea so a " * 20, size=size).content()
    assert open_memory(probe, content, size) == len(content) - 10
    if not sealed:
        probe.ask("poke", noise.hex())
    for line in lines:
        for end in range(len(line)):
            words_after(probe, line[:end])
        probe.ask("feed", (line + "\n").encode().hex())


def test_hostile_bytes_are_harmless_to_an_n_gram_too(probe: Probe) -> None:
    rng = random.Random(3)
    words = ("a", "sea", "seat", "so")
    packed = test_ngram.pack_ngram(test_ngram.make_ngram(6, 1, 1.0))
    model = EngineModel("ngram", LETTERS, words, (1, 2, 3, 4), -3000, 300, 0, 0)
    for _ in range(100):
        test_ngram.load(probe, model, packed)
        rest = (7).to_bytes(4, "little") + (140).to_bytes(2, "little") + rng.choices(
            (rng.randbytes(140), bytes(rng.choices(b"\0\1\2\3\4\5\x0c\x0d\x0e\xff", k=140)))
        )[0]  # fmt: skip
        assert probe.ask("memory", 150, (fnv(rest).to_bytes(4, "little") + rest).hex()) == "140"
        for line in ("", "s", "so ", "so s", "sea so a "):
            words_after(probe, line)


def test_the_example_in_the_specification_is_what_is_written(probe: Probe) -> None:
    text = (Path(__file__).parents[1] / "docs" / "SPEC-memory.md").read_text("utf-8").split("## An example")[1]
    shown = bytes.fromhex("".join(re.findall(r"^ {4}((?:[0-9a-f]{2} ?)+)", text, re.MULTILINE)))
    open_memory(probe, b"")
    probe.ask("feed", b"So dot a\nsea\n".hex())
    assert bytes.fromhex(probe.ask("content"))[: len(shown)] == shown == small_memory("so dot a", "sea").content()
