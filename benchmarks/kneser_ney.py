"""The bar's trigram: tinylm/kneser_ney.py's counts, pruned to a number of bytes by formula. Knows the formula; no files.

Size by formula, without tables or pointers, so rather too small than too large: a word list front-coded at 5 bits for
each letter that differs from the word before and 5 more a word, 3 bits a word for its level; log2(words) + 3 bits an
entry (a word pair or triple). Probabilities stay floating point, as if 3 bits held them without loss.
tinylm/ngram.py is the packed one.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinylm.kneser_ney import Counts
from tinylm.model import BOUNDARY_ROW, FIRST_WORD_ROW, UNKNOWN_ROW

LETTER_BITS, LEVEL_BITS, PROBABILITY_BITS = 5, 3, 3


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
