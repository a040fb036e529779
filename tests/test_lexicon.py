"""The packed lexicon: what is packed is read back by Python and by the device's C, and costs about two bytes a word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from predict_rig import Probe, build_probe

from tinylm.errors import TinylmError
from tinylm.huffman import MAX_CODE_BITS, build_code
from tinylm.lexicon import NO_LEVEL, pack_lexicon, unpack_lexicon
from tinylm.model import FIRST_WORD_ROW, UNKNOWN_ROW

ENGLISH = "'abcdefghijklmnopqrstuvwxyz"
ALPHABETS = ("a", "'ab", ENGLISH, "abcäöü", "".join(chr(0x430 + i) for i in range(32)) + "ёіўґ")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    from conftest import need

    need("cc")
    running = Probe(build_probe(tmp_path_factory.mktemp("probe")))
    yield running
    running.close()


@st.composite
def lexicons(draw: st.DrawFn) -> tuple[str, tuple[str, ...], tuple[int, ...], int, tuple[int, ...], bool]:
    alphabet = draw(st.sampled_from(ALPHABETS))
    stem = st.text(alphabet, max_size=5)
    word = st.builds(lambda a, b: (a + b)[:24], stem, st.text(alphabet, min_size=1, max_size=19))
    words = tuple(sorted(draw(st.sets(word, min_size=1, max_size=60))))
    highest = draw(st.sampled_from((0, 1, 15, 31)))
    levels = tuple(draw(st.lists(st.integers(0, highest), min_size=len(words), max_size=len(words))))
    capitals = tuple(draw(st.lists(st.integers(0, 2), min_size=len(words), max_size=len(words))))
    return alphabet, words, levels, draw(st.sampled_from((1, 2, 5, 64, 255))), capitals, draw(st.booleans())


def spell(word: str, alphabet: str) -> str:
    return "".join(f"{1 + alphabet.index(letter):02x}" for letter in word) or "-"


def row_at(levels: tuple[int, ...], index: int) -> int:
    return FIRST_WORD_ROW + levels[:index].count(0)


@given(lexicons())
@settings(deadline=None, max_examples=100)
def test_what_is_packed_is_unpacked(lexicon: tuple) -> None:
    alphabet, words, levels, block_words, capitals, is_fast = lexicon
    packed = pack_lexicon(words, levels, alphabet, block_words, capitals, is_fast)
    assert unpack_lexicon(packed, alphabet) == (words, levels, capitals)
    assert pack_lexicon(words, levels, alphabet, block_words, capitals, is_fast) == packed
    lower = (0,) * len(words)
    assert pack_lexicon(words, levels, alphabet, block_words) == pack_lexicon(
        words, levels, alphabet, block_words, lower, False
    )


@given(lexicon=lexicons())
@settings(deadline=None, max_examples=60)
def test_the_device_reads_the_same_words_in_order_and_by_index_and_by_row(probe: Probe, lexicon: tuple) -> None:
    alphabet, words, levels, block_words, capitals, is_fast = lexicon
    packed = pack_lexicon(words, levels, alphabet, block_words, capitals, is_fast)
    assert probe.load(packed, alphabet) == "0 0"
    lines = [
        f"{i} {row_at(levels, i)} {level} {high} {spell(w, alphabet)}"
        for i, (w, level, high) in enumerate(zip(words, levels, capitals))
    ]
    assert probe.ask("all") == "".join(line + "," for line in lines)
    for i, (word, level) in enumerate(zip(words, levels)):
        assert probe.ask("seek", i) == lines[i]
        assert int(probe.ask("row", spell(word, alphabet))) == (UNKNOWN_ROW if level else row_at(levels, i))
        assert int(probe.ask("number", spell(word, alphabet))) == FIRST_WORD_ROW + i
        if level == 0:
            assert probe.ask("seekrow", row_at(levels, i)) == lines[i]
        start = i - i % block_words
        lowest = min((n for n in levels[start : start + block_words] if n), default=NO_LEVEL)
        assert int(probe.ask("blocklevel", i)) == lowest
    for i in (*range(len(words) - 1, -1, -1), *range(0, len(words), 3)):  # wherever the cursor was before
        assert probe.ask("seek", i) == lines[i]


@given(lexicon=lexicons(), choices=st.lists(st.tuples(st.integers(0), st.integers(0, 24), st.booleans()), max_size=20))
@settings(deadline=None, max_examples=60)
def test_a_prefix_is_the_range_of_the_words_that_start_with_it(probe: Probe, lexicon: tuple, choices: list) -> None:
    alphabet, words, levels, block_words, capitals, is_fast = lexicon
    probe.load(pack_lexicon(words, levels, alphabet, block_words, capitals, is_fast), alphabet)
    for number, length, last in choices:
        prefix = words[number % len(words)][:length]
        prefix = prefix[:23] + alphabet[-1] if last else prefix
        inside = [i for i, word in enumerate(words) if word.startswith(prefix)]
        first = inside[0] if inside else sum(word < prefix for word in words)
        end = first + len(inside)
        level = levels[words.index(prefix)] if prefix in words else NO_LEVEL
        expected = f"{first} {end} {row_at(levels, first)} {row_at(levels, end)} {level}"
        assert probe.ask("range", spell(prefix, alphabet)) == expected
        if prefix and prefix not in words:
            assert int(probe.ask("row", spell(prefix, alphabet))) == UNKNOWN_ROW
            assert int(probe.ask("number", spell(prefix, alphabet))) == UNKNOWN_ROW


def test_a_lexicon_without_words_is_an_empty_range(probe: Probe) -> None:
    packed = pack_lexicon((), (), "ab")
    assert unpack_lexicon(packed, "ab") == ((), (), ())
    assert packed.packed_bytes == 0
    probe.load(packed, "ab")
    assert probe.ask("range", "01") == f"0 0 2 2 {NO_LEVEL}"
    assert int(probe.ask("row", "01")) == UNKNOWN_ROW


def test_the_example_in_the_specification_is_what_is_packed() -> None:
    text = (Path(__file__).parents[1] / "docs" / "SPEC-lexicon.md").read_text("utf-8").split("## An example")[1]
    shown: dict[str, bytes] = {}
    section = ""
    for name, value in re.findall(r"^ {4}(\w*) +((?:[0-9a-f]{2} +)+(?:\* 44)?)", text, re.MULTILINE):
        section = name or section
        again = 44 if "*" in value else 1
        *most, last = value.replace("* 44", "").split()
        shown[section] = shown.get(section, b"") + bytes.fromhex("".join(most) + last * again)
    packed = pack_lexicon(("a", "ab", "b"), (0, 3, 0), "ab")
    assert shown == {"index": packed.index, "codes": packed.codes, "stream": packed.stream}


@pytest.mark.parametrize("is_fast", [False, True])
def test_the_words_of_the_examples_take_less_than_three_bytes_each(probe: Probe, is_fast: bool) -> None:
    text = "".join(p.read_text("utf-8") for p in sorted(Path(__file__).parents[1].glob("examples/texts/en/*.txt")))
    counts = Counter(re.findall("[a-z']+", text.lower()))
    words = tuple(sorted(w for w in counts if len(w) <= 24))
    levels = tuple(0 if counts[w] > 3 else 4 - counts[w] for w in words)
    packed = pack_lexicon(words, levels, ENGLISH, is_fast=is_fast)
    assert len(words) > 1000 and unpack_lexicon(packed, ENGLISH)[0] == words
    assert packed.packed_bytes < 3 * len(words)
    probe.load(packed, ENGLISH)
    told = [line.split()[-1] for line in probe.ask("all").split(",")[:-1]]
    assert told == [spell(word, ENGLISH) for word in words]


@pytest.mark.parametrize(
    ("words", "levels", "alphabet", "says"),
    [
        (("b", "a"), (0, 0), "ab", "'a' comes after 'b'"),
        (("a", "a"), (0, 0), "ab", "not sorted"),
        (("ab",), (0, 1), "ab", "1 words and 2 levels"),
        (("abc",), (0,), "ab", "'abc' is not a word"),
        (("",), (0,), "ab", "'' is not a word"),
        (("a" * 25,), (0,), "ab", "1..24 letters"),
        (("a",), (32,), "ab", "level of 'a' is 32"),
        (("a",), (0,), "ba", "alphabet 'ba'"),
        (("a",), (0,), "", "alphabet ''"),
        (("\u3042",), (0,), "\u3042", "U+07FF"),
    ],
)
def test_a_list_that_cannot_be_packed_is_refused(words: tuple, levels: tuple, alphabet: str, says: str) -> None:
    with pytest.raises(TinylmError, match=re.escape(says)):
        pack_lexicon(words, levels, alphabet)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=65))
def test_a_code_word_is_never_longer_than_the_device_can_read_and_no_prefix_of_another(counts: list[int]) -> None:
    code = build_code(Counter(dict(enumerate(counts))))
    words = code.code_words()
    assert sorted(words) == list(range(len(counts)))
    assert all(bits <= MAX_CODE_BITS for _, bits in words.values())
    texts = sorted(f"{value:0{bits}b}" for value, bits in words.values() if bits)
    assert all(not b.startswith(a) for a, b in zip(texts, texts[1:]))


def test_counts_that_grow_like_fibonacci_still_give_code_words_of_16_bits() -> None:
    counts, a, b = Counter(), 1, 1
    for symbol in range(40):
        counts[symbol], a, b = a, b, a + b
    assert max(bits for _, bits in build_code(counts).code_words().values()) <= MAX_CODE_BITS
