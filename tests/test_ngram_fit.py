"""An n-gram fitted to a budget: within it, of the likeliest entries, at costs near to what was counted."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from models import tiny_lines

from tinylm.corpus import ENGLISH_ALPHABET
from tinylm.errors import TinylmError
from tinylm.kneser_ney import Counts, count_text, discount_of, encode_text, pruned, rank_entries
from tinylm.language import build_language
from tinylm.lexicon import pack_lexicon
from tinylm.model import MAX_LEVEL, Model, ModelInfo
from tinylm.ngram import MOST_COST, pack_ngram, read_ngram, word_costs
from tinylm.ngram_fit import (
    classify,
    fit_ngram,
    quantize_costs,
    rank_by_worth,
    select_entries,
    word_levels,
    words_for,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from kneser_ney import prune  # noqa: E402

TEXT = encode_text(tiny_lines())


@pytest.mark.parametrize("budget", [3000, 3300, 4000, 8192])
def test_the_language_bytes_fill_the_budget_and_never_pass_it(budget: int) -> None:
    fit = fit_ngram(TEXT, ENGLISH_ALPHABET, budget)
    info = ModelInfo("x", "ngram", "en", "CC0-1.0", ENGLISH_ALPHABET, fit.level_millinats, fit.top_millinats)
    language = build_language(Model(info, fit.words, fit.levels, b"", fit.packed.render()))
    assert len(language.content) <= budget
    assert fit.lexicon_bytes == pack_lexicon(fit.words, fit.levels, ENGLISH_ALPHABET).packed_bytes
    found = read_ngram(fit.packed)
    assert sum(len(f.costs) for f in found.pairs.values()) == fit.pairs
    assert sum(len(f.costs) for f in found.triples.values()) == fit.triples
    counts = count_text(TEXT, 10**6)
    everything = len(counts.pair_keys) + len(counts.triple_keys)
    assert len(language.content) > 0.95 * budget or fit.pairs + fit.triples == everything


def test_the_same_text_gives_the_same_bytes() -> None:
    assert fit_ngram(TEXT, ENGLISH_ALPHABET, 3300) == fit_ngram(TEXT, ENGLISH_ALPHABET, 3300)


@pytest.mark.parametrize("lines", [[], [["a"]], [["a"], ["a"]]])
def test_a_text_of_fewer_than_two_words_is_refused(lines: list) -> None:
    with pytest.raises(TinylmError, match="at least two different ones"):
        fit_ngram(encode_text([["'"], *lines]), ENGLISH_ALPHABET, 8192)


def test_two_words_are_enough() -> None:
    fit = fit_ngram(encode_text([["a", "b"]]), ENGLISH_ALPHABET, 8192)
    assert fit.words == ("a", "b") and fit.pairs == 2


def test_a_triple_never_stands_without_the_pair_it_ends_in() -> None:
    counts = count_text(TEXT, 300)
    order = rank_by_worth(counts, 8192)
    assert sorted(order) == list(range(len(counts.pair_keys) + len(counts.triple_keys)))
    size = len(counts.unigram)
    for kept in (0, 1, 50, 400, len(order)):
        two, three = select_entries(counts, order[:kept])
        pairs = set(counts.pair_keys[two].tolist())
        assert all(int(key) % (size * size) in pairs for key in counts.triple_keys[three])


def test_entries_that_add_more_come_first() -> None:
    lines = [["red", "apple"]] * 30 + [["red", "pear"]] + [["green", "apple"], ["pear", "green"]] * 3
    counts = count_text(encode_text(lines), 10)
    first = int(rank_by_worth(counts, 8192)[0])
    size, row = len(counts.unigram), {w: 2 + i for i, w in enumerate(counts.words)}
    context, follower = divmod(int(counts.pair_keys[first]), size)
    assert (context, follower) == (0, row["red"]) or (context, follower) == (row["red"], row["apple"])


def test_where_there_is_little_room_entries_of_words_that_are_found_anyhow_come_later() -> None:
    """`the` is in every first list, `xylophone` only after two letters."""
    others = [[word] for word in ("the", "xa", "xb", "xc", "a", "b", "c") for _ in range(60)]
    counts = count_text(encode_text([["of", "the"]] * 200 + [["my", "xylophone"]] * 2 + others), 30)
    size, row = len(counts.unigram), counts.numbers
    common, rare = (
        int(np.searchsorted(counts.pair_keys, row[last] * size + row[word]))
        for last, word in (("of", "the"), ("my", "xylophone"))
    )
    little, much = (rank_by_worth(counts, room).tolist() for room in (64, 8192))
    assert little.index(rare) < little.index(common) and much.index(common) < much.index(rare)


def test_costs_are_those_of_the_interpolated_probabilities() -> None:
    """With everything kept, eight bits a class and a step of a 16th, what benchmarks/kneser_ney.py computes."""
    counts = count_text(TEXT, 10**6)
    levels, top, step = word_levels(counts.unigram[2:])
    costs = word_costs(levels, top, step)
    exact = -16 * np.log(counts.unigram[2:])
    assert np.abs(costs - exact).max() <= 16 * step / 1000 / 2 + 2
    two, three = np.arange(len(counts.pair_keys)), np.arange(len(counts.triple_keys))
    ngram = classify(counts, two, three, np.exp(-costs / 16), (8, 8, 8))
    assert len(ngram.pair_backoffs) == len(np.unique(counts.pair_keys // len(counts.unigram)))
    size = len(counts.unigram)
    middle, before, row = (
        counts.triple_keys // size % size,
        counts.triple_keys // (size * size),
        counts.triple_keys % size,
    )
    assert ngram.triple_keys.tolist() == sorted(((middle * size + before) * size + row).tolist())
    formula = prune(counts, 10**7, rank_entries(counts, "gain"))
    packed = read_ngram(pack_ngram(ngram))
    rng = np.random.default_rng(2)
    for key in rng.choice(counts.triple_keys, 60).tolist():
        a, b = key // (size * size), key // size % size
        wanted = -16 * np.log(formula.probabilities(a, b)[2:])
        found = packed.costs(a, b, costs)[2:]
        assert np.abs(np.minimum(found, 200) - np.minimum(wanted, 200)).max() <= 8


def test_what_is_pruned_goes_to_the_shorter_context_and_what_is_kept_leaves_a_discount() -> None:
    """Of a text whose entries are all pruned, or all kept; the geometric mean with what Kneser-Ney counts."""
    counts = count_text(TEXT, 300)
    size, none = len(counts.unigram), np.array([], np.int64)
    word, is_within = counts.pair_keys % size, counts.pair_keys >= size
    nothing_kept = pruned(counts, none, none)
    different = np.where(
        is_within, np.bincount(np.searchsorted(counts.pair_keys, counts.triple_keys % (size * size))), 1
    )
    both = np.sqrt(counts.pair_counts * np.where(is_within, different, counts.pair_counts))
    wanted = np.sqrt(np.bincount(word, both, size) * counts.unigram)
    assert np.allclose(nothing_kept.unigram, wanted / wanted.sum())
    everything = pruned(counts, np.arange(len(word)), np.arange(len(counts.triple_keys)))
    taken = min(1.0, discount_of(counts.pair_counts))
    wanted = np.sqrt(np.bincount(word, np.minimum(taken, everything_left(counts)), size) * counts.unigram)
    assert np.allclose(everything.unigram, wanted / wanted.sum())


def everything_left(counts: Counts) -> np.ndarray:
    """Pair counts with every triple kept: each leaves its discount."""
    size = len(counts.unigram)
    place = np.searchsorted(counts.pair_keys, counts.triple_keys % (size * size))
    seen = np.bincount(place, minlength=len(counts.pair_keys))
    left = seen * min(1.0, discount_of(counts.triple_counts))
    starts = counts.pair_keys < size
    return np.sqrt(np.where(starts, counts.pair_counts, seen) * np.where(starts, counts.pair_counts, left))


def test_levels_run_from_the_commonest_to_the_rarest_word() -> None:
    p = np.array([0.5, 0.25, 0.2, 0.05])
    levels, top, step = word_levels(p)
    assert levels[0] == 1 and levels[3] == MAX_LEVEL and list(levels) == sorted(levels)
    assert top == -693 and step == 77
    assert word_levels(np.array([0.5, 0.5]))[0] == (1, 1)


def test_a_codebook_is_sorted_and_each_cost_has_its_nearest_class() -> None:
    rng = np.random.default_rng(3)
    p = np.exp(-rng.exponential(3, 500))
    for bits in (1, 3, 8):
        classes, book = quantize_costs(p, bits)
        assert len(book) == 1 << bits and list(book) == sorted(book) and 0 <= book[0] and book[-1] <= MOST_COST
        costs = np.clip(-16 * np.log(p), 0, MOST_COST)
        nearest = np.abs(costs[:, None] - np.array(book)[None, :]).min(axis=1)
        assert np.abs(costs - np.array(book)[classes]) == pytest.approx(nearest)
    assert len(quantize_costs(np.zeros(0), 3)[1]) == 8
    heavy = quantize_costs(p, 3, p)[1]
    assert heavy[3] < quantize_costs(p, 3)[1][3]


def test_more_bytes_buy_more_words() -> None:
    sizes = [words_for(budget) for budget in (8192, 24_576, 65_536, 262_144, 1 << 20, 1 << 24)]
    assert sizes == sorted(sizes) and sizes[1] == 7000 and sizes[-1] < 65_536
