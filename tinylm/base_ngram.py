"""The n-gram of a mixture that is fine-tuned: it talks along, and becomes counts beside those of another text. No bytes.

The text that it was counted on is not at hand; a follower's chance times how often its context is said is a count again. So
one fit (ngram_fit.py) weighs what the base knows against what the user wrote, and drops what the vocabulary or the room lost.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from tinylm.kneser_ney import Counts
from tinylm.model import BOUNDARY_ROW, FIRST_WORD_ROW, UNKNOWN_ROW
from tinylm.ngram import UNITS_PER_NAT, Followers, ReadNgram, parse_ngram, read_ngram

CONTEXTS_AT_HAND = 20_000  # whose followers are kept while it talks
NO_ROW = -1
USUAL_SHARE = 0.5  # of counted chances beside a network: held-out lines chose 0.35 to 0.7 for models that ship


@dataclass(frozen=True, eq=False)
class BaseNgram:
    """`model.ngram` and its weight beside the network's 1. It is read when it is first asked."""

    content: bytes
    share: float

    @functools.cached_property
    def ngram(self) -> ReadNgram:
        """Every entry, by number."""
        return read_ngram(parse_ngram(self.content))

    @functools.cached_property
    def _reach(self) -> functools._lru_cache_wrapper:
        return functools.lru_cache(CONTEXTS_AT_HAND)(self._followers)

    def _followers(self, context: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the followers, and the running sum of their chances times the share."""
        costs = self.ngram.followers(*context)
        chances = np.exp(np.fromiter(costs.values(), np.float64, len(costs)) / -UNITS_PER_NAT)
        return np.fromiter(costs, np.int64, len(costs)), self.share * np.cumsum(chances)

    def put_followers(self, before: np.ndarray, last: np.ndarray, drawn: np.ndarray, rng: np.random.Generator) -> None:
        """Put followers of two numbers into `drawn`, which the network drew, in as many lines as the mixture would."""
        contexts = zip(before.tolist(), last.tolist())
        for line, (context, chance) in enumerate(zip(contexts, rng.random(len(drawn)))):
            numbers, reach = self._reach(context if context in self.ngram.triples else (NO_ROW, context[1]))
            if len(reach) and chance * (1 + reach[-1]) < reach[-1]:
                drawn[line] = numbers[np.searchsorted(reach, chance * (1 + reach[-1]), side="right")]


@dataclass(frozen=True)
class CarriedNgram:
    """An n-gram on its way to the numbers of another vocabulary.

    `said`: how often each word is said in what stands for the base's text, `lines` and `words` long. `weight`: of a user's
    word beside one of that text.
    """

    base: BaseNgram
    spelled: Mapping[int, str]  # the word of each number of the base
    said: Mapping[str, float]
    words: float
    lines: int
    weight: float

    def join(self, own: Counts, numbers: Mapping[str, int]) -> Counts:
        """What the base and the user's text say together. `own` has the `numbers` of the new vocabulary."""
        ngram, size = self.base.ngram, len(own.unigram)
        moved, said = self._moved(numbers), self._said(numbers, size)
        unigram = said + self.weight * own.pair_counts.sum() * own.unigram
        unigram[:FIRST_WORD_ROW] = 0.0
        # What the base's entries add stays as it is; what the user's text counts is scaled to weigh as counts do.
        scale = min(1.0, USUAL_SHARE / self.base.share)
        unigram = scale * np.maximum(unigram / unigram.sum(), 1e-12)

        keys, chances = entries_of((((last,), f) for last, f in ngram.pairs.items()), moved, size)
        known = _Order(keys, chances, _masses(keys, chances, unigram[keys % size], size))
        users = _Order(own.pair_keys, self.weight * own.pair_counts, scale * own.pair_mass)
        pairs = _join(known, users, size, lambda last: said[last])
        left = 1 - _sums(pairs.keys // size, pairs.mass)
        pair = pairs.mass + left * unigram[pairs.keys % size]

        def said_together(contexts: np.ndarray) -> np.ndarray:  # of two rows that are no pair: as if by chance
            return said[contexts // size] * look_up(keys, chances, contexts, said[contexts % size] / self.words)

        keys3, chances3 = entries_of(ngram.triples.items(), moved, size)
        shorter = look_up(pairs.keys, pair, keys3 % (size * size), 0.0)
        known = _Order(keys3, chances3, _masses(keys3, chances3, shorter, size))
        users = _Order(own.triple_keys, self.weight * own.triple_counts, scale * own.triple_mass)
        triples = _join(known, users, size, said_together)
        unigram[:FIRST_WORD_ROW] = 0.0
        return Counts(
            own.numbers,
            unigram,
            pairs.keys,
            pairs.counts,
            pairs.mass,
            triples.keys,
            triples.counts,
            triples.mass,
            False,
        )

    def _moved(self, numbers: Mapping[str, int]) -> np.ndarray:
        """The new number of each of the base's, -1 where the word went away."""
        moved = np.full(self.base.ngram.rows, -1, np.int64)
        moved[[BOUNDARY_ROW, UNKNOWN_ROW]] = BOUNDARY_ROW, UNKNOWN_ROW
        for number, word in self.spelled.items():
            moved[number] = numbers.get(word, -1)
        return moved

    def _said(self, numbers: Mapping[str, int], size: int) -> np.ndarray:
        """How often each new number is said in the base's text, float64 [size]."""
        said = np.zeros(size)
        for word, number in numbers.items():
            said[number] = self.said.get(word, 0.0)
        said[BOUNDARY_ROW], said[UNKNOWN_ROW] = self.lines, max(0.0, self.words - said.sum())
        return said


@dataclass(frozen=True)
class _Order:
    """Pairs or triples as in Counts. Of the base `counts` are chances, as a context's count is not known here."""

    keys: np.ndarray
    counts: np.ndarray
    mass: np.ndarray


def entries_of(
    contexts: Iterable[tuple[tuple[int, ...], Followers]], moved: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Keys (sorted) and chances of the entries all of whose words have a new number: of numbers a, b, c it is (a * size + b) * size + c."""
    found = [(*context, row, cost) for context, followers in contexts for row, cost in followers.costs.items()]
    if not found:
        return np.zeros(0, np.int64), np.zeros(0)
    table = np.array(found, np.int64)
    rows = moved[table[:, :-1]]
    kept = (rows >= 0).all(axis=1)
    keys = rows[kept] @ (size ** np.arange(rows.shape[1])[::-1])
    order = np.argsort(keys)
    return keys[order], np.exp(table[kept, -1][order] / -UNITS_PER_NAT)


def _masses(keys: np.ndarray, chances: np.ndarray, shorter: np.ndarray, size: int) -> np.ndarray:
    """What of each chance is not the shorter context's: chance = mass + (1 - sum of masses) * shorter."""
    contexts = keys // size
    left = (1 - _sums(contexts, chances)) / np.maximum(1 - _sums(contexts, shorter), 1e-6)
    return np.maximum(chances - np.clip(left, 0, 1) * shorter, 0)


def _sums(contexts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each entry the sum over its context."""
    _, place = np.unique(contexts, return_inverse=True)
    return np.bincount(place, values)[place]


def look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, otherwise: np.ndarray | float) -> np.ndarray:
    """The value of each wanted key."""
    if not len(keys):
        return np.broadcast_to(otherwise, wanted.shape)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], otherwise)


def _join(known: _Order, users: _Order, size: int, said: Callable[[np.ndarray], np.ndarray]) -> _Order:
    """Both, each context's masses weighted by how often base (`said`) and user said it."""
    keys = np.union1d(known.keys, users.keys)
    old, new = np.searchsorted(keys, known.keys), np.searchsorted(keys, users.keys)
    contexts, counts, mass, told = keys // size, *np.zeros((3, len(keys)))
    told[new] = users.counts
    known_total, user_total = said(contexts), _sums(contexts, told)
    part = user_total / np.maximum(known_total + user_total, 1e-9)
    counts[old] = known.counts * known_total[old]
    mass[old] = (1 - part[old]) * known.mass
    mass[new] += part[new] * users.mass
    return _Order(keys, counts + told, mass)
