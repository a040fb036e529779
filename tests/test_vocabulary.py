"""Which words get a row, which the lexicon alone, and what a budget of bytes buys."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import random_network, tiny_lines

from tinylm.budget import network_bytes, parse_bytes, split_budget
from tinylm.corpus import ALPHABETS, ENGLISH_ALPHABET
from tinylm.errors import TinylmError
from tinylm.language import HEADER_BYTES, build_language
from tinylm.model import MAX_WORD_LETTERS, Model, ModelInfo
from tinylm.network import NetworkShape
from tinylm.vocabulary import LEVELS, choose_vocabulary, count_words, encode, letters_to_find

KB = 1024


def many_words(count: int) -> Counter[str]:
    """Different words of five letters, frequent ones first."""
    letters = ENGLISH_ALPHABET[1:]
    words = ("".join(letters[i // 26**k % 26] for k in (4, 3, 2, 1, 0)) for i in range(0, 197 * count, 197))
    return Counter({word: 1 + 1_000_000 // (i + 1) for i, word in enumerate(words)})


def test_the_commonest_words_get_rows_and_the_rest_levels_by_their_rarity() -> None:
    counts = Counter({"the": 1000, "cat": 100, "sat": 50, "on": 50, "mat": 5})
    vocabulary = choose_vocabulary(counts, rows=2, lexicon_words=10)
    assert vocabulary.words == ("cat", "mat", "on", "sat", "the")
    # ln(50/50) = 0 nats: level 1; ln(50/5) = 2.3 nats: 4.6 steps of half a nat further.
    assert dict(zip(vocabulary.words, vocabulary.levels)) == {"cat": 0, "the": 0, "on": 1, "sat": 1, "mat": 6}
    assert vocabulary.row_ids() == {"cat": 2, "the": 3}
    assert vocabulary.top_millinats == round(1000 * -0.7419)  # ln(50/105)
    assert encode(["the", "mat", "nothing"], vocabulary.row_ids()) == [3, 1, 1]


def test_words_that_save_more_keystrokes_go_into_the_lexicon_first() -> None:
    counts = Counter({"the": 1000, "yes": 90, "ab": 80, "really": 40, "maybe": 25})
    chosen = [choose_vocabulary(counts, rows=1, lexicon_words=words).words for words in (2, 3, 4, 5)]
    assert chosen == [
        ("really", "the"),  # four letters after the second, 160
        ("really", "the", "yes"),  # 90, and 75 for maybe
        ("maybe", "really", "the", "yes"),
        ("ab", "maybe", "really", "the", "yes"),
    ]
    assert choose_vocabulary(counts, rows=1, lexicon_words=3).top_millinats == round(1000 * math.log(90 / 235))


def test_a_word_is_found_when_three_commoner_ones_do_not_begin_so() -> None:
    words = ("the", "to", "that", "then", "tea", "a")
    assert letters_to_find(words, (9, 8, 7, 6, 5, 4)).tolist() == [0, 0, 0, 2, 2, 1]
    assert letters_to_find(("ab", "abc", "abd", "a"), (4, 3, 2, 1)).tolist() == [
        0,
        0,
        0,
        1,
    ]  # a: never, as all begin so


def test_words_too_long_or_of_apostrophes_are_left_out() -> None:
    counts = Counter({"a" * (MAX_WORD_LETTERS + 1): 9, "''": 9, "it's": 3, "on": 2})
    assert choose_vocabulary(counts, 10, 10).words == ("it's", "on")


@pytest.mark.parametrize(("counts", "says"), [({"yes": 7}, "only the word 'yes'"), ({"'": 3}, "no word at all")])
def test_fewer_than_two_words_are_refused(counts: dict, says: str) -> None:
    with pytest.raises(TinylmError, match=says):
        choose_vocabulary(Counter(counts), 10, 10)


@given(st.dictionaries(st.text("abc'", min_size=1, max_size=4), st.integers(1, 10**6), min_size=2), st.integers(1, 40))
def test_a_vocabulary_is_sorted_and_its_levels_are_in_range(counts: dict, rows: int) -> None:
    try:
        vocabulary = choose_vocabulary(Counter(counts), rows, 100)
    except TinylmError:
        return
    assert list(vocabulary.words) == sorted(set(vocabulary.words))
    assert all(0 <= level <= LEVELS for level in vocabulary.levels)
    assert vocabulary.levels.count(0) == min(rows, len(vocabulary.words))


def test_counting_forgets_rare_words_past_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinylm.vocabulary.MAX_COUNTED_WORDS", 100)
    lines = [["often"] * 3 + [f"w{i}"] for i in range(1000)]
    counts = count_words(lines)
    assert len(counts) <= 101 and counts["often"] == 3000


@pytest.mark.parametrize(
    ("text", "size"),
    [("256K", 256 * KB), ("1M", KB * KB), ("24576", 24576), ("24k", 24 * KB), ("1.5M", 1536 * KB), ("32 KiB", 32 * KB)],
)
def test_a_budget_is_read(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "lots", "K", "-5K", "1T", "7K", "17M", "0", "256 KK"])
def test_a_budget_that_is_none_or_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(TinylmError) as refused:
        parse_bytes(text)
    assert refused.value.hint


@pytest.mark.parametrize("kind, bits", [("word", 8), ("word", 4), ("mixture", 4)])
@pytest.mark.parametrize("budget", [24 * KB, 64 * KB, 256 * KB, 1024 * KB])
def test_a_split_keeps_to_its_budget_and_uses_it(budget: int, kind: str, bits: int) -> None:
    split = split_budget(kind, many_words(60_000), ENGLISH_ALPHABET, budget, bits)
    assert 0.95 * budget < split.language_bytes <= budget
    assert split.shape.rows == 2 + split.vocabulary.levels.count(0)


def test_a_lexicon_whose_first_words_are_long_is_filled_too() -> None:
    """Each pass takes the last one's bytes a word, which rise as the short words at the end go."""
    rng = np.random.default_rng(1)
    letters = np.array(list(ENGLISH_ALPHABET[1:]))
    long = Counter({"".join(word): 50 for word in rng.choice(letters, (5000, 20))})
    split = split_budget("mixture", many_words(60_000) + long, ENGLISH_ALPHABET, 64 * KB, 4)
    assert 0.9 * 0.47 * 64 * KB < split.lexicon_bytes < 0.47 * 64 * KB


def test_a_mixture_gives_each_of_its_parts_a_share() -> None:
    split = split_budget("mixture", many_words(60_000), ENGLISH_ALPHABET, 256 * KB, 4)
    assert (split.shape.rows, split.shape.embedding, split.shape.hidden) == (4000, 32, 128)
    parts = split.lexicon_bytes, split.network_bytes, split.ngram_bytes
    assert sum(parts) + 16 == 256 * KB and min(parts) > 0.2 * 256 * KB
    wide = NetworkShape("word", 0, 64, 256, 4)
    with pytest.raises(TinylmError, match="no room for an n-gram"):
        split_budget("mixture", many_words(60_000), ENGLISH_ALPHABET, 64 * KB, 4, wide)


@pytest.mark.parametrize("kind", ["word", "character", "mixture"])
@given(budget=st.integers(8 * KB, 200 * KB), words=st.integers(2, 3000))
@settings(deadline=None, max_examples=12)
def test_any_budget_gives_what_fits_or_a_refusal(kind: str, budget: int, words: int) -> None:
    try:
        split = split_budget(kind, many_words(words), ENGLISH_ALPHABET, budget, 8)
    except TinylmError as error:
        assert error.hint
        return
    assert split.language_bytes <= budget


def test_the_smallest_budget_still_buys_some_hundred_words() -> None:
    assert split_budget("word", many_words(5000), ENGLISH_ALPHABET, 8 * KB, 8).shape.rows > 100


@pytest.mark.parametrize(
    ("kind", "language", "bits"),
    [("word", "en", 8), ("word", "en", 4), ("character", "en", 8), ("character", "en", 4), ("character", "fr", 8)],
)
def test_the_estimate_is_close_to_the_blob_that_is_built(kind: str, language: str, bits: int) -> None:
    import numpy as np

    alphabet = ALPHABETS[language]
    split = split_budget(kind, count_words(list(line) for line in tiny_lines()), alphabet, 24 * KB, bits)
    rows = [list(range(1, split.shape.rows))] * 10
    frequency = np.arange(1.0, split.shape.rows + 1)
    info = ModelInfo("estimate", kind, language, "CC0-1.0", alphabet, top_millinats=split.vocabulary.top_millinats)
    model = Model(info, split.vocabulary.words, split.vocabulary.levels, random_network(split.shape, frequency, rows))
    real = len(build_language(model).content)
    # These random networks have layers without biases, which are not stored.
    assert 0.95 * split.language_bytes < real <= split.language_bytes + 100
    assert real <= 24 * KB


def test_network_bytes_count_weights_once() -> None:
    assert network_bytes(NetworkShape("word", 100, 8, 16)) == 800 + 384 + 768 + 128 + 100 + 2 * 72 + 768
    four_bits = NetworkShape("word", 100, 7, 16, 4)
    assert network_bytes(four_bits) == 400 + 3 * 64 + 3 * 128 + 56 + 100 + 2 * 71 + 768
    assert HEADER_BYTES == 16
