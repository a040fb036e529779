"""The n-gram of a mixture that is fine-tuned: it talks as the mixture predicts, and goes over to other numbers without loss."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from models import tiny_lines, tiny_mixture_model

from tinylm.base import Base, Rehearsal, carry_ngram, open_base, rehearse
from tinylm.base_ngram import CarriedNgram
from tinylm.kneser_ney import Counts, count_numbered, encode_text
from tinylm.model import Model
from tinylm.ngram import UNITS_PER_NAT, ReadNgram, parse_ngram, read_ngram
from tinylm.ngram_fit import fit_followers

MODEL = tiny_mixture_model()
ROOM = 4096  # what its n-gram was fitted to
NGRAM = read_ngram(parse_ngram(MODEL.ngram))


@pytest.fixture(scope="module")
def base() -> Base:
    return open_base(MODEL)


@pytest.fixture(scope="module")
def rehearsal(base: Base) -> Rehearsal:
    return rehearse(base, 6_000, 1)


@pytest.fixture
def carried(base: Base, rehearsal: Rehearsal) -> CarriedNgram:
    return carry_ngram(base, rehearsal, 5.0)


def own_counts(model: Model, lines: list[list[str]]) -> Counts:
    return count_numbered(encode_text(lines), model.numbers, model.ngram_rows)


def fitted(carried: CarriedNgram, model: Model, lines: list[list[str]], room: int = ROOM) -> ReadNgram:
    return read_ngram(fit_followers(carried.join(own_counts(model, lines), model.numbers), room).packed)


def in_words(ngram: ReadNgram, model: Model) -> dict[tuple[str, str], int]:
    """Cost of the pairs, by their words; "0" and "1" where it is none."""
    spelled = {number: word for word, number in model.numbers.items()} | {0: "0", 1: "1"}
    return {(spelled[a], spelled[b]): cost for a, found in ngram.pairs.items() for b, cost in found.costs.items()}


def test_without_a_text_and_with_the_same_words_it_stays_as_it_was(carried: CarriedNgram) -> None:
    again = fitted(carried, MODEL, [[]])
    assert again.triples.keys() == NGRAM.triples.keys() and again.pairs.keys() == NGRAM.pairs.keys()
    off = [abs(again.pairs[a].costs[b] - cost) for a, f in NGRAM.pairs.items() for b, cost in f.costs.items()]
    assert np.mean(off) < 0.1
    # The back-off of two rows had been rounded to one of four: it is the chances' own again.
    off = [
        abs(again.followers(*context)[row] - cost)
        for context in NGRAM.triples
        for row, cost in NGRAM.followers(*context).items()
    ]
    assert np.mean(off) < 1 and np.quantile(off, 0.95) <= 4


def test_words_that_went_away_take_their_entries_along_and_no_others(carried: CarriedNgram) -> None:
    gone = {word for word in MODEL.words if word.startswith("t")}
    kept = [(w, level) for w, level in zip(MODEL.words, MODEL.levels) if w not in gone]
    less = replace(MODEL, words=tuple(w for w, _ in kept), levels=tuple(level for _, level in kept), capitals=())
    assert less.numbers["you"] != MODEL.numbers["you"]
    before, after = in_words(NGRAM, MODEL), in_words(fitted(carried, less, [[]]), less)
    assert {pair for pair in before if not gone & set(pair)} == set(after)
    off = [abs(after[pair] - before[pair]) for pair in after]
    assert np.mean(off) < 2  # other numbers of followers are in other codebooks


def test_what_the_user_writes_adds_as_much_beside_any_weight_of_the_base() -> None:
    """A base that was fitted beside its network has a large weight and dear entries; a user's are counted."""
    backwards = [words[::-1] for words in tiny_lines()]
    size = MODEL.ngram_rows
    known = [last * size + word for last, found in NGRAM.pairs.items() for word in found.costs]

    def added(share: float) -> float:
        base = open_base(replace(MODEL, info=replace(MODEL.info, share_millinats=round(1000 * math.log(share)))))
        joined = carry_ngram(base, rehearse(base, 6_000, 1), 5.0).join(own_counts(MODEL, backwards), MODEL.numbers)
        return share * joined.pair_mass[~np.isin(joined.pair_keys, known)].sum()

    assert added(2.0) == pytest.approx(added(0.5), rel=0.1) and added(0.5) > 1


def test_what_the_user_writes_follows_and_what_all_write_still_does(carried: CarriedNgram) -> None:
    words = tuple(sorted({*MODEL.words, "balun", "feeder"}))
    levels = dict(zip(MODEL.words, MODEL.levels)) | {"balun": 0, "feeder": 3}
    more = replace(MODEL, words=words, levels=tuple(levels[w] for w in words), capitals=())
    lines = [["check", "the", "balun", "feeder"]] * 20 + [["is", "the", "feeder", "dry"]] * 20
    joined = fitted(carried, more, lines, 2 * ROOM)
    before, after = in_words(NGRAM, MODEL), in_words(joined, more)
    assert {("the", "balun"), ("balun", "feeder"), ("the", "feeder"), ("feeder", "dry")} <= set(after)
    assert set(before) <= set(after)
    the, balun, feeder = (more.numbers[word] for word in ("the", "balun", "feeder"))
    assert joined.followers(the, balun)[feeder] < 12  # nothing else was seen after these two; the least class is 9
    untouched = [pair for pair in before if not set(pair) & {"0", "check", "the", "is"}]
    assert np.mean([abs(after[pair] - before[pair]) for pair in untouched]) < 2
    lost = -UNITS_PER_NAT * math.log(1 - 200 / (200 + carried.said["the"]))  # to the 40 times 5 of the user's text
    assert np.mean([after[pair] - before[pair] for pair in before if pair[0] == "the"]) == pytest.approx(lost, abs=3)


def test_the_least_worthy_go_where_there_is_less_room(carried: CarriedNgram) -> None:
    full = carried.join(own_counts(MODEL, [[]]), MODEL.numbers)
    fit = fit_followers(full, ROOM // 2)
    assert ROOM // 2 - 200 < fit.packed.size <= ROOM // 2 - 24
    there = in_words(read_ngram(fit.packed), MODEL)
    assert 0 < len(there) < fit_followers(full, ROOM).pairs and set(there) <= set(in_words(NGRAM, MODEL))


def test_a_follower_is_said_as_often_as_the_mixture_has_it(base: Base) -> None:
    """What the network alone would say is stood in for by a number that never follows."""
    contexts = [(0, 0), max(NGRAM.triples, key=lambda context: len(NGRAM.triples[context].costs)), (5, 1)]
    for before, last in contexts:
        followers = {row: math.exp(-cost / UNITS_PER_NAT) for row, cost in NGRAM.followers(before, last).items()}
        drawn = np.full(40_000, 60_000)
        base.ngram.put_followers(
            np.full_like(drawn, before), np.full_like(drawn, last), drawn, np.random.default_rng(1)
        )
        said = Counter(drawn.tolist())
        whole = 1 + base.ngram.share * sum(followers.values())
        assert said.pop(60_000) / len(drawn) == pytest.approx(1 / whole, abs=0.01)
        assert set(said) <= set(followers)
        for row, chance in followers.items():
            assert said[row] / len(drawn) == pytest.approx(base.ngram.share * chance / whole, abs=0.006)


def test_a_mixture_rehearses_what_its_n_gram_knows(base: Base, rehearsal: Rehearsal) -> None:
    told = {pair for line in tiny_lines() for pair in zip(line, line[1:])}

    def share(made: Rehearsal) -> float:
        return float(np.mean([pair in told for line in made.lines for pair in zip(line, line[1:])]))

    assert share(rehearsal) > 2 * share(rehearse(replace(base, ngram=None), 6_000, 1))
