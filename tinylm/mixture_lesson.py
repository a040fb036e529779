"""What the n-gram of a mixture adds at each place of a text, for the loss of the network beside it. Trains nothing.

The loss of a place is -log (chance + mass), so what the n-gram tells already is not learned. That a mixture divides both by 1 and what it
adds in a context is left out: the network cannot change it.
"""

from __future__ import annotations

import functools

import numpy as np

from tinylm.base_ngram import BaseNgram, entries_of, look_up
from tinylm.mixture_fit import places_of
from tinylm.ngram import Followers
from tinylm.training import Lesson, TokenFile

LEAST_MASS = np.float32(1e-9)  # in place of none, whose log no gradient can do with


def lesson_beside(text: TokenFile, ngram: BaseNgram, shares: np.ndarray) -> Lesson:
    """Of places [B,T] in `text` and the targets there: log of what `ngram` adds to the chance of the target's row, float32 [B,T,1].

    `text` has the n-gram's numbers. `shares` of each: the part of its row's chance that is its own, above 0 where `text` has it.
    """
    masses = np.log(np.append(np.maximum(_masses(text, ngram, shares), LEAST_MASS), LEAST_MASS))
    return functools.partial(_at, masses.astype(np.float32))


def _at(masses: np.ndarray, places: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray]:
    return (masses[places][..., None],)


def _masses(text: TokenFile, ngram: BaseNgram, shares: np.ndarray) -> np.ndarray:
    """Of each number but the first, float64 [ids - 1]; none of a line's end, which follows nothing in an n-gram."""
    size, read = len(shares), ngram.ngram
    same = np.arange(size)
    at = places_of(text, np.ones(len(text.ids) - 1), size)
    pair = entries_of((((last,), found) for last, found in read.pairs.items()), same, size)
    triple = entries_of((((last, before), found) for (before, last), found in read.triples.items()), same, size)
    contexts = ((last, {before: found.backoff}) for (before, last), found in read.triples.items())
    back = entries_of((((last,), Followers(0, backoff)) for last, backoff in contexts), same, size)
    by_pair = look_up(*back, at.contexts, 1.0) * look_up(*pair, at.pairs, 0.0)
    return ngram.share * np.maximum(by_pair, look_up(*triple, at.triples, 0.0)) / shares[at.word]
