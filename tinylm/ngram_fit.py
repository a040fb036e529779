"""An n-gram for a budget: which words, which pairs and triples, at which costs. Knows counts and sizes; no files.

EncodedText -> number of words -> Counts -> entries that are worth their bits -> classes -> pack_ngram, until it fits
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinylm.errors import TinylmError
from tinylm.kneser_ney import Counts, EncodedText, count_text, gains_of, pruned
from tinylm.language import HEADER_BYTES
from tinylm.lexicon import pack_lexicon
from tinylm.model import FIRST_WORD_ROW, MAX_LEVEL, MAX_WORDS
from tinylm.ngram import (
    MOST_COST,
    PAIR_BOOKS,
    UNITS_PER_NAT,
    Ngram,
    PackedNgram,
    pack_ngram,
    pair_book,
    word_costs,
)
from tinylm.vocabulary import capitals_in_order, letters_to_find

MANY_BYTES = 512 * 1024  # from here on finer costs are worth more than more entries
PAIR_WEIGHT = 1.0  # of a pair in the quantizer: its probability to this power; only the likeliest are ever shown
WORDS_AT_24K, WORDS_POWER = 7000, 0.6  # so many words are best at 24 KB, 30,000 at 256 KB (docs/EXPERIMENTS.md)
# What an entry takes in the mean, bits: decides what is worth keeping, not what is counted.
PAIR_COST, TRIPLE_COST, CONTEXT_COST = 14.0, 9.0, 16.0
# Where there is room for few entries, those of words that are found anyhow are best left out (docs/EXPERIMENTS.md).
LETTER_ROOM = 8192
NUMBERS_BYTES = 24  # padding of the sections, model.ngram's header is not among the language bytes


@dataclass(frozen=True)
class EntriesFit:
    """The entries that a room holds, and how many they are."""

    packed: PackedNgram
    pairs: int
    triples: int


@dataclass(frozen=True)
class NgramFit:
    """A fitted n-gram with its words and their levels (1..MAX_LEVEL)."""

    words: tuple[str, ...]
    levels: tuple[int, ...]
    top_millinats: int
    level_millinats: int
    packed: PackedNgram
    lexicon_bytes: int
    pairs: int
    triples: int
    capitals: tuple[int, ...] = ()

    @property
    def ngram_bytes(self) -> int:
        """Its share of the language bytes."""
        return self.packed.size


def words_for(budget: int) -> int:
    """How many words suit a budget, where the text has as many."""
    return min(round(WORDS_AT_24K * (budget / 24_576) ** WORDS_POWER), MAX_WORDS - FIRST_WORD_ROW)


def class_bits(budget: int) -> tuple[int, int, int]:
    """Bits of the classes of pairs, triples and back-offs."""
    return (5, 5, 4) if budget >= MANY_BYTES else (3, 3, 2)


def fit_ngram(
    text: EncodedText,
    alphabet: str,
    budget: int,
    progress: Callable[[int, int], None] | None = None,
    capitals: Mapping[str, int] | None = None,
) -> NgramFit:
    """The n-gram of a text that fills `budget` language bytes as well as it can. `capitals`: of words that have any.

    Raises TinylmError when the text has fewer than two words, or the budget has no room for them.
    """
    lexicon = _choose_words(text, alphabet, budget, capitals or {})
    room = budget - HEADER_BYTES - NUMBERS_BYTES
    # What the entries leave to the words: those that will be kept, but for a few, so that levels need no second fit.
    order = rank_by_worth(lexicon.counts, room - lexicon.size)
    likely = select_entries(lexicon.counts, order[: _usual_entries(room - lexicon.size)])
    lexicon = replace(lexicon, probabilities=pruned(lexicon.counts, *likely).unigram)
    levels, top, step = lexicon.levels
    words = np.exp(-word_costs(levels, top, step) / UNITS_PER_NAT)
    fit = fit_entries(lexicon.counts, order, room - lexicon.size, class_bits(budget), progress, words)
    return NgramFit(
        lexicon.counts.words, levels, top, step, fit.packed, lexicon.size, fit.pairs, fit.triples, lexicon.capitals
    )


def fit_followers(counts: Counts, room: int, progress: Callable[[int, int], None] | None = None) -> EntriesFit:
    """The n-gram of a mixture in `room` language bytes.

    Raises TinylmError when there is no room for anything.
    """
    return fit_entries(counts, rank_by_worth(counts, room), room - NUMBERS_BYTES, class_bits(room), progress)


def _usual_entries(room: int) -> int:
    return int(8 * max(room, 0) / PAIR_COST)


def fit_entries(
    counts: Counts,
    order: np.ndarray,
    room: int,
    bits: tuple[int, int, int],
    progress: Callable[[int, int], None] | None = None,
    words: np.ndarray | None = None,
) -> EntriesFit:
    """As many entries as `room` bytes hold, the first ones of `order` (rank_by_worth).

    `words` [S - 2]: probabilities that they back off to; those of the counts when not given.
    """

    def packed(kept: int) -> EntriesFit:
        entries = select_entries(counts, order[:kept])
        left = pruned(counts, *entries)
        # A number that no word has follows nothing.
        shorter = np.maximum(left.unigram[FIRST_WORD_ROW:], 1e-12) if words is None else words
        return EntriesFit(pack_ngram(classify(left, *entries, shorter, bits)), *map(len, entries))

    return fill_room(len(order), room, packed, progress)[0]


def fill_room(
    most: int, room: int, packed: Callable[[int], EntriesFit], progress: Callable[[int, int], None] | None = None
) -> tuple[EntriesFit, int]:
    """The largest fit of the first `kept` of `most` entries that `room` bytes hold, nearly, and `kept`.

    Raises TinylmError when not even one fits.
    """
    kept, best = min(most, _usual_entries(room)), None
    low, high = 0, most + 1  # so many fit, so many do not
    for attempt in range(8):
        if progress:
            progress(attempt, 8)
        fit = packed(kept)
        size = fit.packed.size
        if size <= room:
            low, best = kept, fit
            if kept == most or size > 0.998 * room:
                break
        else:
            high = kept
        kept = min(max(int(kept * room / size * 0.999), low + 1), high - 1)
        if kept <= low:
            break
    if best is None:
        raise TinylmError(f"An n-gram has no room for anything in {max(0, room):,} bytes.", "Give a larger budget.")
    return best, low


@dataclass(frozen=True)
class _Lexicon:
    """The words of an n-gram: their counts, what each is worth alone (float64 [S]), and what that takes."""

    counts: Counts
    alphabet: str
    capitals: tuple[int, ...]
    probabilities: np.ndarray

    @functools.cached_property
    def levels(self) -> tuple[tuple[int, ...], int, int]:
        """As word_levels."""
        return word_levels(self.probabilities[FIRST_WORD_ROW:])

    @functools.cached_property
    def size(self) -> int:
        """Language bytes."""
        return pack_lexicon(self.counts.words, self.levels[0], self.alphabet, capitals=self.capitals).packed_bytes


def _choose_words(text: EncodedText, alphabet: str, budget: int, capitals: Mapping[str, int]) -> _Lexicon:
    """As many words as suit the budget (fewer where their lexicon would take more than 9 tenths of it)."""
    words = words_for(budget)
    while True:
        counts = count_text(text, words)
        if len(counts.words) < 2:
            raise TinylmError(
                f"The text has {len(counts.words)} words; at least two different ones are needed.",
                "Give a longer text.",
            )
        lexicon = _Lexicon(counts, alphabet, capitals_in_order(counts.words, capitals), counts.unigram)
        if lexicon.size <= 0.9 * (budget - HEADER_BYTES - NUMBERS_BYTES):
            return lexicon
        words = int(len(counts.words) * 0.8)


def word_levels(probabilities: np.ndarray) -> tuple[tuple[int, ...], int, int]:
    """Levels 1..MAX_LEVEL evenly between the commonest and the rarest word; the first one's cost and the step, millinats."""
    millinats = -1000 * np.log(probabilities)
    top = int(millinats.min())
    step = max(1, int(np.ceil((millinats.max() - top) / (MAX_LEVEL - 1))))
    levels = 1 + np.clip(np.round((millinats - top) / step), 0, MAX_LEVEL - 1).astype(int)
    return tuple(levels.tolist()), -top, step


def rank_by_worth(counts: Counts, room: int) -> np.ndarray:
    """Pairs (0..), then triples, as rank_gains has them, for entries of `room` bytes."""
    stake = stake_of(counts.numbers, counts.unigram, room)
    pair_gain, triple_gain = gains_of(counts)
    return rank_gains(counts.pair_keys, pair_gain, counts.triple_keys, triple_gain, stake)


def stake_of(numbers: Mapping[str, int], unigram: np.ndarray, room: int) -> np.ndarray:
    """How many keystrokes depend on an entry, by the number of its word, float64 [S]: the letters that the word takes to be found
    without it, and one more for each LETTER_ROOM of the entries' `room` in bytes. `unigram` [S]: chances of all numbers."""
    stake = np.full(len(unigram), room / LETTER_ROOM)
    rows = np.fromiter(numbers.values(), np.int64)
    stake[rows] += letters_to_find(tuple(numbers), unigram[rows])
    return stake


def rank_gains(
    pairs: np.ndarray, pair_gain: np.ndarray, triples: np.ndarray, triple_gain: np.ndarray, stake: np.ndarray
) -> np.ndarray:
    """Pairs (0..), then triples, those first that are worth most for their bits; of equals the lower first.

    Keys end in the word's number, below S. An entry is worth the nats that it adds to the text times the keystrokes at `stake` [S].
    A triple brings its context along: the triples of one context are taken as far as their mean worth rises, then one by one.
    """
    size = len(stake)
    of_pairs = pair_gain * stake[pairs % size] / PAIR_COST
    of_triples = _worth_in_contexts(triple_gain * stake[triples % size], triples // size)
    return np.argsort(-np.concatenate([of_pairs, of_triples]), kind="stable")


def _worth_in_contexts(gain: np.ndarray, contexts: np.ndarray) -> np.ndarray:
    """Nats a bit of triples; `contexts` are sorted."""
    if not len(gain):
        return gain
    order = np.lexsort((-gain, contexts))
    gains, grouped = gain[order], contexts[order]
    is_first = np.append(True, grouped[1:] != grouped[:-1])
    starts, group = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    place = np.arange(len(gains)) - starts[group]
    sums = np.cumsum(gains)
    sums -= (sums[starts] - gains[starts])[group]
    mean = sums / (CONTEXT_COST + TRIPLE_COST * (place + 1))
    best = np.maximum.reduceat(mean, starts)[group]
    peak = np.minimum.reduceat(np.where(mean >= best, place, len(gains)), starts)[group]
    worth = np.empty(len(gains))
    worth[order] = np.where(place <= peak, best, np.minimum(gains / TRIPLE_COST, best))
    return worth


def select_entries(counts: Counts, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices of the pairs and triples among `chosen`, with the pair of last word and follower that a triple needs."""
    pairs, size = len(counts.pair_keys), len(counts.unigram)
    three = np.sort(chosen[chosen >= pairs] - pairs)
    needed = np.searchsorted(counts.pair_keys, counts.triple_keys[three] % (size * size))
    return np.unique(np.concatenate([chosen[chosen < pairs], needed])), three


def classify(
    counts: Counts, two: np.ndarray, three: np.ndarray, words: np.ndarray, bits: tuple[int, int, int]
) -> Ngram:
    """Costs of the kept entries (indices of pairs, of triples) and back-offs, and the classes that hold them.

    `words` as for fit_entries.
    """
    size = len(counts.unigram)
    pair_keys, pair_mass = counts.pair_keys[two], counts.pair_mass[two]
    last = pair_keys // size
    contexts, place = np.unique(last, return_inverse=True)
    left = np.maximum(1.0 - np.bincount(place, pair_mass, len(contexts)), 1e-7)
    pair = pair_mass + left[place] * words[pair_keys % size - FIRST_WORD_ROW]

    before, middle, row = _split(counts.triple_keys[three], size)
    keys = (middle * size + before) * size + row
    order = np.argsort(keys, kind="stable")
    keys, mass = keys[order], counts.triple_mass[three][order]
    contexts3, place3 = np.unique(keys // size, return_inverse=True)
    left3 = np.maximum(1.0 - np.bincount(place3, mass, len(contexts3)), 1e-7)
    shorter = pair[np.searchsorted(pair_keys, (middle * size + row)[order])]
    triple = mass + left3[place3] * shorter

    errors = np.exp(-PAIR_WEIGHT / UNITS_PER_NAT * np.round(_costs(pair)))
    pair_classes, pair_books = quantize_pairs(pair, np.bincount(place)[place], bits[0], errors)
    triple_classes, triple_book = quantize_costs(triple, bits[1])
    backoffs, backoff_book = quantize_costs(left, bits[2])
    backoffs3, backoff_book3 = quantize_costs(left3, bits[2])
    books = (*pair_books, triple_book, backoff_book, backoff_book3)
    return Ngram(size, pair_keys, pair_classes, backoffs, keys, triple_classes, backoffs3, books)


def quantize_pairs(
    probabilities: np.ndarray, followers: np.ndarray, bits: int, errors: np.ndarray
) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """As quantize_costs, with a codebook for each `pair_book` of the number of `followers` of the pair's context."""
    book_of = np.array([pair_book(n) for n in range(1, int(followers.max(initial=1)) + 1)])[followers - 1]
    classes, books = np.zeros(len(probabilities), np.uint8), []
    for number in range(PAIR_BOOKS):
        inside = book_of == number
        classes[inside], book = quantize_costs(probabilities[inside], bits, errors[inside])
        books.append(book)
    return classes, books


def _split(keys: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return keys // (size * size), keys // size % size, keys % size


def _costs(probabilities: np.ndarray) -> np.ndarray:
    return np.clip(-UNITS_PER_NAT * np.log(np.maximum(probabilities, 1e-12)), 0, MOST_COST)


def quantize_costs(
    probabilities: np.ndarray, bits: int, errors: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[int, ...]]:
    """(class of each, cost of each class): Lloyd's quantizer of -log P in 16ths of a nat, 2^bits classes.

    `errors`: what one of each counts, 1 when not given.
    """
    costs = _costs(probabilities)
    values = np.arange(MOST_COST + 1)
    histogram = np.bincount(np.round(costs).astype(int), errors, MOST_COST + 1)
    total = np.cumsum(histogram)
    quantiles = (np.arange(1 << bits) + 0.5) / (1 << bits) * total[-1]
    book = np.searchsorted(total, quantiles).clip(0, MOST_COST).astype(float)
    for _ in range(40):
        nearest = np.abs(values[:, None] - book[None, :]).argmin(axis=1)
        weight = np.bincount(nearest, histogram, len(book))
        mean = np.bincount(nearest, histogram * values, len(book))
        book = np.sort(np.where(weight > 0, mean / np.maximum(weight, 1e-9), book))
    rounded = np.round(book).astype(int)
    classes = np.abs(costs[:, None] - rounded[None, :]).argmin(axis=1).astype(np.uint8)
    return classes, tuple(rounded.tolist())
