"""Training: from tokens to float weights, resumable. Knows batches, epochs and checkpoints; int8 is quantize.py's.

What is learned is row ids in `tokens.bin` (preparation.py: 2 bytes a word, memory-mapped), so memory does not grow with the
text but by what a lesson keeps of it. The order of lines in epoch e and the sampled
rows of step s depend on (seed, e) and (seed, s) alone: a run that was killed goes on where its checkpoint was and ends
with the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinylm.early_stopping import LOOKS, Watch
from tinylm.errors import TinylmError
from tinylm.interrupts import HeldInterrupts
from tinylm.network import NetworkShape, build_trainer, initial_weights

Progress = Callable[[int, int, float], None]  # step, steps, mean loss in nats a word
# From places in the tokens [B,T] and the targets there to what the loss takes besides (build_trainer): of a teacher rows [B,T,k] that are
# wanted too and the share of each (teacher.py), of an n-gram what it adds [B,T,1] (mixture_lesson.py).
Lesson = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, ...]]
# From weights to the grid that each will be rounded to: name -> (scale that spreads over the array, largest multiple of it).
Grid = Callable[[dict[str, np.ndarray]], dict[str, tuple[np.ndarray, int]]]
# Tokens of a run that XLA compiles with TensorFlow: with fewer its seconds are not paid back (benchmarks/prediction.md, Training).
LEAST_COMPILED = 2_000_000
CHECKPOINT = "checkpoint.npz"
LAST_OF_EARLY = 0.3  # of the steps before it: the last part of a run that ends early
BACKENDS = {"tensorflow": "pip install 'tinylm[train]'", "jax": "pip install jax"}  # of Keras: what installs each
ALWAYS_SCORED = 512  # commonest rows are in every sampled softmax: they carry most of its mass


@dataclass(frozen=True)
class TrainingPlan:
    """How to train. `batch` rows of `steps` tokens a step; `negatives` sampled rows, 0 = all; learning rate peak."""

    epochs: float = 3.0
    batch: int = 128
    steps: int = 24
    learning_rate: float = 3e-3
    negatives: int = 1024
    seed: int = 1
    checkpoint_s: float = 120.0
    # In the last part of a run all rows are scored, so that scores are calibrated, and weights are rounded as they will be.
    full_share: float = 0.12


@dataclass(frozen=True)
class Trained:
    """What a run ends with: float32 weights (`NetworkShape.weight_shapes`), and how many epochs it took."""

    weights: dict[str, np.ndarray]
    epochs: float


@dataclass(frozen=True)
class TokenFile:
    """uint16 ids, each line led by id 0; `starts` [lines] are the positions of the zeros."""

    ids: np.ndarray
    starts: np.ndarray
    weights: np.ndarray  # [lines] how often an epoch reads the line, 1.0 = once


def choose_backend() -> str:
    """The Keras backend that training runs on: KERAS_BACKEND, else TensorFlow, else JAX, whichever is installed.

    Raises TinylmError when Keras or every backend is missing, or KERAS_BACKEND is none that is there.
    """
    there = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if not importlib.util.find_spec("keras") or not there:
        raise TinylmError(
            "Training needs Keras and TensorFlow, which are not installed.", "pip install 'tinylm[train]'"
        )
    chosen = os.environ.setdefault("KERAS_BACKEND", there[0])
    if chosen not in BACKENDS:
        raise TinylmError(
            f"KERAS_BACKEND is '{chosen}'; training runs on {' and '.join(BACKENDS)}.", f"KERAS_BACKEND={there[0]}"
        )
    if chosen not in there:
        raise TinylmError(f"KERAS_BACKEND is '{chosen}', which is not installed.", BACKENDS[chosen])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return chosen


def line_order(tokens: TokenFile, seed: int, epoch: int) -> np.ndarray:
    """Indices of an epoch's lines, shuffled; a line of weight 2.5 is there two or three times."""
    rng = np.random.default_rng((seed, epoch))
    whole = np.floor(tokens.weights).astype(np.int64)
    times = whole + (rng.random(len(whole)) < tokens.weights - whole)
    order = np.repeat(np.arange(len(whole)), times)
    rng.shuffle(order)
    return order


def epoch_rows(tokens: TokenFile, plan: TrainingPlan, epoch: int) -> Any:
    """Yields (ids, targets) int32 and the places of the ids in `tokens` int64, each [batch, steps], over one epoch: shuffled
    lines laid end to end, cut in rows."""
    order = line_order(tokens, plan.seed, epoch)
    ends = np.append(tokens.starts[1:], len(tokens.ids))
    need = plan.batch * plan.steps
    held, size = [], 0
    for line in order:
        piece = np.arange(tokens.starts[line], ends[line])
        held.append(piece)
        size += len(piece)
        if size > need:
            places = np.concatenate(held)
            ids = tokens.ids[places[: need + 1]].astype(np.int32)
            yield tuple(part.reshape(plan.batch, -1) for part in (ids[:need], ids[1:], places[:need]))
            held, size = [places[need:]], size - need


def steps_in_epoch(tokens: TokenFile, plan: TrainingPlan) -> int:
    """Close to the number of batches that an epoch yields (weights are drawn, so +-1)."""
    ends = np.append(tokens.starts[1:], len(tokens.ids))
    words = float(np.sum((ends - tokens.starts) * tokens.weights))
    return int(words // (plan.batch * plan.steps))


def sample_rows(rows: int, plan: TrainingPlan, step: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows a step scores, int32 [K], and log of the chance that each was drawn, float32 [K].

    Rows are not in order of frequency here, so the caller passes ids through its ranking.
    """
    fixed = min(ALWAYS_SCORED, rows)
    rest = rows - fixed
    drawn = min(plan.negatives, rest)
    rng = np.random.default_rng((plan.seed, 7, step))
    sampled = np.concatenate([np.arange(fixed), fixed + rng.permutation(rest)[:drawn]]).astype(np.int32)
    chance = np.zeros(len(sampled), np.float32)
    if drawn:
        chance[fixed:] = np.log(drawn / rest)
    return sampled, chance


def train(
    shape: NetworkShape,
    tokens: TokenFile,
    frequency: np.ndarray,
    plan: TrainingPlan,
    run: Path,
    progress: Progress | None = None,
    start: dict[str, np.ndarray] | None = None,
    text: str = "",
    grid: Grid | None = None,
    lesson: Lesson | None = None,
    watch: Watch | None = None,
) -> Trained:
    """Train a network. Resumes from `run`/checkpoint.npz when it fits.

    `grid`: train the last part with weights rounded to it (gradients go straight through: Bengio et al. 2013, arXiv 1308.3432)
    and return them rounded. `text`: a digest of what is learned (text_digest); a checkpoint of another text is not resumed.
    `lesson`: a teacher's, learned beside the text, or what an n-gram beside the network tells. `watch`: ends the run early when it says so.
    `frequency` [V]: how often each row is a target. `start`: weights to fine-tune instead of a fresh start.
    """
    planned = max(1, round(plan.epochs * steps_in_epoch(tokens, plan)))
    ranked = np.argsort(-frequency, kind="stable").astype(np.int32)
    if start is None:
        chance = (frequency + 0.5) / (frequency.sum() + 0.5 * len(frequency))
        start = initial_weights(shape, plan.seed, np.log(chance))
    loop = _Loop(shape, plan, start, planned, run, text, grid, lesson, watch)
    done, sums = loop.restore(), []
    saved = time.monotonic()
    try:
        with HeldInterrupts() as interrupts:
            for step, batch in _batches(tokens, plan, done):
                if step >= loop.total:
                    break
                sums.append(loop.learn(step, *batch, ranked))
                done = step + 1
                loop.look(done)
                if progress and step % 20 == 0:
                    progress(step, loop.total, float(np.mean(sums[-200:])))
                if time.monotonic() - saved > plan.checkpoint_s:
                    loop.save(done)
                    saved = time.monotonic()
                interrupts.check()
            loop.save(loop.total)  # before an interrupt that came after the last step
    except KeyboardInterrupt:
        if len(sums) and done == step + 1:  # not in the middle of a step
            loop.save(done)
        raise
    return Trained(loop.rounded(), plan.epochs * (loop.total / planned))


def _batches(tokens: TokenFile, plan: TrainingPlan, done: int) -> Any:
    """(step, batch) from step `done` on, epoch after epoch."""
    step = epoch = 0
    while True:
        before = step
        for batch in epoch_rows(tokens, plan, epoch):
            if step >= done:
                yield step, batch
            step += 1
        if step == before:
            raise TinylmError(
                f"The text has only {len(tokens.ids):,} words and line ends; {plan.batch * plan.steps + 1:,} are needed to train.",
                "Give a longer text.",
            )
        epoch += 1


class _Loop:
    """The Keras side of training: trainers, one a phase, that share one set of arrays and one Adam."""

    def __init__(
        self,
        shape: NetworkShape,
        plan: TrainingPlan,
        start: dict[str, np.ndarray],
        planned: int,
        run: Path,
        text: str,
        grid: Grid | None,
        lesson: Lesson | None,
        watch: Watch | None,
    ) -> None:
        choose_backend()
        import keras

        keras.utils.set_random_seed(plan.seed)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.experimental.enable_op_determinism()
        self.plan, self.planned, self.run, self.shape, self.text = plan, planned, run, shape, text
        self.grid, self.lesson, self.watch = grid, lesson, watch
        self.sampled = plan.negatives and shape.rows > ALWAYS_SCORED + plan.negatives
        self.total, self.last_part = planned, round(planned * (1 - plan.full_share))
        # JAX runs nothing else. The same plan, so the same choice, after a checkpoint.
        self.compiled = keras.backend.backend() == "jax" or planned * plan.batch * plan.steps >= LEAST_COMPILED
        self.trainer, self.phase = None, None
        self.start, self.slots = start, None
        self.steps_of_grid: dict[str, tuple[np.ndarray, int]] = {}  # chosen when the last part begins

    def _trainer(self, negatives: int, is_rounded: bool) -> Any:
        """The trainer for this phase; the arrays and Adam's memory move over from the one before."""
        import keras

        if self.trainer is None or (negatives, is_rounded) != self.phase:
            if self.trainer is not None:
                self.start, self.slots = self.weights(), self._slots()
            if is_rounded and not self.steps_of_grid:
                self.steps_of_grid = self.grid(self.start)
            rounding = self.steps_of_grid if is_rounded else {}
            trainer = build_trainer(self.shape, self.plan.steps, self.start, negatives, rounding)
            optimizer = keras.optimizers.Adam(self.plan.learning_rate, clipnorm=1.0, beta_2=0.99)
            trainer.compile(optimizer=optimizer, loss=lambda _, loss: loss, jit_compile=self.compiled)
            optimizer.build(trainer.trainable_variables)
            if self.slots is not None:
                for variable, value in zip(optimizer.variables, self.slots):
                    variable.assign(value)
            self.trainer, self.phase = trainer, (negatives, is_rounded)
        return self.trainer

    def learn(self, step: int, ids: np.ndarray, targets: np.ndarray, places: np.ndarray, ranked: np.ndarray) -> float:
        """One step of Adam; returns the mean loss in nats."""
        is_last = step >= self.last_part
        negatives = self.plan.negatives if self.sampled and not is_last else 0
        trainer = self._trainer(negatives, is_last and self.grid is not None)
        trainer.optimizer.learning_rate = self._rate(step)
        if negatives:
            sampled, chance = sample_rows(self.shape.rows, self.plan, step)
            sampled = ranked[sampled]
        else:
            sampled, chance = np.zeros(1, np.int32), np.zeros(1, np.float32)
        batch = len(ids)
        taught = self.lesson(places, targets) if self.lesson else ()
        inputs = (ids, targets, np.repeat(sampled[None], batch, 0), np.repeat(chance[None], batch, 0), *taught)
        return float(trainer.train_on_batch(inputs, np.zeros((batch, ids.shape[1], 1), np.float32)))

    def look(self, done: int) -> None:
        """See how the lines fare that are not learned, where it is time; the last part may begin."""
        if self.watch and done < self.last_part and done % max(1, self.planned // LOOKS) == 0:
            if self.watch.look(self.weights()):
                self.start, self.slots, self.trainer = self.watch.weights, self._slots(), None
                self.last_part, self.total = done, min(self.planned, done + max(1, round(LAST_OF_EARLY * done)))

    def _rate(self, step: int) -> float:
        """Linear warm-up over 2 %, then a cosine to 2 % of the peak; of a run that ends early another one for its last part."""
        if self.total < self.planned and step >= self.last_part:
            return self._planned_rate(self.last_part) * _cosine(self.last_part, step, self.total)
        return self._planned_rate(step)

    def _planned_rate(self, step: int) -> float:
        warm = max(1, self.planned // 50)
        if step < warm:
            return self.plan.learning_rate * (step + 1) / warm
        return self.plan.learning_rate * _cosine(warm, step, self.planned)

    def weights(self) -> dict[str, np.ndarray]:
        """Float32 arrays as they are now."""
        if self.trainer is None:
            return self.start
        return {name: np.asarray(value) for name, value in self.trainer.arrays.items()}

    def rounded(self) -> dict[str, np.ndarray]:
        """The weights on their grid, where one was chosen."""
        return {name: round_to_grid(value, self.steps_of_grid.get(name)) for name, value in self.weights().items()}

    def _slots(self) -> list[np.ndarray]:
        return [np.asarray(v) for v in self.trainer.optimizer.variables] if self.trainer else self.slots

    def save(self, done: int) -> None:
        """Write the checkpoint, whole or not at all."""
        arrays = {f"w_{k}": v for k, v in self.weights().items()}
        arrays |= {f"s_{i:03d}": v for i, v in enumerate(self._slots() or [])}
        arrays |= {f"g_{k}": np.append(*g) for k, g in self.steps_of_grid.items()}
        arrays |= self.watch.saved() if self.watch else {}
        arrays |= {"done": done, "total": self.total, "last_part": self.last_part}
        arrays |= {"made_of": _made_of(self.shape, self.plan, self.text)}
        write_arrays(self.run / CHECKPOINT, arrays)

    def restore(self) -> int:
        """Steps already done by a checkpoint of the same plan, shape and text, else 0."""
        saved = read_made_of(self.run / CHECKPOINT)
        if str(saved.get("made_of")) != _made_of(self.shape, self.plan, self.text):
            return 0
        self.start = {k[2:]: v for k, v in saved.items() if k.startswith("w_")}
        self.slots = [saved[k] for k in sorted(saved) if k.startswith("s_")] or None
        grids = {k[2:]: v for k, v in saved.items() if k.startswith("g_")}
        self.steps_of_grid = {k: (v[:-1].astype(np.float32), int(v[-1])) for k, v in grids.items()}
        if self.watch:
            self.watch.restore(saved)
        self.total = int(saved.get("total", self.total))
        self.last_part = int(saved.get("last_part", self.last_part))
        return int(saved["done"])


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write an .npz, whole or not at all. Raises TinylmError when the disk is full."""
    part = path.with_name(path.stem + ".part.npz")
    try:
        np.savez(part, **arrays)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TinylmError(
            f"'{path}' could not be written: {error.strerror}.",
            "Free some room, then run the same command again: it goes on from the last checkpoint.",
        ) from error


def _cosine(first: int, step: int, end: int) -> float:
    """From 1 at step `first` to 0.02 at `end`."""
    return 0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * (step - first) / max(1, end - first))))


def round_to_grid(values: np.ndarray, grid: tuple[np.ndarray, int] | None) -> np.ndarray:
    """The nearest multiples of a scale, up to `most` of them."""
    if grid is None:
        return values
    scale, most = grid
    return np.clip(np.round(values / scale), -most, most).astype(np.float32) * scale


def _made_of(shape: NetworkShape, plan: TrainingPlan, text: str) -> str:
    """What a checkpoint must have in common with a run to be its own."""
    return repr((asdict(shape), asdict(plan), text))


def read_made_of(path: Path) -> dict[str, np.ndarray]:
    """An .npz that says what it was made of; nothing where there is none. Raises TinylmError for a damaged one."""
    if not path.is_file():
        return {}
    try:
        with np.load(path) as saved:
            return {name: saved[name] for name in saved.files} if "made_of" in saved.files else {}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TinylmError(f"The checkpoint '{path}' is damaged: {error}.", "Start afresh with --restart.") from error


def checkpoint_is_stale(run: Path, shape: NetworkShape, plan: TrainingPlan, text: str) -> bool:
    """Whether there is a checkpoint that training will not resume."""
    saved = read_made_of(run / CHECKPOINT)
    return bool(saved) and str(saved["made_of"]) != _made_of(shape, plan, text)


def text_digest(tokens: TokenFile, words: tuple[str, ...]) -> str:
    """SHA-256 over the token ids, the lines' weights, and the words that the ids stand for."""
    digest = hashlib.sha256("\n".join(words).encode())
    for array in (tokens.ids, tokens.starts, tokens.weights):
        for start in range(0, len(array), 1 << 20):
            digest.update(array[start : start + (1 << 20)].tobytes())
    return digest.hexdigest()
