"""A network and an n-gram side by side: the device's C adds, suggests and learns as the plain rule says."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import need
from hypothesis import given, settings
from hypothesis import strategies as st
from models import golden_hash, tiny_lines, tiny_mixture_model
from predict_model import EngineModel, log_sum_exp
from predict_rig import Probe
from test_engine import STEPS, take_step
from test_ngram import packed_ngrams, vocabularies
from test_taught import LINES, SIZES, take_lines

from tinylm.board import load_board
from tinylm.building import build
from tinylm.emulator import start
from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.evaluate import _MixtureCost
from tinylm.flatbuffer import read_tflite
from tinylm.graph import Step, understand_step
from tinylm.language import build_language
from tinylm.lexicon import pack_lexicon
from tinylm.link import Device
from tinylm.measure import type_line
from tinylm.model import Model, load_model, write_model
from tinylm.ngram import PackedNgram, parse_ngram, read_ngram
from tinylm.reference import StepResult, run_step
from tinylm.typist import type_words

LETTERS = "'abcdeinost"
UNITS = st.sampled_from((1, 10, 1000, 2047, 4095, 4096, 5003, 2_000_000))


@st.composite
def engines(draw: st.DrawFn) -> tuple[EngineModel, PackedNgram]:
    words, levels = draw(vocabularies((0, 0, 1, 3, 9)))
    rows = 2 + levels.count(0)
    possible = [*range(2, rows), *(rows + i for i, level in enumerate(levels) if level)]
    packed = draw(packed_ngrams(rows + len(words), possible))
    spread, units = draw(st.sampled_from(((3, 1), (50, 10), (5000, 1000), (1 << 22, 2_000_000), (1 << 22, 300_001))))
    share = units * draw(st.sampled_from((-5000, -700, 0, 300, 5000))) // 1000
    top, level = draw(st.integers(-9000, 500)), draw(st.integers(0, 900))
    model = EngineModel(
        "mixture", LETTERS, words, levels, top, level, units, spread, ngram=read_ngram(packed), share_units=share
    )
    return model, packed


def load(probe: Probe, model: EngineModel, ngram: PackedNgram) -> None:
    lexicon = pack_lexicon(model.words, model.levels, model.alphabet, block_words=4)
    scores = model.top, model.level, model.units, model.spread
    assert probe.load_mixture(lexicon, ngram, model.alphabet, scores, model.share_units) == "0"


@given(units=UNITS, nats=st.lists(st.floats(-20, 20), min_size=1, max_size=60))
@settings(deadline=None, max_examples=300)
def test_the_sum_of_probabilities_is_that_of_the_rule_and_near_to_the_real_one(
    probe: Probe, units: int, nats: list[float]
) -> None:
    scores = [round(units * x) for x in nats]
    found = int(probe.ask("lse", units, *scores))
    assert found == log_sum_exp(units, scores)
    real = math.log(sum(math.exp(score / units) for score in scores))
    assert abs(found / units - real) < 0.06 + 1 / units


@pytest.mark.parametrize("units", [1, 4095, 2_000_000])
def test_sums_of_extreme_scores_stay_within_32_bits(probe: Probe, units: int) -> None:
    for scores in ([-(1 << 30), 1 << 30], [1 << 30, -(1 << 30)], [1 << 30] * 3, [-(1 << 30)] * 3):
        assert int(probe.ask("lse", units, *scores)) == log_sum_exp(units, scores)
    assert int(probe.ask("lse", units, *[5] * 65_535)) == log_sum_exp(units, [5] * 65_535)


@given(engine=engines(), session=st.lists(STEPS, max_size=40))
@settings(deadline=None, max_examples=200)
def test_a_session_goes_as_in_the_model(probe: Probe, engine: tuple, session: list) -> None:
    model, ngram = engine
    load(probe, model, ngram)
    for act, value in [*session, ("suggest", 5)]:
        take_step(probe, model, act, value)


@given(engine=engines(), size=SIZES, lines=LINES)
@settings(deadline=None, max_examples=100)
def test_it_learns_as_the_model_does(probe: Probe, engine: tuple, size: int, lines: list) -> None:
    model, ngram = engine
    load(probe, model, ngram)
    assert probe.ask("memory", size) == "0"
    model.learn(size)
    take_lines(probe, model, lines)


class NetworkModel(EngineModel):
    """The plain model with a real network in place of the stand-in."""

    network: Step

    def start(self) -> StepResult:
        return StepResult(self.network.start(), *[np.zeros(0)] * 3)

    def step(self, state: StepResult, row: int) -> StepResult:
        return run_step(self.network, row, state.state)

    def score(self, state: StepResult, row: int) -> int:
        return int(state.scores[row])


def plain_model(model: Model) -> NetworkModel:
    info, step = model.info, understand_step(read_tflite(model.tflite))
    plain = NetworkModel(
        "mixture", info.alphabet, model.words, model.levels, info.top_millinats, info.level_millinats, step.units_per_nat, 0,
        ngram=read_ngram(parse_ngram(model.ngram)), share_units=step.units_per_nat * info.share_millinats // 1000,
    )  # fmt: skip
    plain.network = step
    return plain


@pytest.mark.needs("cc")
def test_the_host_engine_suggests_as_the_rule_says_also_where_the_first_letter_is_the_first_question() -> None:
    model = tiny_mixture_model()
    engine, late, plain = HostEngine(model), HostEngine(model), plain_model(model)
    for words in tiny_lines()[:12]:
        line = " ".join(words)[:50]
        for end in range(len(line) + 1):
            plain.line = line[:end]
            expected = plain.suggest(5)
            engine.type_line(line[:end])
            assert engine.suggest(5) == expected
            if end and line[end - 1] != " ":
                late.reset()
                late.feed(line[:end])
                seen, plain.passed = plain.passed, []
                assert late.suggest(5) == plain.suggest(5)
                plain.passed = seen


@pytest.mark.needs("cc")
def test_followers_are_likelier_than_the_network_alone_has_them() -> None:
    model = tiny_mixture_model()
    word = HostEngine(replace(model, info=replace(model.info, kind="word"), ngram=b""))
    keys = [
        sum(type_line(engine, words, 3, lambda _: True, False).lines[0][1] for words in tiny_lines()[:30])
        for engine in (HostEngine(model), word)
    ]
    assert keys[0] < 0.9 * keys[1]


@pytest.mark.needs("cc")
def test_bits_per_character_are_those_of_a_distribution() -> None:
    """The chances of all words of the vocabulary, of the line's end and of what is unknown sum to 1."""
    model = tiny_mixture_model()
    engine = HostEngine(model)
    engine.type_line("the ")
    cost = _MixtureCost(engine)
    nats = np.array([cost._next(word) for word in (*model.words, "")])
    assert 0.9 < np.exp(-nats).sum() < 1
    followers = sum(math.exp(-c / 16) for c in engine.followers().values())
    assert followers > 0.5 and engine.followers() == read_ngram(parse_ngram(model.ngram)).followers(
        0, model.numbers["the"]
    )


def test_a_model_folder_holds_both_files_and_its_weight(tmp_path: Path) -> None:
    model = tiny_mixture_model()
    write_model(tmp_path, model)
    assert load_model(tmp_path) == model and load_model(tmp_path).hash == model.hash
    assert replace(model, ngram=b"").hash != model.hash != replace(model, tflite=b"").hash
    content = (tmp_path / "model.ngram").read_bytes()
    (tmp_path / "model.ngram").unlink()
    with pytest.raises(TinylmError, match="has no model.ngram"):
        load_model(tmp_path)
    (tmp_path / "model.ngram").write_bytes(content[:4] + b"\xff" + content[5:])
    with pytest.raises(TinylmError, match="model.ngram has"):
        build_language(load_model(tmp_path))


BOARDS = {  # flash that is memory; far and near flash of the AVR, there with short code; a model apart
    "qemu-cortex-m4": ("qemu", "arm-none-eabi-gcc", "qemu-system-arm"),
    "arduino-mega": ("simavr", "avr-gcc", "simavr"),
    "arduino-uno": ("simavr", "avr-gcc", "simavr"),
    "esp32c3": ("unicorn", "riscv64-unknown-elf-gcc", "unicorn"),
}


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_types_and_learns_key_for_key_as_this_computer_does(board: str, tmp_path: Path) -> None:
    emulator, *tools = BOARDS[board]
    need(*tools)
    model = tiny_mixture_model()
    build(model, load_board(board), tmp_path / "build", "gcc", lambda *_: None)
    with start(load_board(board), tmp_path / "build", emulator) as running, Device.open(running.url) as device:
        assert (device.identity.kind, device.identity.model_hash) == ("mixture", model.hash)
        assert device.identity.self_test == 0 and device.hash(3, 7, 200) == golden_hash(model)
        host = HostEngine(model, device.identity.memory_bytes)
        for words in tiny_lines()[:5]:
            typed = [type_words(engine, words, 3) for engine in (device, host)]
            assert typed[0] == typed[1]
        for engine in (device, host):
            engine.feed("is the hut dry")
        for _ in range(6):
            for engine in (device, host):
                engine.backspace()
            assert device.suggest(3) == host.suggest(3)
