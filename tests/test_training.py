"""Training: the same seed gives the same bytes, also after a kill; what is sampled and held out is as promised."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_rig import run_cli
from models import TEXT, VECTORS

from tinylm import training
from tinylm.baseline import baseline_folder
from tinylm.corpus import ALPHABETS, ENGLISH_ALPHABET
from tinylm.errors import TinylmError
from tinylm.language import build_language
from tinylm.mixture_run import NgramRun
from tinylm.model import load_model
from tinylm.network import NetworkShape, initial_weights
from tinylm.preparation import (
    HELD_OUT_EVERY,
    LONGEST_LINE,
    Source,
    WeightedText,
    count_source,
    encode_words,
    write_tokens,
)
from tinylm.quantize import float_steps
from tinylm.run import RunOptions, open_run, train_model
from tinylm.training import (
    ALWAYS_SCORED,
    TokenFile,
    TrainingPlan,
    epoch_rows,
    line_order,
    read_made_of,
    sample_rows,
    train,
)
from tinylm.vocabulary import choose_vocabulary

SHAPE = NetworkShape("word", 40, 8, 16)
PLAN = TrainingPlan(epochs=4, batch=8, steps=4, negatives=0, seed=3)
TENSORFLOW = pytest.mark.needs("tensorflow", "keras")


def some_tokens(lines: int = 120, weight: float = 1.0, rows: int = SHAPE.rows) -> TokenFile:
    """Lines of 3 to 12 ids in which each follows from the one before."""
    rng, ids, starts = np.random.default_rng(1), [], []
    for _ in range(lines):
        starts.append(len(ids))
        ids.append(0)
        row = int(rng.integers(1, rows))
        for _ in range(rng.integers(3, 12)):
            ids.append(row)
            row = 1 + (3 * row + int(rng.integers(0, 2))) % (rows - 1)
    return TokenFile(np.array(ids, np.uint16), np.array(starts, np.int64), np.full(lines, weight, np.float32))


def frequency_of(tokens: TokenFile, rows: int = SHAPE.rows) -> np.ndarray:
    return np.bincount(tokens.ids, minlength=rows).astype(np.float64)


def test_an_epoch_reads_every_line_once_in_an_order_of_its_seed_and_number() -> None:
    tokens = some_tokens()
    orders = [line_order(tokens, seed, epoch) for seed, epoch in ((1, 0), (1, 0), (1, 1), (2, 0))]
    assert all(sorted(order) == list(range(120)) for order in orders)
    assert np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2]) and not np.array_equal(orders[0], orders[3])


def test_a_line_of_weight_two_and_a_half_is_read_two_or_three_times() -> None:
    times = Counter(line_order(some_tokens(weight=2.5), 1, 0).tolist())
    assert set(times.values()) == {2, 3}


def test_targets_are_the_next_ids_and_every_row_follows_the_one_before() -> None:
    tokens, plan = some_tokens(), TrainingPlan(batch=4, steps=6)
    ids, targets, places = (np.concatenate(part) for part in zip(*epoch_rows(tokens, plan, 0)))
    assert np.array_equal(ids.ravel()[1:], targets.ravel()[:-1])
    assert np.array_equal(tokens.ids[places], ids)
    assert set(tokens.ids[tokens.starts]) == {0}


def test_sampled_rows_are_the_commonest_and_a_fair_draw_of_the_rest() -> None:
    plan, rows = TrainingPlan(negatives=100), 2000
    sampled, chance = sample_rows(rows, plan, 5)
    assert np.array_equal(sampled[:ALWAYS_SCORED], np.arange(ALWAYS_SCORED))
    assert len(set(sampled.tolist())) == len(sampled) == ALWAYS_SCORED + 100
    assert (
        np.allclose(chance[ALWAYS_SCORED:], np.log(100 / (rows - ALWAYS_SCORED))) and not chance[:ALWAYS_SCORED].any()
    )
    assert np.array_equal(sample_rows(rows, plan, 5)[0], sampled)
    assert not np.array_equal(sample_rows(rows, plan, 6)[0], sampled)
    seen = np.concatenate([sample_rows(rows, plan, step)[0][ALWAYS_SCORED:] for step in range(300)])
    assert 0 < np.bincount(seen, minlength=rows)[ALWAYS_SCORED:].min()


def preparation(folder: Path, text: str) -> Source:
    (folder / "text.txt").write_text(text)
    return Source((WeightedText(folder / "text.txt", 2.0),), ENGLISH_ALPHABET)


def test_tokens_are_the_lines_but_every_fiftieth(tmp_path: Path) -> None:
    lines = [f"line {'abcdefghij'[i % 10]} {'abcdefghij'[i // 10]} here" for i in range(100)]
    source = preparation(tmp_path, "\n".join(lines))
    words = count_source(source, tmp_path)
    assert not words.capitals and words.counts["line"] == 100 and words.weighted["line"] == 200.0
    vocabulary = choose_vocabulary(words.weighted, 5, 100)
    tokens, held = write_tokens(source, encode_words(vocabulary), tmp_path)
    assert len(tokens.starts) == 98 and len(held) == 100 // HELD_OUT_EVERY
    assert np.all(tokens.ids[tokens.starts] == 0) and np.all(tokens.weights == 2.0)
    assert (tmp_path / "vocabulary_counts.tsv").read_text().startswith("here\t100\nline\t100\n")


def test_quotation_marks_are_not_read_as_letters_of_words_but_in_a_command_line(tmp_path: Path) -> None:
    source = preparation(tmp_path, "they said 'the end' twice\n")
    assert [words for _, words in source.lines()] == [["they", "said", "the", "end", "twice"]]
    shell = replace(source, alphabet=ALPHABETS["shell"])
    assert [words for _, words in shell.lines()] == [["they", "said", "'the", "end'", "twice"]]


def test_a_very_long_line_becomes_many_lines(tmp_path: Path) -> None:
    source = preparation(tmp_path, "one two " * LONGEST_LINE)
    assert [len(words) for _, words in source.lines()] == [LONGEST_LINE, LONGEST_LINE]


def test_a_text_without_a_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TinylmError, match="no word in it"):
        count_source(preparation(tmp_path, "1 2 3\n4 5 6\n"), tmp_path)


def fifteen_values(weights: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, int]]:
    """A grid of 4 bits for the embedding, and one a gate for the input matrix."""
    gates = np.split(np.abs(weights["input"]), 3, axis=1)
    scales = np.repeat([gate.max() / 7 for gate in gates], SHAPE.hidden).astype(np.float32)
    return {"embedding": (np.array([np.abs(weights["embedding"]).max() / 7], np.float32), 7), "input": (scales, 7)}


@TENSORFLOW
def test_weights_on_a_grid_are_trained_there_in_the_last_part(tmp_path: Path) -> None:
    tokens = some_tokens()
    grids: list[dict] = []

    def grid(weights: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, int]]:
        grids.append(fifteen_values(weights) | {"first": weights["embedding"].copy()})
        return fifteen_values(weights)

    trained = train(SHAPE, tokens, frequency_of(tokens), PLAN, tmp_path, grid=grid).weights
    assert len(grids) == 1  # chosen once: a scale that moved would move every weight
    for name in ("embedding", "input"):
        scale, most = grids[0][name]
        steps = trained[name] / scale
        assert np.allclose(steps, np.round(steps), atol=1e-4) and np.abs(steps).max() <= most + 1e-4
    start = np.round(grids[0]["first"] / grids[0]["embedding"][0])
    assert (np.round(trained["embedding"] / grids[0]["embedding"][0]) != start).any()  # and learned on
    recurrent = trained["recurrent"] / np.abs(trained["recurrent"]).max() * 7
    assert not np.allclose(recurrent, np.round(recurrent), atol=1e-3)


@TENSORFLOW
@pytest.mark.parametrize(
    "stopped_at, grid, least_compiled",
    [(0.5, None, 1 << 40), (0.95, fifteen_values, 1 << 40), (0.95, fifteen_values, 0)],
    ids=["float", "on-a-grid", "compiled"],
)
def test_a_run_stopped_and_resumed_ends_with_the_bytes_of_one_that_was_not(
    stopped_at: float,
    grid: training.Grid | None,
    least_compiled: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens = some_tokens()
    monkeypatch.setattr(training, "LEAST_COMPILED", least_compiled)
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    told: list[float] = []
    whole = train(
        SHAPE, tokens, frequency_of(tokens), PLAN, folders[0], lambda *now: told.append(now[2]), grid=grid
    ).weights
    assert told[-1] < told[0]

    def stop(step: int, total: int, loss: float) -> None:
        if step >= round(total * stopped_at) // 20 * 20:  # told every 20 steps
            raise KeyboardInterrupt

    often = TrainingPlan(**{**PLAN.__dict__, "checkpoint_s": 0.0})
    monkeypatch.setattr(
        training, "asdict", lambda value: {k: v for k, v in value.__dict__.items() if k != "checkpoint_s"}
    )
    with pytest.raises(KeyboardInterrupt):
        train(SHAPE, tokens, frequency_of(tokens), often, folders[1], stop, grid=grid)
    with np.load(folders[1] / "checkpoint.npz") as saved:
        assert 0 < int(saved["done"])
    resumed = train(SHAPE, tokens, frequency_of(tokens), PLAN, folders[1], grid=grid).weights
    assert all(whole[name].tobytes() == resumed[name].tobytes() for name in SHAPE.weight_shapes)


@TENSORFLOW
def test_an_interrupt_after_the_last_step_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save, tokens = training._Loop.save, some_tokens()

    def save_late(loop: training._Loop, done: int) -> None:
        signal.raise_signal(signal.SIGINT)
        save(loop, done)

    monkeypatch.setattr(training._Loop, "save", save_late)
    with pytest.raises(KeyboardInterrupt):
        train(SHAPE, tokens, frequency_of(tokens), PLAN, tmp_path)
    saved = read_made_of(tmp_path / "checkpoint.npz")
    assert int(saved["done"]) == int(saved["total"])


@TENSORFLOW
def test_a_damaged_checkpoint_is_not_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\x03\x04 cut")
    tokens = some_tokens()
    with pytest.raises(TinylmError, match="checkpoint.npz.* damaged") as refused:
        train(SHAPE, tokens, frequency_of(tokens), PLAN, tmp_path)
    assert "--restart" in refused.value.hint


@TENSORFLOW
def test_a_text_shorter_than_a_batch_is_refused(tmp_path: Path) -> None:
    tokens = some_tokens(lines=2)
    with pytest.raises(TinylmError, match="only 19 words and line ends; 33 are needed"):
        train(SHAPE, tokens, frequency_of(tokens), PLAN, tmp_path)


@TENSORFLOW
@pytest.mark.parametrize("shape", [SHAPE, NetworkShape("character", 12, 0, 10)], ids=["word", "character"])
def test_the_trainers_loss_is_the_cross_entropy_of_the_numpy_network(shape: NetworkShape) -> None:
    from tinylm.network import build_trainer

    rng = np.random.default_rng(2)
    weights = initial_weights(shape, 1, np.log(np.full(shape.rows, 1 / shape.rows)))
    weights |= {n: rng.normal(0, 0.3, a.shape).astype(np.float32) for n, a in weights.items() if n.endswith("bias")}
    ids = rng.integers(0, shape.rows, (3, 5)).astype(np.int32)
    targets = rng.integers(0, shape.rows, (3, 5)).astype(np.int32)
    logits = float_steps(shape, weights, ids)["logits"].reshape(5, 3, -1).transpose(1, 0, 2)
    chances = np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, targets[..., None], -1)[..., 0]
    nothing = np.zeros((3, 1), np.int32), np.zeros((3, 1), np.float32)
    loss = build_trainer(shape, 5, weights, 0)((ids, targets, *nothing))
    assert np.allclose(np.asarray(loss)[..., 0], chances, atol=1e-4)


@TENSORFLOW
@pytest.mark.parametrize("negatives", [0, 1], ids=["full", "sampled"])
def test_beside_an_n_gram_the_loss_is_that_of_what_both_say(negatives: int) -> None:
    from tinylm.network import build_trainer

    rng = np.random.default_rng(2)
    weights = initial_weights(SHAPE, 1, np.log(np.full(SHAPE.rows, 1 / SHAPE.rows)))
    ids, targets = (rng.integers(0, SHAPE.rows, (3, 5)).astype(np.int32) for _ in range(2))
    masses = rng.choice([1e-9, 0.02, 0.7, 40.0], (3, 5)).astype(np.float32)
    rows = np.tile(np.arange(SHAPE.rows, dtype=np.int32), (3, 1)), np.zeros((3, SHAPE.rows), np.float32)
    trainer = build_trainer(SHAPE, 5, weights, negatives)
    alone, beside = (
        np.asarray(trainer((ids, targets, *rows, *more)))[..., 0] for more in ((), (np.log(masses)[..., None],))
    )
    assert np.allclose(beside, -np.log(np.exp(-alone) + masses), atol=1e-5)


@TENSORFLOW
def test_the_sampled_gradient_is_near_the_full_one() -> None:
    import tensorflow as tf

    from tinylm.network import build_trainer

    shape, plan = NetworkShape("word", 1200, 8, 8), TrainingPlan(negatives=344)
    rng = np.random.default_rng(3)
    weights = initial_weights(shape, 1, np.log(rng.dirichlet(np.ones(1200)) + 1e-5))
    ids, targets = (rng.integers(1, 1200, (4, 6)).astype(np.int32) for _ in range(2))

    def gradient(negatives: int, step: int) -> np.ndarray:
        sampled, chance = (
            sample_rows(1200, plan, step) if negatives else (np.zeros(1, np.int32), np.zeros(1, np.float32))
        )
        trainer = build_trainer(shape, 6, weights, negatives)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(trainer((ids, targets, np.tile(sampled, (4, 1)), np.tile(chance, (4, 1)))))
        return np.asarray(tape.gradient(loss, trainer.arrays["recurrent"].value)).ravel()

    full = gradient(0, 0)
    mean = np.mean([gradient(1, step) for step in range(12)], axis=0)
    assert np.dot(full, mean) / np.linalg.norm(full) / np.linalg.norm(mean) > 0.98
    assert 0.9 < np.linalg.norm(mean) / np.linalg.norm(full) < 1.1


def options_for(text: Path, **changes: object) -> RunOptions:
    plan = TrainingPlan(epochs=0.3, batch=8, steps=8, negatives=0)
    return RunOptions(**{"name": "t", "kind": "word", "language": "en", "budget": 12_000, "texts": ((str(text), 1.0),),
                         "plan": plan, **changes})  # fmt: skip


def test_a_folder_of_another_run_or_of_something_else_is_refused(tmp_path: Path) -> None:
    open_run(tmp_path / "run", options_for(TEXT))
    open_run(tmp_path / "run", options_for(TEXT))
    with pytest.raises(TinylmError, match=r"other options: budget was 12000, now 20000") as refused:
        open_run(tmp_path / "run", options_for(TEXT, budget=20_000))
    assert "--restart" in refused.value.hint
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "diary.txt").write_text("dear diary")
    with pytest.raises(TinylmError, match="holds no run"):
        open_run(tmp_path / "other", options_for(TEXT))
    with pytest.raises(TinylmError, match="cannot be made"):
        open_run(tmp_path / "other" / "diary.txt" / "run", options_for(TEXT))
    (tmp_path / "run" / "run.json").write_text("{cut")
    with pytest.raises(TinylmError, match="run.json"):
        open_run(tmp_path / "run", options_for(TEXT))


@TENSORFLOW
@pytest.mark.parametrize("kind", ["word", "character"])
def test_a_run_leaves_a_whole_model_folder(kind: str, tmp_path: Path) -> None:
    options = options_for(TEXT, kind=kind)
    open_run(tmp_path, options)
    model = train_model(options, tmp_path, lambda *_: None)
    assert load_model(tmp_path) == model
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["language_bytes"] <= options.budget
    assert not list(tmp_path.glob("*.part*"))
    assert "not stated" in (tmp_path / "README.md").read_text()
    ngram = load_model(baseline_folder(tmp_path))
    assert ngram.info.kind == "ngram" and set(ngram.words) <= set(model.words or ngram.words)
    size, bar = (len(build_language(m).content) for m in (model, ngram))
    assert 0.5 * size < bar <= size


# In a process of its own, where a clock that leaps makes every step a checkpoint.
TRAIN_SLOWLY = """
import itertools, sys, types
from tinylm import mixture_run, training
from tinylm.cli import main
mixture_run.NgramRun.choose = mixture_run.NgramRun.fit_beside  # a mixture's network learns beside its draft's n-gram
training.time = types.SimpleNamespace(monotonic=itertools.count(0, 1000).__next__)
main()
"""


def train_until(arguments: list[str], run: Path, end: int) -> tuple[int, str]:
    """Train in another process and end it with a signal at its first checkpoint: its status and what it said."""
    before = (run / "checkpoint.npz").stat().st_mtime_ns if (run / "checkpoint.npz").exists() else 0
    command = [sys.executable, "-c", TRAIN_SLOWLY, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        while process.poll() is None:
            if (run / "checkpoint.npz").exists() and (run / "checkpoint.npz").stat().st_mtime_ns > before:
                process.send_signal(end)
                break
            time.sleep(0.02)
        said = process.stderr.read()
    return process.returncode, said


@TENSORFLOW
@pytest.mark.parametrize(
    "more",
    [[], ["--teacher", str(VECTORS / "tiny-mixture")], ["--kind", "mixture"]],
    ids=["alone", "taught", "beside an n-gram"],
)
def test_a_training_that_was_killed_and_then_stopped_goes_on_to_the_same_model(
    more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_mixture = "mixture" in more
    monkeypatch.setattr(NgramRun, "choose", NgramRun.fit_beside)
    text, ended, whole = tmp_path / "text.txt", tmp_path / "ended", tmp_path / "whole"
    text.write_text("\n".join(TEXT.read_text().splitlines()[: None if is_mixture else 300]))
    arguments = [
        "train",
        str(text),
        "--budget",
        "10K",
        "--epochs",
        "0.5" if is_mixture else "4",
        "--seed",
        "5",
        *more,
        "-o",
    ]
    first = ended / "draft" if is_mixture else ended
    assert train_until([*arguments, str(ended)], first, signal.SIGKILL)[0] == -signal.SIGKILL
    status, said = train_until([*arguments, str(ended)], ended, signal.SIGINT)
    assert status == 1 and "same command again" in said and "Traceback" not in said
    assert not (ended / "model.tflite").exists()
    for folder in (ended, whole):
        assert run_cli(*arguments, folder).status == 0
    for name in ("model.tflite", "vocabulary.tsv", "model.json", "metrics.json"):
        assert (whole / name).read_bytes() == (ended / name).read_bytes()
    assert not is_mixture or len(read_made_of(whole / "draft" / "ngram.npz")["ngram"]) > 0
