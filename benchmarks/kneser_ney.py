"""A word trigram with Kneser-Ney smoothing, pruned to a number of bytes. Knows counts and the size formula; no files.

    lines -> EncodedText -> Counts (per number of words) -> Trigram (per budget) -> TrigramEngine

Size by formula, without tables or pointers, so rather too small than too large: a word list front-coded at 5 bits for
each letter that differs from the word before and 5 more a word, 3 bits a word for its level; log2(words) + 3 bits an
entry (a word pair or triple). Probabilities stay floating point, as if 3 bits held them without loss.

Two ways to choose the entries: the commonest (`count`), or those whose count times the logarithm of what they add to
their probability is largest (`gain`: the weighted difference of Seymore & Rosenfeld 1996).
"""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tinylm.model import BOUNDARY_ROW, FIRST_WORD_ROW, MAX_WORD_LETTERS, UNKNOWN_ROW

PRUNINGS = ("count", "gain")
LETTER_BITS, LEVEL_BITS, PROBABILITY_BITS = 5, 3, 3


@dataclass(frozen=True)
class EncodedText:
    """A text as numbers: 0 starts a line, 1 + i is words[i]; `words` from the commonest on."""

    tokens: np.ndarray  # int32 [n]
    words: tuple[str, ...]


def encode_text(lines: Iterable[Sequence[str]]) -> EncodedText:
    """Number the words of all lines, commonest first, ties by spelling."""
    first_ids: dict[str, int] = {}
    chunks: list[np.ndarray] = []
    ids: list[int] = []
    for words in lines:
        ids.append(0)
        ids.extend([first_ids.setdefault(w, len(first_ids) + 1) for w in words])
        if len(ids) > 1_000_000:
            chunks.append(np.array(ids, np.int32))
            ids = []
    tokens = np.concatenate([*chunks, np.array(ids, np.int32)])
    counts = np.bincount(tokens, minlength=len(first_ids) + 1)
    spelled = list(first_ids)
    ranked = sorted(range(len(spelled)), key=lambda i: (-counts[i + 1], spelled[i]))
    new_ids = np.zeros(len(spelled) + 1, np.int32)
    new_ids[np.array(ranked, np.int64) + 1] = np.arange(1, len(spelled) + 1)
    return EncodedText(new_ids[tokens], tuple(spelled[i] for i in ranked))


@dataclass(frozen=True)
class Counts:
    """Pairs and triples that end in a word of the vocabulary, and what Kneser-Ney makes of them.

    Rows as in DESIGN.md: 0 line boundary, 1 unknown, 2 + i the i-th of `words` (sorted). With S = len(words) + 2 the
    key of a pair is b * S + c, of a triple (a * S + b) * S + c; keys are sorted. A triple's b is never the boundary.
    `pair_mass` and `triple_mass` are the discounted probabilities of c; what they leave goes to the shorter context.
    """

    words: tuple[str, ...]
    unigram: np.ndarray  # float64 [S], sums to one, rows 0 and 1 are zero
    pair_keys: np.ndarray
    pair_counts: np.ndarray
    pair_mass: np.ndarray
    triple_keys: np.ndarray
    triple_counts: np.ndarray
    triple_mass: np.ndarray


def count_text(text: EncodedText, vocabulary: int) -> Counts:
    """Count pairs and triples with the `vocabulary` commonest words; interpolated Kneser-Ney, one discount an order.

    A shorter context's counts are the number of different words seen before it (at the start of a line, where there is
    none, its plain count). Unknown words and line ends are context, never a suggestion, and cost no entry.
    """
    usable = [i for i, w in enumerate(text.words) if len(w) <= MAX_WORD_LETTERS and w.strip("'")][:vocabulary]
    chosen = sorted(usable, key=lambda i: text.words[i])
    rows = np.full(len(text.words) + 1, UNKNOWN_ROW, np.int64)
    rows[0] = BOUNDARY_ROW
    rows[np.array(chosen, np.int64) + 1] = np.arange(FIRST_WORD_ROW, FIRST_WORD_ROW + len(chosen))
    size = FIRST_WORD_ROW + len(chosen)
    ids = rows[text.tokens]

    pairs = ids[:-1] * size + ids[1:]
    is_word = ids[1:] >= FIRST_WORD_ROW
    pair_keys, pair_counts = np.unique(pairs[is_word], return_counts=True)
    whole = is_word[1:] & (ids[1:-1] != BOUNDARY_ROW)
    triple_keys, triple_counts = np.unique((ids[:-2] * (size * size) + pairs[1:])[whole], return_counts=True)

    before = np.bincount(np.searchsorted(pair_keys, triple_keys % (size * size)), minlength=len(pair_keys))
    starts_line = pair_keys < size
    continuations = np.where(starts_line, pair_counts, before)
    unigram = np.bincount(pair_keys % size, minlength=size).astype(np.float64)
    return Counts(
        tuple(text.words[i] for i in chosen),
        unigram / unigram.sum(),
        pair_keys,
        pair_counts,
        discount(pair_keys // size, continuations),
        triple_keys,
        triple_counts,
        discount(triple_keys // size, triple_counts),
    )


def discount(contexts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(count - D) / (sum of the context's counts), D = n1 / (n1 + 2 n2); `contexts` are sorted."""
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    taken = once / (once + 2 * twice) if once else 0.5
    _, place = np.unique(contexts, return_inverse=True)
    return np.maximum(counts - taken, 0.0) / np.bincount(place, weights=counts)[place]


def rank_entries(counts: Counts, pruning: str) -> np.ndarray:
    """Pairs (0..), then triples (from len(pair_keys) on), best first; of equals the lower first.

    `pruning`: "count", or "gain": count * nats that the entry adds to its probability.
    """
    if pruning == "count":
        return np.argsort(-np.concatenate([counts.pair_counts, counts.triple_counts]), kind="stable")
    size = len(counts.unigram)
    shorter = counts.unigram[counts.pair_keys % size]
    pair = _full_probability(counts.pair_keys // size, counts.pair_mass, shorter)
    in_triple = pair[np.searchsorted(counts.pair_keys, counts.triple_keys % (size * size))]
    triple = _full_probability(counts.triple_keys // size, counts.triple_mass, in_triple)
    gains = counts.pair_counts * np.log(pair / shorter), counts.triple_counts * np.log(triple / in_triple)
    return np.argsort(-np.concatenate(gains), kind="stable")


def _full_probability(contexts: np.ndarray, mass: np.ndarray, shorter: np.ndarray) -> np.ndarray:
    _, place = np.unique(contexts, return_inverse=True)
    return mass + (1.0 - np.bincount(place, weights=mass))[place] * shorter


def word_list_bits(words: Sequence[str]) -> int:
    """Bits of a sorted word list with its levels, by the formula above."""
    bits, before = 0, ""
    for word in words:
        shared = len(os.path.commonprefix((before, word)))
        bits += LETTER_BITS * (len(word) - shared + 1) + LEVEL_BITS
        before = word
    return bits


def entry_bits(words: int) -> float:
    """Bits of a pair or triple: its last word and its probability."""
    return math.log2(words) + PROBABILITY_BITS


@dataclass(frozen=True)
class Trigram:
    """A pruned model. What a context's entries leave of one goes to the shorter context, so all still sums to one."""

    words: tuple[str, ...]
    unigram: np.ndarray
    pair_keys: np.ndarray
    pair_mass: np.ndarray
    triple_keys: np.ndarray
    triple_mass: np.ndarray

    @property
    def language_bytes(self) -> int:
        """Size by the formula."""
        entries = len(self.pair_keys) + len(self.triple_keys)
        return math.ceil((word_list_bits(self.words) + entries * entry_bits(len(self.words))) / 8)

    def probabilities(self, before: int, last: int) -> np.ndarray:
        """P of every row after the rows `before last`, float64 [S]; `before` is ignored at the start of a line."""
        size = len(self.unigram)
        result = _interpolate(self.unigram, self.pair_keys, self.pair_mass, last)
        if last == BOUNDARY_ROW:
            return result
        return _interpolate(result, self.triple_keys, self.triple_mass, before * size + last)


def _interpolate(shorter: np.ndarray, keys: np.ndarray, mass: np.ndarray, context: int) -> np.ndarray:
    first, end = np.searchsorted(keys, (context * len(shorter), (context + 1) * len(shorter)))
    found = mass[first:end]
    result = shorter * (1.0 - found.sum())
    result[keys[first:end] - context * len(shorter)] += found
    return result


def prune(counts: Counts, budget: float, ranking: np.ndarray) -> Trigram:
    """Keep the best of `ranking` that fit `budget` bytes, none if the word list alone does not.

    A triple needs the pair that is its context, which is kept and paid for with it. (A context that ends in an unknown
    word is not paid for: under 1 % of the entries.)
    """
    room = int(max(0, (8 * budget - word_list_bits(counts.words)) / entry_bits(len(counts.words))))
    contexts = counts.triple_keys // len(counts.unigram)
    parents = np.minimum(np.searchsorted(counts.pair_keys, contexts), len(counts.pair_keys) - 1)
    parents[counts.pair_keys[parents] != contexts] = -1
    fits, too_many = 0, min(room, len(ranking)) + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if sum(map(len, _close(ranking[:middle], parents, len(counts.pair_keys)))) <= room:
            fits = middle
        else:
            too_many = middle
    two, three = _close(ranking[:fits], parents, len(counts.pair_keys))
    return Trigram(
        counts.words,
        counts.unigram,
        counts.pair_keys[two],
        counts.pair_mass[two],
        counts.triple_keys[three],
        counts.triple_mass[three],
    )


def _close(kept: np.ndarray, parents: np.ndarray, pairs: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices of the pairs and triples kept, with the pairs that the triples need."""
    three = np.sort(kept[kept >= pairs] - pairs)
    needed = parents[three]
    return np.unique(np.concatenate([kept[kept < pairs], needed[needed >= 0]])), three


class TrigramEngine:
    """tinylm.engine.Engine over a Trigram: the most probable words that go on from the prefix."""

    def __init__(self, model: Trigram) -> None:
        self.model = model
        self.row = {w: FIRST_WORD_ROW + i for i, w in enumerate(model.words)}
        self._known: dict[tuple[int, int, str, int], list[str]] = {}
        self._context: tuple[int, int] | None = None
        self._probabilities = model.unigram
        self._line, self._shown = "", [""]

    def reset(self) -> None:
        """Empty the line."""
        self._line = ""

    def feed(self, text: str) -> None:
        """Type characters."""
        self._line += text

    def backspace(self) -> None:
        """Take back one character."""
        self._line = self._line[:-1]

    def accept(self, rank: int) -> None:
        """Take a suggestion of the last `suggest`."""
        self._line = self._line[: self._line.rfind(" ") + 1] + self._shown[rank] + " "

    def suggest(self, count: int) -> list[str]:
        """The best `count` words for what is typed; ties go to the lower word."""
        *closed, prefix = self._line.split(" ")
        before, last = [BOUNDARY_ROW, BOUNDARY_ROW, *(self.row.get(w, UNKNOWN_ROW) for w in closed[-2:])][-2:]
        key = (before, last, prefix, count)
        if key not in self._known:
            self._known[key] = self._best(*key)
        self._shown = self._known[key]
        return self._shown

    def _best(self, before: int, last: int, prefix: str, count: int) -> list[str]:
        words = self.model.words
        first, end = bisect_left(words, prefix), bisect_left(words, prefix + "\x7f")
        first += first < end and words[first] == prefix
        if self._context != (before, last):
            self._context = before, last
            self._probabilities = self.model.probabilities(before, last)
        within = self._probabilities[FIRST_WORD_ROW + first : FIRST_WORD_ROW + end]
        if len(within) > count:
            least = np.partition(within, -count)[-count]
            places = np.flatnonzero(within >= least)
        else:
            places = np.arange(len(within))
        best = places[np.argsort(-within[places], kind="stable")[:count]]
        return [words[first + i] for i in best]
