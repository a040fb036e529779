"""Word pairs and triples of a text, and what Kneser-Ney makes of their counts. Knows counts; no bytes and no files.

    lines -> EncodedText -> Counts (per number of words) -> ngram_fit.py, or the size formula of benchmarks/kneser_ney.py

Interpolated Kneser-Ney (Kneser & Ney 1995; Chen & Goodman 1999), one discount an order. Two ways to rank the entries: the
commonest first (`count`), or those whose count times the logarithm of what they add to their probability is largest
(`gain`: the weighted difference of Seymore & Rosenfeld 1996).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinylm.model import BOUNDARY_ROW, FIRST_WORD_ROW, MAX_WORD_LETTERS, UNKNOWN_ROW

PRUNINGS = ("count", "gain")


@dataclass(frozen=True)
class EncodedText:
    """A text as numbers: 0 starts a line, 1 + i is words[i]; `words` in the order of their worth (encode_text)."""

    tokens: np.ndarray  # int32 [n]
    words: tuple[str, ...]


def encode_text(
    lines: Iterable[Sequence[str]], worth: Callable[[str, float], float] = lambda _, count: count
) -> EncodedText:
    """Number the words of all lines, those of most `worth` (of a word and its count) first, ties by spelling."""
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
    ranked = sorted(range(len(spelled)), key=lambda i: (-worth(spelled[i], counts[i + 1]), spelled[i]))
    new_ids = np.zeros(len(spelled) + 1, np.int32)
    new_ids[np.array(ranked, np.int64) + 1] = np.arange(1, len(spelled) + 1)
    return EncodedText(new_ids[tokens], tuple(spelled[i] for i in ranked))


@dataclass(frozen=True)
class Counts:
    """Pairs and triples that end in a word of the vocabulary, and what Kneser-Ney makes of them.

    Rows as in DESIGN.md: 0 line boundary, 1 unknown, 2 + i the i-th of `words` (sorted), S = len(words) + 2; or those of a
    mixture, which are more. The key of a pair is b * S + c, of a triple (a * S + b) * S + c; keys are sorted. A triple's b is
    never the boundary.
    `pair_mass` and `triple_mass` are the discounted probabilities of c; what they leave goes to the shorter context.
    """

    numbers: Mapping[str, int]  # row of each word
    unigram: np.ndarray  # float64 [S], sums to one, rows 0 and 1 are zero
    pair_keys: np.ndarray
    pair_counts: np.ndarray
    pair_mass: np.ndarray
    triple_keys: np.ndarray
    triple_counts: np.ndarray
    triple_mass: np.ndarray
    of_text: bool = True  # all entries of a text; else some were pruned before

    @property
    def words(self) -> tuple[str, ...]:
        """In the order of their rows in an n-gram alone: sorted."""
        return tuple(self.numbers)


def count_text(text: EncodedText, vocabulary: int) -> Counts:
    """Count pairs and triples with the first `vocabulary` words; interpolated Kneser-Ney, one discount an order.

    A shorter context's counts are the number of different words seen before it (at the start of a line, where there is
    none, its plain count). Unknown words and line ends are context, never a suggestion, and cost no entry.
    """
    usable = [i for i, w in enumerate(text.words) if len(w) <= MAX_WORD_LETTERS and w.strip("'")][:vocabulary]
    words = tuple(sorted(text.words[i] for i in usable))
    return count_numbered(text, {w: FIRST_WORD_ROW + i for i, w in enumerate(words)}, FIRST_WORD_ROW + len(words))


def count_numbered(text: EncodedText, numbers: Mapping[str, int], size: int) -> Counts:
    """As count_text, with the rows that `numbers` gives: FIRST_WORD_ROW..size - 1; any other word is the unknown one."""
    rows = np.array([BOUNDARY_ROW, *(numbers.get(word, UNKNOWN_ROW) for word in text.words)], np.int64)
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
        numbers,
        unigram / max(unigram.sum(), 1.0),
        pair_keys,
        pair_counts,
        discount(pair_keys // size, continuations),
        triple_keys,
        triple_counts,
        discount(triple_keys // size, triple_counts),
    )


def discount(contexts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(count - D) / (sum of the context's counts); `contexts` are sorted."""
    return _masses(contexts, counts, discount_of(counts))


def discount_of(counts: np.ndarray) -> float:
    """D = n1 / (n1 + 2 n2)."""
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    return once / (once + 2 * twice) if once else 0.5


def _masses(contexts: np.ndarray, counts: np.ndarray, taken: float) -> np.ndarray:
    _, place = np.unique(contexts, return_inverse=True)
    return np.maximum(counts - taken, 0.0) / np.bincount(place, weights=counts)[place]


def pruned(counts: Counts, two: np.ndarray, three: np.ndarray) -> Counts:
    """The same entries when only the pairs `two` and the triples `three` (indices) are kept: other pair masses and unigram.

    What a shorter context counts is what longer ones leave to it, so that sums over contexts stay those of the text: one (D of
    it, to be exact) of an entry that is kept, all of one that was pruned (the marginals of Kneser & Ney 1995, for the
    entries that are left: Siivola, Hirsimaki & Virpioja 2007). Taken for itself that is best where nearly all are pruned; the geometric
    mean with the counts before is good from 24 KB to 1 MB (docs/EXPERIMENTS.md).
    """
    if not counts.of_text:
        return counts
    size, pairs, triples = len(counts.unigram), counts.pair_keys, counts.triple_keys
    place = np.searchsorted(pairs, triples % (size * size))
    starts_line = pairs < size
    seen = np.where(starts_line, counts.pair_counts, np.bincount(place, minlength=len(pairs)))
    left3 = _left(counts.triple_counts, three, discount_of(counts.triple_counts))
    left = np.where(starts_line, counts.pair_counts, np.bincount(place, left3, len(pairs)))
    both = np.sqrt(seen * left)
    taken = discount_of(counts.pair_counts)
    unigram = np.sqrt(np.bincount(pairs % size, _left(both, two, taken), size) * counts.unigram)
    return replace(counts, unigram=unigram / max(unigram.sum(), 1e-12), pair_mass=_masses(pairs // size, both, taken))


def _left(counts: np.ndarray, kept: np.ndarray, taken: float) -> np.ndarray:
    """What of each entry's count goes to the shorter context."""
    left = counts.astype(np.float64)
    left[kept] = np.minimum(left[kept], taken)
    return left


def rank_entries(counts: Counts, pruning: str) -> np.ndarray:
    """Pairs (0..), then triples (from len(pair_keys) on), best first; of equals the lower first.

    `pruning`: "count", or "gain": count * nats that the entry adds to its probability.
    """
    if pruning == "count":
        return np.argsort(-np.concatenate([counts.pair_counts, counts.triple_counts]), kind="stable")
    return np.argsort(-np.concatenate(gains_of(counts)), kind="stable")


def gains_of(counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Of every pair and every triple: its count times the nats that it adds to its probability."""
    size = len(counts.unigram)
    shorter = counts.unigram[counts.pair_keys % size]
    pair = _full_probability(counts.pair_keys // size, counts.pair_mass, shorter)
    in_triple = pair[np.searchsorted(counts.pair_keys, counts.triple_keys % (size * size))]
    triple = _full_probability(counts.triple_keys // size, counts.triple_mass, in_triple)
    return counts.pair_counts * np.log(pair / shorter), counts.triple_counts * np.log(triple / in_triple)


def _full_probability(contexts: np.ndarray, mass: np.ndarray, shorter: np.ndarray) -> np.ndarray:
    _, place = np.unique(contexts, return_inverse=True)
    return mass + (1.0 - np.bincount(place, weights=mass))[place] * shorter
