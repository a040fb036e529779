"""What a mixture's n-gram adds at each place of a text is what the engine's reading of it adds there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from models import tiny_lines, tiny_mixture_model

from tinylm.base_ngram import BaseNgram
from tinylm.mixture_lesson import LEAST_MASS, lesson_beside
from tinylm.ngram import UNITS_PER_NAT
from tinylm.reading import shares_of
from tinylm.training import TokenFile
from tinylm.vocabulary import encode

MODEL = tiny_mixture_model()
NGRAM = BaseNgram(MODEL.ngram, 1.4)


def text_of(lines: list[list[str]]) -> TokenFile:
    ids = np.array([number for words in lines for number in (0, *encode(words, MODEL.numbers))], np.uint16)
    starts = np.flatnonzero(ids == 0)
    return TokenFile(ids, starts, np.ones(len(starts), np.float32))


def told(text: TokenFile) -> np.ndarray:
    """The mass at each place, the lesson asked as training asks: places in any order, a line's last word before any line."""
    lesson = lesson_beside(text, NGRAM, shares_of(MODEL))
    places = np.random.default_rng(4).permutation(len(text.ids))
    (logs,) = lesson(places[None], np.append(text.ids, 0)[1:][places][None])
    assert logs.dtype == np.float32 and logs.shape == (1, len(places), 1)
    masses = np.empty(len(places))
    masses[places] = np.exp(logs[0, :, 0])
    return masses


@pytest.mark.parametrize("lines", [tiny_lines()[:60], [words[::-1] for words in tiny_lines()[:60]]])
def test_a_place_is_told_what_the_n_gram_adds_to_the_next_words_chance(lines: list[list[str]]) -> None:
    text, shares, expected = text_of([*lines, ["zebra"]]), shares_of(MODEL), []
    ids = text.ids.tolist()
    for place, last in enumerate(ids):
        before = ids[place - 1] if place and last else 0
        word = ids[place + 1] if place + 1 < len(ids) else 0
        cost = NGRAM.ngram.followers(before, last).get(word)
        expected.append(LEAST_MASS if cost is None else NGRAM.share * math.exp(-cost / UNITS_PER_NAT) / shares[word])
    assert np.allclose(told(text), expected, rtol=1e-5)
    assert 0.01 < np.mean(np.array(expected) > LEAST_MASS) < 1


def test_of_a_row_that_many_words_share_a_word_is_told_more_than_its_chance() -> None:
    text, shares = text_of(tiny_lines()[:60]), shares_of(MODEL)
    followers = np.append(text.ids, 0)[1:]
    rare = (shares[followers] < 0.5) & (told(text) > LEAST_MASS)
    assert rare.any() and (told(text)[rare] > NGRAM.share).any()  # of a row's chance it has little
