"""The network of a run: texts -> tokens.bin -> checkpoint.npz -> weights.npz -> model.tflite. Knows the order of these stages.

The network of a mixture learns what its n-gram leaves, and the n-gram holds what the network leaves. So they are made in turn: a draft
of the network, which reads a quarter as often; an n-gram fitted to the draft; the network, beside that n-gram. The n-gram that ships is
fitted to this one (mixture_run.py). docs/EXPERIMENTS.md, "A network that learns beside its n-gram".
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinylm.base_ngram import BaseNgram
from tinylm.budget import Split
from tinylm.calibration import calibration_rows, first_lines
from tinylm.early_stopping import LEAST_WORDS, watch
from tinylm.flatbuffer import write_tflite
from tinylm.mixture_lesson import lesson_beside
from tinylm.mixture_run import NgramRun, NumberedText
from tinylm.model import WITH_ROWS, Model, ModelInfo
from tinylm.preparation import Source, encode_characters, encode_words, row_frequency, write_tokens
from tinylm.progress import Report, byte_counter
from tinylm.quantize import grid_of, quantize
from tinylm.reading import shares_of
from tinylm.teacher import Teacher, teach
from tinylm.training import (
    Lesson,
    TokenFile,
    Trained,
    TrainingPlan,
    checkpoint_is_stale,
    read_made_of,
    text_digest,
    train,
    write_arrays,
)

DRAFT = 0.25  # of the passes
DRAFT_FOLDER, DRAFT_NGRAM = "draft", "ngram.npz"


def words_of(info: ModelInfo, split: Split) -> Model:
    """The model of a split before it has a network; `info` lacks only the levels."""
    words = split.vocabulary
    return Model(replace(info, top_millinats=words.top_millinats), words.words, words.levels, capitals=words.capitals)


def quantized(info: ModelInfo, split: Split, weights: Mapping[str, np.ndarray], held: list[list[int]]) -> Model:
    """The model of a split with a network of these weights; `held` lines of ids calibrate it. A mixture has no n-gram yet."""
    return replace(words_of(info, split), tflite=write_tflite(quantize(split.shape, weights, calibration_rows(held))))


@dataclass(frozen=True)
class NetworkRun:
    """A network to train: what it will be, of which texts, in which folder, which is there. `info` lacks only the levels."""

    info: ModelInfo
    plan: TrainingPlan
    split: Split
    source: Source
    folder: Path
    report: Report

    @functools.cached_property
    def _written(self) -> tuple[TokenFile, list[list[str]]]:
        """What is learned, and the lines that are not."""
        reading = byte_counter("encoding", self.source.file_bytes, self.report)
        return write_tokens(self.source, self._encode, self.folder, reading)

    @functools.cached_property
    def _encode(self) -> Callable[[list[str]], list[int]]:
        is_words = self.info.kind in WITH_ROWS
        return encode_words(self.split.vocabulary) if is_words else encode_characters(self.source.alphabet)

    @property
    def held(self) -> list[list[str]]:
        """The lines that are not learned, as words."""
        return self._written[1]

    @functools.cached_property
    def numbered(self) -> NumberedText:
        """The text as the n-gram of a mixture reads it."""
        return NumberedText.write(self.source, words_of(self.info, self.split), self.folder, self.report)

    def train(self, start: dict[str, np.ndarray] | None = None, teacher: Teacher | None = None) -> Trained:
        """Train from the last checkpoint, where there is one, and write `weights.npz`.

        `start`: weights to fine-tune. `teacher`: learn from it beside the text. With either a mixture has no draft, nor where
        so few lines are held out that they decide nothing.
        Raises TinylmError when the text is too short, or the disk is full.
        """
        tokens, vocabulary, lesson = self._written[0], self.split.vocabulary, None
        digest = text_digest(tokens, vocabulary.words)
        if teacher:
            digest, lesson = teach(teacher, self.source, vocabulary, tokens, self.split.shape, self.folder, self.report)
        elif self.info.kind == "mixture" and not start and sum(map(len, self.held)) >= LEAST_WORDS:
            ngram = self._draft_ngram(digest)
            self.report("drafting", 1, 1, f"the network learns {'beside an n-gram' if ngram else 'alone'}")
            if ngram:
                lesson = lesson_beside(self.numbered.text, ngram, shares_of(words_of(self.info, self.split)))
                digest += f" beside {hashlib.sha256(ngram.content).hexdigest()} at {ngram.share}"
        if checkpoint_is_stale(self.folder, self.split.shape, self.plan, digest):
            self.report("training", 0, 1, "the text or the plan has changed: from the start")
        trained = self._learn(self.plan, self.folder, "training", digest, start, lesson)
        write_arrays(self.folder / "weights.npz", trained.weights)
        return trained

    def quantized(self, trained: Trained) -> Model:
        """The model that was trained."""
        unseen = self._unseen or first_lines(self._written[0].ids)
        return quantized(self.info, self.split, trained.weights, unseen)

    @functools.cached_property
    def _unseen(self) -> list[list[int]]:
        return [list(self._encode(words)) for words in self.held]

    def _draft_ngram(self, digest: str) -> BaseNgram | None:
        """An n-gram fitted to a draft of the network; None where held-out words are likelier beside a counted one. The folder `draft`
        keeps it. Raises TinylmError when the disk is full."""
        folder, plan = self.folder / DRAFT_FOLDER, replace(self.plan, epochs=DRAFT * self.plan.epochs)
        folder.mkdir(exist_ok=True)
        numbered = text_digest(self.numbered.text, tuple(" ".join(words) for words in self.held))
        made_of = repr((self.split.shape, plan, digest, numbered, self.split.ngram_bytes))
        kept = read_made_of(folder / DRAFT_NGRAM)
        if str(kept.get("made_of")) != made_of:
            draft = self.quantized(self._learn(plan, folder, "drafting", digest, None, None))
            found = NgramRun(draft, self.numbered, self.split.ngram_bytes, self.report).choose()
            packed = np.frombuffer(found.fit.packed.render() if found.is_fitted else b"", np.uint8)
            kept = {"made_of": made_of, "ngram": packed, "share": found.share}
            write_arrays(folder / DRAFT_NGRAM, kept)
            self.report("fitting", 1, 1, "to the draft")
        return BaseNgram(kept["ngram"].tobytes(), float(kept["share"])) if kept["ngram"].size else None

    def _learn(
        self,
        plan: TrainingPlan,
        folder: Path,
        stage: str,
        digest: str,
        start: dict[str, np.ndarray] | None,
        lesson: Lesson | None,
    ) -> Trained:
        shape, tokens = self.split.shape, self._written[0]
        return train(
            shape,
            tokens,
            row_frequency(tokens, shape.rows),
            plan,
            folder,
            lambda done, steps, loss: self.report(stage, done, steps, f"loss {loss:.3f} nats"),
            start=start,
            text=digest,
            grid=grid_of(shape),
            lesson=lesson,
            watch=watch(shape, self._unseen),
        )
