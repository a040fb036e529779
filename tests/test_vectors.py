"""The golden vectors (tests/vectors): oracle, reference, this computer's C and every emulated chip answer them alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from board_rig import BEST_BOOTS, KERNEL_BOOTS, OPTIONAL_BOOTS
from cli_rig import tiny_build
from models import (
    golden,
    golden_hash,
    tiny_character_model,
    tiny_int4_model,
    tiny_mixture_model,
    tiny_ngram_model,
    tiny_word_model,
)
from oracle import Oracle
from step_graphs import random_step

from tinylm.board import load_board
from tinylm.bootcheck import check_typing
from tinylm.building import build
from tinylm.emulator import start
from tinylm.engine import HostEngine
from tinylm.flatbuffer import read_tflite
from tinylm.graph import understand_step
from tinylm.link import Device
from tinylm.mixture import hash_mixture
from tinylm.model import Model
from tinylm.ngram import hash_walk, parse_ngram, read_ngram
from tinylm.reference import hash_steps, run_step

START, STRIDE, STEPS = 3, 7, 200
# Seeds of random steps and their hashes, written down: a change of oracle and reference at once would be seen.
GOLDEN = {5: 0x4E209B83, 11: 0x7B59E2D7, 19: 0x304E67F3, 29: 0x53A36DF8}
MODELS = pytest.mark.parametrize(
    "make", [tiny_word_model, tiny_int4_model, tiny_character_model], ids=["word", "int4", "character"]
)
OTHERS = (tiny_int4_model, tiny_character_model, tiny_ngram_model)


@pytest.mark.parametrize("seed", GOLDEN)
def test_a_recorded_network_still_gives_the_recorded_hash(seed: int) -> None:
    assert hash_steps(random_step(seed, most=24, rows=20), START, STRIDE, STEPS) == GOLDEN[seed]


@MODELS
def test_the_reference_gives_the_golden_steps(make: Callable[[], Model]) -> None:
    model = make()
    step, recorded = understand_step(read_tflite(model.tflite)), golden(model.info.name)
    assert int(recorded["model_hash"], 16) == model.hash
    assert (recorded["start"], recorded["stride"], recorded["steps"]) == (START, STRIDE, STEPS)
    state = step.start()
    for told in recorded["first"]:
        result = run_step(step, told["id"], state)
        state = result.state
        assert (state.tobytes().hex(), result.logits.tobytes().hex()) == (told["state"], told["logits"])
    assert hash_steps(step, START, STRIDE, STEPS) == golden_hash(model)


def test_the_reference_of_the_n_gram_gives_the_golden_hash() -> None:
    model = tiny_ngram_model()
    assert hash_walk(read_ngram(parse_ngram(model.ngram)), START, STRIDE, STEPS) == golden_hash(model)


def test_the_reference_of_the_mixture_gives_the_golden_hash() -> None:
    model = tiny_mixture_model()
    step, ngram = understand_step(read_tflite(model.tflite)), read_ngram(parse_ngram(model.ngram))
    assert hash_mixture(step, ngram, START, STRIDE, STEPS) == golden_hash(model)


@pytest.mark.needs("tflite_micro")
@MODELS
def test_the_oracle_gives_the_golden_hash(make: Callable[[], Model]) -> None:
    model = make()
    step = understand_step(read_tflite(model.tflite))
    oracle = Oracle(step.graph, model.tflite)
    assert hash_steps(step, START, STRIDE, STEPS, oracle.run_step) == golden_hash(model)


@pytest.mark.needs("cc")
@pytest.mark.parametrize("make", (tiny_word_model, tiny_mixture_model, *OTHERS))
def test_the_host_library_gives_the_golden_hash(make: Callable[[], Model]) -> None:
    assert HostEngine(make()).hash(START, STRIDE, STEPS) == golden_hash(make())


def require_agreement(url: str, model: Model) -> None:
    with Device.open(url) as device:
        assert device.identity.model_hash == model.hash
        assert device.identity.self_test == 0
        assert device.hash(START, STRIDE, STEPS) == golden_hash(model)
        assert check_typing(device).keys == 6


@pytest.mark.parametrize(("board", "toolchain", "emulator"), BEST_BOOTS + OPTIONAL_BOOTS)
def test_a_board_says_who_it_is_gives_the_golden_hash_and_types(board: str, toolchain: str, emulator: str) -> None:
    with start(load_board(board), tiny_build(board), emulator) as running:
        require_agreement(running.url, tiny_word_model())


@pytest.mark.parametrize(("board", "toolchain", "emulator"), KERNEL_BOOTS)
@pytest.mark.parametrize("make", OTHERS)
def test_each_kernel_serves_the_other_kinds_of_model(
    make: Callable[[], Model], board: str, toolchain: str, emulator: str, tmp_path: Path
) -> None:
    build(make(), load_board(board), tmp_path / "build", toolchain, lambda *_: None)
    with start(load_board(board), tmp_path / "build", emulator) as running:
        require_agreement(running.url, make())
