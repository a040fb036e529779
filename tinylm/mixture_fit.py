"""The n-gram of a mixture, fitted to what its network leaves: which entries, and what each adds. Knows no texts and no network.

Places -> gains of all pairs and triples -> as many as a room holds -> masses -> classes -> pack_ngram

After the numbers `before` and `last` a mixture gives a word

    P(word) = (chance + back(before, last) * pair(last, word) + triple(before, last, word)) / (1 + the sums of what is added)

with the network's chance. The masses `pair`, `triple` and `back` (0..1) are those that make the text likeliest (expectation maximization:
Dempster, Laird and Rubin 1977; the denominator as in Hunter and Lange 2004, "A tutorial on MM algorithms"). So an entry says how
much likelier than the network's chance its word is, and one that the network knows is worth nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tinylm.model import FIRST_WORD_ROW
from tinylm.ngram import PAIR_BOOKS, Ngram, pack_ngram
from tinylm.ngram_fit import NUMBERS_BYTES, EntriesFit, fill_room, quantize_costs, quantize_pairs, rank_gains, stake_of
from tinylm.training import TokenFile

SHARE = 2.0  # the largest mass: weight of the n-gram beside the network's 1 in model.json
MANY_PLACES = 1_000_000  # of a text: what it has but once or twice is left out
PAIR_BITS, TRIPLE_BITS, BACK_BITS = 4, 3, 2  # of classes
GAIN_ROUNDS, FIT_ROUNDS = 12, 25
DISCOUNT = 0.3  # of what a mass is counted from: an entry seen twice may never come again (0.2 and 1.2 are as good)
LEAST_BACK = 0.02
BACK_PRIOR = 2.0  # times, that a pair was seen as often as it says


@dataclass(frozen=True)
class Places:
    """A text as a network read it: at each place a word or a line's end. Numbers as in SPEC-mixture.md, below `size`.

    `before`, `last`, `word` int64 [n]: the numbers before and at the place, 0 before a line's start; `weight` [n]: how often the place
    is read; `chance` [n], above 0: the network's of that word there.
    """

    size: int
    before: np.ndarray
    last: np.ndarray
    word: np.ndarray
    weight: np.ndarray
    chance: np.ndarray

    def kept(self, which: np.ndarray) -> Places:
        """Those places only."""
        return Places(self.size, *(a[which] for a in (self.before, self.last, self.word, self.weight, self.chance)))

    @functools.cached_property
    def pairs(self) -> np.ndarray:
        """Key of the pair that ends at each place, as in Ngram."""
        return self.last * self.size + self.word

    @functools.cached_property
    def contexts(self) -> np.ndarray:
        """Key of the two numbers before each place."""
        return self.last * self.size + self.before

    @functools.cached_property
    def triples(self) -> np.ndarray:
        """Key of the triple that ends at each place."""
        return self.contexts * self.size + self.word


def places_of(text: TokenFile, chances: np.ndarray, size: int) -> Places:
    """The places of a text of numbers below `size` with their `chances` (reading.py)."""
    ids = np.asarray(text.ids, np.int64)
    before = np.append(0, ids[:-2])
    before[ids[:-1] == 0] = 0
    weights = np.repeat(text.weights, np.diff(np.append(text.starts, len(ids))))[:-1]
    return Places(size, before, ids[:-1], ids[1:], weights, chances).kept(chances > 0)


@dataclass(frozen=True)
class Entries:
    """Sorted keys of pairs and triples, as in Ngram."""

    pairs: np.ndarray
    triples: np.ndarray


@dataclass(frozen=True)
class Masses:
    """What was fitted, of each pair, triple and context of triples, float64.

    `gains`: nats that each pair, each triple adds to the text beside all others. `errors`: what 1 nat^2 off costs the text, of each
    pair, triple and context of triples.
    """

    pair: np.ndarray
    triple: np.ndarray
    back: np.ndarray
    gains: tuple[np.ndarray, np.ndarray]
    errors: tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class _Order:
    """Pairs or triples beside a text. `of` [entries]: the context of each. `entry`, `context` [places]: which is there; where none is,
    their number."""

    of: np.ndarray
    contexts: int
    entry: np.ndarray
    context: np.ndarray

    @classmethod
    def find(cls, keys: np.ndarray, size: int, entries: np.ndarray, contexts: np.ndarray) -> _Order:
        """Of sorted keys, in a text with these at its places."""
        there, of = np.unique(keys // size, return_inverse=True)
        return cls(of, len(there), _find(keys, entries), _find(there, contexts))

    def at_places(self, masses: np.ndarray) -> np.ndarray:
        """The mass of each place's entry."""
        return np.append(masses, 0.0)[self.entry]

    def sums_at_places(self, masses: np.ndarray) -> np.ndarray:
        """The sum over each place's context."""
        return np.append(np.bincount(self.of, masses, self.contexts), 0.0)[self.context]

    def of_entries(self, values: np.ndarray) -> np.ndarray:
        """The sum over each entry's places."""
        return np.bincount(self.entry, values, len(self.of) + 1)[:-1]

    def of_contexts(self, values: np.ndarray) -> np.ndarray:
        """The sum over each context's places."""
        return np.bincount(self.context, values, self.contexts + 1)[:-1]

    def masses(self, counts: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """Of each entry its places' `counts`, less the discount, for its context's `rates`."""
        return np.maximum(self.of_entries(counts) - DISCOUNT, 1e-9) / self.of_contexts(rates)[self.of]


def fit_masses(text: Places, entries: Entries, rounds: int) -> Masses:
    """The masses of `entries` after so many rounds from half of what was counted."""
    size = text.size
    text = text.kept(np.isin(text.last, entries.pairs // size))
    two = _Order.find(entries.pairs, size, text.pairs, text.last)
    three = _Order.find(entries.triples, size, text.triples, text.contexts)
    weight = text.weight
    pair, triple = (0.5 * order.of_entries(weight) / order.of_contexts(weight)[order.of] for order in (two, three))
    back = np.ones(three.contexts)
    for step in range(rounds + 1):
        kept = np.append(back, 1.0)[three.context]
        by_pair, by_triple = kept * two.at_places(pair), three.at_places(triple)
        if step == rounds:
            break
        each = weight / (text.chance + by_pair + by_triple)
        pair_sums = two.sums_at_places(pair)
        rate = weight / (1 + kept * pair_sums + three.sums_at_places(triple))
        backed, said = three.of_contexts(each * by_pair), three.of_contexts(rate * pair_sums)
        pair, triple = two.masses(each * by_pair, rate * kept), three.masses(each * by_triple, rate)
        back = np.clip((backed + BACK_PRIOR) / (said + BACK_PRIOR), LEAST_BACK, 1.0)
    added = (by_pair + by_triple) / (text.chance + by_pair + by_triple)
    error, is_triple = weight * added * (1 - added), three.entry < len(entries.triples)
    gains = (
        two.of_entries(weight * _gain(by_pair / (text.chance + by_triple))),
        three.of_entries(weight * _gain(by_triple / (text.chance + by_pair))),
    )
    errors = (
        two.of_entries(error * ~is_triple),
        three.of_entries(error),
        three.of_contexts(error * ~is_triple),
    )
    return Masses(pair, triple, back, gains, errors)


def _gain(odds: np.ndarray) -> np.ndarray:
    """Nats that a mass gives the word that it is for, less what it takes from all others."""
    return np.log1p(odds) - odds / (1 + odds)


def _find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Index of each wanted key among the sorted `keys`, their number where it is not there."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, len(keys))


def candidates(text: Places) -> Entries:
    """Every pair and triple of words, of a long text those that were seen three times; no triple without the pair that it ends in."""
    least = 3 if len(text.word) > MANY_PLACES else 0
    is_word = text.word >= FIRST_WORD_ROW

    def often(keys: np.ndarray, which: np.ndarray) -> np.ndarray:
        found, place = np.unique(keys[which], return_inverse=True)
        return found[np.bincount(place, text.weight[which], len(found)) >= least]

    pairs, triples = often(text.pairs, is_word), often(text.triples, is_word & (text.last > 0))
    return Entries(pairs, triples[_find(pairs, _ends_in(triples, text.size)) < len(pairs)])


def _ends_in(triples: np.ndarray, size: int) -> np.ndarray:
    """The pair that each triple ends in."""
    return triples // (size * size) * size + triples % size


def fit_beside(
    text: Places, numbers: Mapping[str, int], room: int, progress: Callable[[int, int], None] | None = None
) -> EntriesFit:
    """The n-gram of a mixture in `room` language bytes; its weight beside the network is SHARE.

    Raises TinylmError when there is no room for anything.
    """
    step = progress or (lambda *_: None)
    step(0, 4)
    found, size = candidates(text), text.size
    # A pair's worth is told before its triples take from it: most of them will not be there.
    pair_gain = fit_masses(text, Entries(found.pairs, found.triples[:0]), GAIN_ROUNDS).gains[0]
    step(1, 4)
    triple_gain = fit_masses(text, found, GAIN_ROUNDS).gains[1]
    step(2, 4)
    is_word = text.word >= FIRST_WORD_ROW
    said = np.bincount(text.word[is_word], text.weight[is_word], size)
    stake = stake_of(numbers, said / max(said.sum(), 1e-9), room)
    order = rank_gains(found.pairs, pair_gain, found.triples, triple_gain, stake)

    def first(kept: int) -> Entries:
        chosen = order[:kept]
        triples = found.triples[np.sort(chosen[chosen >= len(found.pairs)] - len(found.pairs))]
        return Entries(np.union1d(found.pairs[chosen[chosen < len(found.pairs)]], _ends_in(triples, size)), triples)

    def sized(kept: int) -> EntriesFit:  # how long a class's code is does not depend on the class
        entries = first(kept)
        return EntriesFit(pack_ngram(_unfitted(entries, size)), len(entries.pairs), len(entries.triples))

    fit, kept = fill_room(len(order), room - NUMBERS_BYTES, sized)
    step(3, 4)
    entries = first(kept)
    packed = pack_ngram(classify_masses(entries, fit_masses(text, entries, FIT_ROUNDS), size))
    return EntriesFit(packed, fit.pairs, fit.triples)


def _unfitted(entries: Entries, size: int) -> Ngram:
    """The entries, each of class 0."""
    of_pairs, of_triples = (len(np.unique(keys // size)) for keys in (entries.pairs, entries.triples))
    lengths = len(entries.pairs), of_pairs, len(entries.triples), of_triples
    pair, last, triple, context = (np.zeros(length, np.uint8) for length in lengths)
    books = tuple((0,) * (1 << width) for width in (*[PAIR_BITS] * PAIR_BOOKS, TRIPLE_BITS, BACK_BITS, BACK_BITS))
    return Ngram(size, entries.pairs, pair, last, entries.triples, triple, context, books)


def classify_masses(entries: Entries, masses: Masses, size: int) -> Ngram:
    """Classes of the masses, over SHARE, and their costs; an error counts as much as the text says.

    Nothing backs off to single words, so the classes of the back-off of one row say nothing.
    """
    unfitted = _unfitted(entries, size)
    lasts, followers = np.unique(entries.pairs // size, return_inverse=True, return_counts=True)[1:]
    pair_classes, pair_books = quantize_pairs(masses.pair / SHARE, followers[lasts], PAIR_BITS, masses.errors[0] + 1)
    _, context_of = np.unique(entries.triples // size, return_inverse=True)
    ends_in = masses.pair[_find(entries.pairs, _ends_in(entries.triples, size))]
    triple = masses.triple + masses.back[context_of] * ends_in
    triple_classes, triple_book = quantize_costs(triple / SHARE, TRIPLE_BITS, masses.errors[1] + 1)
    backs, back_book = quantize_costs(masses.back, BACK_BITS, masses.errors[2] + 1)
    return Ngram(
        size,
        entries.pairs,
        pair_classes,
        unfitted.pair_backoffs,
        entries.triples,
        triple_classes,
        backs,
        (*pair_books, triple_book, unfitted.codebooks[-2], back_book),
    )
