"""Early stopping: a run ends when lines that it does not learn fare worse, and a run that goes on as it should is left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_training import PLAN, SHAPE, TENSORFLOW, frequency_of, some_tokens

from tinylm import training
from tinylm.early_stopping import LEAST_WORDS, PATIENCE, RISE_NATS, Watch, held_out_loss, watch
from tinylm.network import NetworkShape, initial_weights
from tinylm.quantize import float_steps
from tinylm.training import TokenFile, train

LONG = replace(PLAN, epochs=60, learning_rate=1e-2)
CHARACTER = NetworkShape("character", 12, 0, 10)


def weights_of(shape: NetworkShape, seed: int = 1) -> dict[str, np.ndarray]:
    return initial_weights(shape, seed, np.log(np.full(shape.rows, 1 / shape.rows)))


def lines_of(tokens: TokenFile) -> list[list[int]]:
    """Without the ids that lead them."""
    return [line[1:].tolist() for line in np.split(tokens.ids, tokens.starts[1:])]


def strange_lines(count: int = 60) -> list[list[int]]:
    """Lines that have nothing to do with some_tokens: what is learned of those makes these unlikely."""
    return np.random.default_rng(9).integers(1, SHAPE.rows, (count, 8)).tolist()


@pytest.mark.parametrize("shape", [SHAPE, CHARACTER], ids=["word", "character"])
def test_the_held_out_loss_is_the_cross_entropy_of_every_word_but_line_ends(shape: NetworkShape) -> None:
    rows = np.random.default_rng(2).integers(0, 4, (5, 9))
    logits = float_steps(shape, weights_of(shape), rows)["logits"].reshape(9, 5, -1)[:-1].astype(np.float64)
    targets = rows.T[1:]
    losses = np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, targets[..., None], -1)[..., 0]
    assert held_out_loss(shape, weights_of(shape), rows) == pytest.approx(losses[targets != 0].mean(), rel=1e-5)


def test_too_few_held_out_words_say_nothing() -> None:
    assert watch(SHAPE, []) is None
    assert watch(SHAPE, [[1] * (LEAST_WORDS - 1)]) is None
    assert watch(SHAPE, [[1, 2, 3]] * LEAST_WORDS).rows[0, :5].tolist() == [0, 1, 2, 3, 0]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 9), min_size=1, max_size=30))
def test_a_run_ends_after_losses_clearly_above_the_best_in_a_row(losses: list[float]) -> None:
    watching, told = Watch(SHAPE, np.zeros((1, 2), int)), iter(losses)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinylm.early_stopping.held_out_loss", lambda *_: next(told))
        ends = [watching.look({"w": np.array([loss])}) for loss in losses]
    clear = [loss > min(losses[: i + 1]) + RISE_NATS for i, loss in enumerate(losses)]
    assert ends == [i >= PATIENCE - 1 and all(clear[i - PATIENCE + 1 : i + 1]) for i in range(len(losses))]
    assert watching.weights["w"] == watching.best == min(losses)


@TENSORFLOW
def test_a_text_learned_by_heart_ends_early_from_its_best_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, watching, rates = some_tokens(), watch(SHAPE, strange_lines()), []
    rate = training._Loop._rate
    monkeypatch.setattr(training._Loop, "_rate", lambda loop, step: rates.append(rate(loop, step)) or rates[-1])
    for name in ("watched", "alone"):
        (tmp_path / name).mkdir()
    trained = train(SHAPE, tokens, frequency_of(tokens), LONG, tmp_path / "watched", watch=watching)
    assert trained.epochs < LONG.epochs / 2 and watching.risen == PATIENCE
    assert rates[-1] < 0.1 * max(rates)  # it fell all the same
    whole = train(SHAPE, tokens, frequency_of(tokens), LONG, tmp_path / "alone", watch=None)
    assert whole.epochs == LONG.epochs
    kept, lost = (held_out_loss(SHAPE, run.weights, watching.rows) for run in (trained, whole))
    assert kept < lost - 0.2


@TENSORFLOW
def test_a_text_that_is_still_learned_is_read_to_the_end_with_the_same_bytes(tmp_path: Path) -> None:
    tokens = some_tokens()
    watching = watch(SHAPE, lines_of(some_tokens()))
    runs = []
    for name, watched in (("watched", watching), ("alone", None)):
        (tmp_path / name).mkdir()
        runs.append(train(SHAPE, tokens, frequency_of(tokens), PLAN, tmp_path / name, watch=watched))
    assert [run.epochs for run in runs] == [PLAN.epochs] * 2 and watching.best < np.log(SHAPE.rows)
    assert all(runs[0].weights[name].tobytes() == runs[1].weights[name].tobytes() for name in SHAPE.weight_shapes)


@TENSORFLOW
@pytest.mark.parametrize("in_last_part", [False, True], ids=["before-it-rose", "in-the-last-part"])
def test_a_run_that_ends_early_is_resumed_to_the_same_bytes(in_last_part: bool, tmp_path: Path) -> None:
    tokens = some_tokens()
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    whole = train(SHAPE, tokens, frequency_of(tokens), LONG, tmp_path / "whole", watch=watch(SHAPE, strange_lines()))

    def stop(step: int, total: int, _: float) -> None:
        if step and (total < 60 * training.steps_in_epoch(tokens, LONG)) == in_last_part:
            raise KeyboardInterrupt

    for _ in range(2):  # a second time, where it goes on
        with pytest.raises(KeyboardInterrupt):
            train(
                SHAPE,
                tokens,
                frequency_of(tokens),
                LONG,
                tmp_path / "stopped",
                stop,
                watch=watch(SHAPE, strange_lines()),
            )
    resumed = train(
        SHAPE, tokens, frequency_of(tokens), LONG, tmp_path / "stopped", watch=watch(SHAPE, strange_lines())
    )
    assert resumed.epochs == whole.epochs < LONG.epochs
    assert all(whole.weights[name].tobytes() == resumed.weights[name].tobytes() for name in SHAPE.weight_shapes)
