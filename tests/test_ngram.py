"""The packed n-gram: what is packed is read back by Python and by the device's C, which suggests as the plain rule says."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import tiny_lines, tiny_ngram_model
from predict_model import EngineModel
from predict_rig import Probe
from test_engine import STEPS, take_step

from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.lexicon import pack_lexicon
from tinylm.measure import type_line
from tinylm.model import load_model, write_model
from tinylm.ngram import (
    PAIR_BOOKS,
    Followers,
    Ngram,
    PackedNgram,
    hash_walk,
    pack_ngram,
    pair_book,
    parse_ngram,
    read_ngram,
)

LETTERS = "'abcdeinost"


def make_ngram(
    rows: int,
    seed: int,
    density: float,
    bits: tuple[int, int, int] = (3, 3, 2),
    possible: Sequence[int] | None = None,
    befores: float | None = None,
) -> Ngram:
    """Random followers of about `density` of all rows, after `befores` of all rows; only `possible` rows follow."""
    rng = np.random.default_rng(seed)
    follows = np.arange(2, rows) if possible is None else np.array(possible)
    lasts = np.flatnonzero(rng.random(rows) < density)
    pairs, triples = [], []
    for last in lasts.tolist():
        share = rng.random() ** 3
        followers = follows[rng.random(len(follows)) < share]
        pairs += [last * rows + row for row in followers.tolist()]
        for before in (
            np.flatnonzero(rng.random(rows) < (density / 3 if befores is None else befores)).tolist()
            if len(followers)
            else ()
        ):
            chosen = followers[rng.random(len(followers)) < rng.random()]
            triples += [(last * rows + before) * rows + row for row in chosen.tolist()]
    pair_keys, triple_keys = np.array(pairs, np.int64), np.array(triples, np.int64)
    contexts = len(np.unique(pair_keys // rows)), len(np.unique(triple_keys // rows))
    sizes = [1 << bits[0]] * PAIR_BOOKS + [1 << bits[1], 1 << bits[2], 1 << bits[2]]
    return Ngram(
        rows,
        pair_keys,
        rng.integers(0, 1 << bits[0], len(pairs)),
        rng.integers(0, 1 << bits[2], contexts[0]),
        triple_keys,
        rng.integers(0, 1 << bits[1], len(triples)),
        rng.integers(0, 1 << bits[2], contexts[1]),
        tuple(tuple(rng.integers(0, 256, size).tolist()) for size in sizes),
    )


NGRAMS = st.builds(
    make_ngram,
    rows=st.sampled_from((3, 5, 12, 40, 150)),  # of 150 some are in groups
    seed=st.integers(0, 10**6),
    density=st.sampled_from((0.0, 0.1, 0.5, 1.0)),
    bits=st.sampled_from(((3, 3, 2), (1, 1, 1), (8, 4, 5))),
)


def plain_entries(ngram: Ngram) -> tuple[dict, dict]:
    """What read_ngram must give, straight from the arrays."""
    pairs: dict = {}
    keys = ngram.pair_keys.tolist()
    lasts = [key // ngram.rows for key in keys]
    for key, kind in zip(keys, ngram.pair_classes.tolist()):
        last, row = divmod(key, ngram.rows)
        if last not in pairs:
            pairs[last] = Followers(ngram.codebooks[-2][ngram.pair_backoffs[len(pairs)]], {})
        pairs[last].costs[row] = ngram.codebooks[pair_book(lasts.count(last))][kind]
    triples: dict = {}
    for key, kind in zip(ngram.triple_keys.tolist(), ngram.triple_classes.tolist()):
        context, row = divmod(key, ngram.rows)
        last, before = divmod(context, ngram.rows)
        if (before, last) not in triples:
            triples[before, last] = Followers(ngram.codebooks[-1][ngram.triple_backoffs[len(triples)]], {})
        triples[before, last].costs[row] = ngram.codebooks[PAIR_BOOKS][kind]
    return pairs, triples


@given(ngram=NGRAMS)
@settings(deadline=None, max_examples=60)
def test_what_is_packed_is_read_back(ngram: Ngram) -> None:
    packed = pack_ngram(ngram)
    found = read_ngram(packed)
    assert (found.pairs, found.triples) == plain_entries(ngram)
    assert parse_ngram(packed.render()) == packed == pack_ngram(ngram)


def test_a_file_that_is_cut_or_longer_or_of_another_kind_is_refused() -> None:
    content = pack_ngram(make_ngram(40, 1, 0.5)).render()
    for damaged in (
        b"",
        content[:10],
        content[:-1],
        content + b"\0",
        b"TLN1" + content[4:],
        content[:8] + b"\0" + content[9:],
    ):
        with pytest.raises(TinylmError, match="model.ngram is damaged"):
            parse_ngram(damaged)


@st.composite
def vocabularies(draw: st.DrawFn, levels: Sequence[int]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Words and their levels: few, or as many as make sets of followers that are in groups."""
    if draw(st.integers(0, 3)) == 3:
        rng = random.Random(draw(st.integers(0, 10**6)))
        many = {"".join(rng.choices(LETTERS, k=rng.randint(1, 4))) for _ in range(140)}
        return tuple(sorted(many)), tuple(rng.choices(levels, k=len(many)))
    listed = st.text(st.sampled_from(LETTERS), min_size=1, max_size=draw(st.sampled_from((2, 3, 6))))
    words = tuple(sorted(draw(st.sets(listed, min_size=2, max_size=60))))
    return words, tuple(draw(st.lists(st.sampled_from(levels), min_size=len(words), max_size=len(words))))


@st.composite
def packed_ngrams(draw: st.DrawFn, rows: int, possible: Sequence[int] | None = None) -> PackedNgram:
    """Of many rows a few have followers, in groups, after many rows, in groups too."""
    density, befores = draw(st.sampled_from(((0.1, None), (0.5, None), (1.0, None)) if rows < 80 else ((0.15, 0.4),)))
    return pack_ngram(make_ngram(rows, draw(st.integers(0, 10**6)), density, possible=possible, befores=befores))


@st.composite
def engines(draw: st.DrawFn) -> tuple[EngineModel, PackedNgram]:
    words, levels = draw(vocabularies(range(1, 32)))
    top, level = draw(st.integers(-9000, 0)), draw(st.sampled_from((0, 60, 300, 2000)))
    packed = draw(packed_ngrams(len(words) + 2))
    capitals = tuple(draw(st.lists(st.integers(0, 2), min_size=len(words), max_size=len(words))))
    model = EngineModel("ngram", LETTERS, words, levels, top, level, 0, 0, ngram=read_ngram(packed), capitals=capitals)
    return model, packed


def load(probe: Probe, model: EngineModel, ngram: PackedNgram) -> None:
    lexicon = pack_lexicon(model.words, model.levels, model.alphabet, 4, model.capitals)
    assert probe.load_ngram(lexicon, ngram, model.alphabet, model.top, model.level) == "0"


@given(engine=engines(), session=st.lists(STEPS, max_size=40))
@settings(deadline=None, max_examples=150)
def test_a_session_goes_as_in_the_model(probe: Probe, engine: tuple, session: list) -> None:
    model, ngram = engine
    load(probe, model, ngram)
    for act, value in [*session, ("suggest", 5)]:
        take_step(probe, model, act, value)


@given(engine=engines())
@settings(deadline=None, max_examples=40)
def test_the_hash_covers_every_follower_as_the_reference_does(probe: Probe, engine: tuple) -> None:
    model, ngram = engine
    load(probe, model, ngram)
    steps = 2 * ngram.rows
    assert int(probe.ask("hash", steps)) == hash_walk(model.ngram, 0, 1, steps)
    assert int(probe.ask("selftest", hash_walk(model.ngram, 0, 1, 8))) == 0
    assert int(probe.ask("selftest", 1)) == -4


def damage(content: bytes, rng: random.Random) -> bytes:
    """Some bytes or bits changed, or all of them."""
    if rng.random() < 0.3:
        return rng.choice((bytes(len(content)), b"\xff" * len(content), rng.randbytes(len(content))))
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 6) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


@given(engine=engines(), seed=st.integers(0, 10**9), parts=st.sampled_from(("stream", "index", "both")))
@settings(deadline=5000, max_examples=200)
def test_hostile_bytes_are_never_read_past_and_always_end(probe: Probe, engine: tuple, seed: int, parts: str) -> None:
    """The probe's sanitizers stop it at a read beyond the language; the stream is its end."""
    model, ngram = engine
    rng = random.Random(seed)
    stream = damage(ngram.stream, rng) if parts != "index" else ngram.stream
    index = damage(ngram.index, rng) if parts != "stream" else ngram.index
    if rng.random() < 0.2:
        stream = stream[: rng.randrange(2, len(stream) + 1)]
    load(probe, model, replace(ngram, stream=stream, index=index))
    for word in rng.choices(model.words, k=6):
        probe.ask("feed", f"{word} ".encode().hex())
        probe.ask("suggest", 5)
    probe.ask("hash", ngram.rows)


def test_a_large_stream_of_hostile_bytes_ends_soon(probe: Probe) -> None:
    words = ("a", "b")
    rng = random.Random(5)
    for fill in (b"\0", b"\xff", b"\x55", b"\x01", None):
        stream = fill * 200_000 if fill else rng.randbytes(200_000)
        packed = PackedNgram(65_535, 1, 1, 1, 1, bytes(4 * 2 + 2 + 4), bytes([0, 0, 0, 0, 0, 255]), stream)
        model = EngineModel("ngram", LETTERS, words, (1, 2), 0, 0, 0, 0)
        load(probe, model, packed)
        probe.ask("feed", b"b b ".hex())
        assert probe.ask("suggest", 3)


@pytest.mark.needs("cc")
def test_the_host_engine_suggests_as_the_rule_says_on_lines_it_learned_from() -> None:
    model = tiny_ngram_model()
    info = model.info
    engine = HostEngine(model)
    plain = EngineModel("ngram", info.alphabet, model.words, model.levels, info.top_millinats, info.level_millinats,
                        0, 0, ngram=read_ngram(parse_ngram(model.ngram)))  # fmt: skip
    for words in tiny_lines()[:40]:
        line = " ".join(words)[:50]
        for end in range(len(line) + 1):
            engine.type_line(line[:end])
            plain.line = line[:end]
            assert engine.suggest(5) == plain.suggest(5)
    tally = type_line(engine, tiny_lines()[3], 3, set(model.words).__contains__, probe=False)
    characters, keys = tally.lines[0]
    assert keys < 0.6 * characters


def test_a_model_folder_holds_the_n_gram_in_place_of_a_network(tmp_path: Path) -> None:
    model = tiny_ngram_model()
    write_model(tmp_path, model)
    assert (tmp_path / "model.ngram").read_bytes() == model.ngram and not (tmp_path / "model.tflite").exists()
    assert load_model(tmp_path) == model and load_model(tmp_path).hash == model.hash
    (tmp_path / "vocabulary.tsv").write_text("".join(f"{w}\t{0}\n" for w in model.words))
    with pytest.raises(TinylmError, match="level 0"):
        load_model(tmp_path)
    (tmp_path / "model.ngram").unlink()
    write_model(tmp_path / "again", model)
    (tmp_path / "again" / "model.ngram").unlink()
    with pytest.raises(TinylmError, match="has no model.ngram"):
        load_model(tmp_path / "again")


def test_the_example_in_the_specification_is_what_is_packed() -> None:
    text = (Path(__file__).parents[1] / "docs" / "SPEC-ngram.md").read_text("utf-8").split("## An example")[1]
    shown: dict[str, bytes] = {}
    section = ""
    for name, value in re.findall(r"^ {4}(\w*) +((?:[0-9a-f]{2} +)+)", text, re.MULTILINE):
        section = name or section
        shown[section] = shown.get(section, b"") + bytes.fromhex(value)
    packed = pack_ngram(example())
    assert shown == {
        "header": packed.render()[:16],
        "costs": packed.costs,
        "index": packed.index,
        "stream": packed.stream,
    }


def example() -> Ngram:
    """Words a, b, c are rows 2, 3, 4. a: b, c; b: c; after a line's start and a: c."""
    pairs, triples = [(2, 3), (2, 4), (3, 4)], [(2, 0, 4)]
    books = ((20, 40),) * PAIR_BOOKS + ((8, 16), (1, 2), (3, 4))
    zeros, ones = np.zeros(2, np.int64), np.ones(1, np.int64)
    return Ngram(
        5,
        np.array([last * 5 + row for last, row in pairs]),
        np.array([0, 1, 0]),
        zeros,
        np.array([(last * 5 + before) * 5 + row for last, before, row in triples]),
        np.zeros(1, np.int64),
        ones,
        books,
    )
