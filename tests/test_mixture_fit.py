"""The n-gram of a mixture says what its network does not: masses that make the text likeliest, and the entries that are worth most."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import tiny_lines, tiny_mixture_model

from tinylm import mixture_fit
from tinylm.errors import TinylmError
from tinylm.mixture_fit import SHARE, Entries, Masses, Places, candidates, fit_beside, fit_masses, places_of
from tinylm.model import UNKNOWN_ROW
from tinylm.ngram import UNITS_PER_NAT, ReadNgram, read_ngram
from tinylm.training import TokenFile

MODEL = tiny_mixture_model()
SIZE = 6
FLAT = 1 / SIZE  # a network that knows nothing


def places(lines: Sequence[Sequence[int]], chance: float = FLAT, size: int = SIZE) -> Places:
    """Lines of numbers, each word as likely to the network as the other."""
    ids = np.array([number for line in lines for number in (0, *line)], np.uint16)
    starts = np.flatnonzero(ids == 0)
    text = TokenFile(ids, starts, np.ones(len(lines), np.float32))
    return places_of(text, np.full(len(ids) - 1, chance), size)


def nats(text: Places, entries: Entries, masses: Masses) -> float:
    """log P of a text, place by place, as the module's docstring has it."""
    size, total = text.size, 0.0
    pair = dict(zip(entries.pairs.tolist(), masses.pair))
    triple = dict(zip(entries.triples.tolist(), masses.triple))
    back = dict(zip(np.unique(entries.triples // size).tolist(), masses.back))
    for before, last, word, weight, chance in zip(
        text.before.tolist(), text.last.tolist(), text.word.tolist(), text.weight, text.chance
    ):
        context = last * size + before
        kept = back.get(context, 1.0)
        pairs = sum(mass for key, mass in pair.items() if key // size == last)
        triples = sum(mass for key, mass in triple.items() if key // size == context)
        own = kept * pair.get(last * size + word, 0) + triple.get(context * size + word, 0)
        total += weight * math.log((chance + own) / (1 + kept * pairs + triples))
    return total


LINES = st.lists(st.lists(st.integers(1, SIZE - 1), min_size=1, max_size=6), min_size=1, max_size=12)


@settings(deadline=None)
@given(LINES)
def test_each_round_makes_the_text_likelier(lines: list[list[int]]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mixture_fit, "DISCOUNT", 0.0)
        patched.setattr(mixture_fit, "BACK_PRIOR", 1e-9)
        patched.setattr(mixture_fit, "LEAST_BACK", 1e-9)
        text = places(lines)
        entries = candidates(text)
        likely = [nats(text, entries, fit_masses(text, entries, rounds)) for rounds in range(4)]
    assert all(later >= earlier - 1e-6 for earlier, later in zip(likely, likely[1:]))


@settings(deadline=None)
@given(LINES)
def test_every_triple_of_the_candidates_ends_in_a_pair_of_them(lines: list[list[int]]) -> None:
    text = places(lines)
    entries = candidates(text)
    said = {(line[i - 1] if i else 0) * SIZE + word for line in lines for i, word in enumerate(line) if word > 1}
    assert set(entries.pairs.tolist()) == said
    ends = entries.triples // SIZE**2 * SIZE + entries.triples % SIZE
    assert set(ends.tolist()) <= said and np.all(np.diff(entries.triples) > 0)


def test_a_pair_adds_what_the_network_lacks() -> None:
    """After 2 comes 3 four times in five, else 4; the network says a sixth for each: (1/6 + m) / (1 + m) = 0.8."""
    text = places([[2, 3]] * 8_000 + [[2, 4]] * 2_000)
    entries = Entries(np.array([2 * SIZE + 3]), np.zeros(0, np.int64))
    assert fit_masses(text, entries, 200).pair == pytest.approx([(0.8 - FLAT) / 0.2], rel=0.01)


def test_what_the_network_knows_is_worth_nothing() -> None:
    lines, entries = [[2, 3]] * 5_000 + [[2, 4]] * 5_000, Entries(np.array([2 * SIZE + 3]), np.zeros(0, np.int64))
    known, unknown = (fit_masses(places(lines, chance), entries, 300) for chance in (0.5, FLAT))
    assert known.pair[0] < 0.02 * unknown.pair[0] and known.gains[0][0] < 0.02 * unknown.gains[0][0]


def test_after_two_words_that_say_otherwise_a_pair_counts_for_less() -> None:
    """After 3 comes 4, but after 2 3 it is 5."""
    text = places([[3, 4]] * 900 + [[2, 3, 5]] * 100)
    entries = Entries(np.array([3 * SIZE + 4, 3 * SIZE + 5]), np.array([(3 * SIZE + 2) * SIZE + 5]))
    masses = fit_masses(text, entries, 50)
    assert masses.back[0] < 0.1 and masses.triple[0] > 10 * masses.pair[1]


def tiny_places() -> Places:
    """The lines of the tiny mixture, whose network has random weights."""
    lines = [[MODEL.numbers.get(word, UNKNOWN_ROW) for word in words] for words in tiny_lines()]
    return places(lines, 0.003, MODEL.ngram_rows)


def fitted(room: int) -> ReadNgram:
    fit = fit_beside(tiny_places(), MODEL.numbers, room)
    found = read_ngram(fit.packed)
    assert fit.packed.size <= room and fit.pairs == sum(len(f.costs) for f in found.pairs.values())
    assert fit.triples == sum(len(f.costs) for f in found.triples.values())
    return found


def test_what_is_packed_adds_what_was_fitted() -> None:
    """But for classes: a cost is a mass beside the network's 1, over SHARE."""
    text, found = tiny_places(), fitted(16_384)
    entries = candidates(text)
    assert sum(len(f.costs) for f in found.pairs.values()) == len(entries.pairs)
    masses = fit_masses(text, entries, mixture_fit.FIT_ROUNDS)
    costs = np.array([found.pairs[key // text.size].costs[key % text.size] for key in entries.pairs.tolist()])
    heavy = masses.errors[0] > np.quantile(masses.errors[0], 0.8)
    off = costs + UNITS_PER_NAT * np.log(masses.pair / SHARE)
    assert np.abs(off[heavy]).mean() < 3


def test_more_room_holds_the_same_and_more() -> None:
    small, large = (
        {(last, word) for last, found in fitted(room).pairs.items() for word in found.costs} for room in (2_000, 3_000)
    )
    assert small < large


def test_what_is_worth_most_comes_first() -> None:
    """The network expects 3 after 2 already, and nothing of 5 after 4."""
    lines = [[2, 3]] * 50 + [[4, 5]] * 50
    known = places(lines, 0.99)
    expected = np.where(known.last == 4, FLAT, known.chance)
    text = Places(SIZE, known.before, known.last, known.word, known.weight, expected)
    gains = fit_masses(text, candidates(text), 12).gains[0]
    best = candidates(text).pairs[np.argmax(gains)]
    assert divmod(int(best), SIZE) == (4, 5)


def test_the_same_text_gives_the_same_bytes() -> None:
    assert (
        fit_beside(tiny_places(), MODEL.numbers, 3_000).packed == fit_beside(tiny_places(), MODEL.numbers, 3_000).packed
    )


def test_a_room_for_nothing_is_refused() -> None:
    with pytest.raises(TinylmError, match="no room"):
        fit_beside(tiny_places(), MODEL.numbers, 60)
