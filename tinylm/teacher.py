"""Distillation: what a larger model expects after each place of a text, in `teacher.bin` of the run folder. Trains nothing.

The teacher reads the text once, before training: its chances of every word become chances of the student's rows, and the
likeliest of them are kept, 64 bytes a place. So a step costs little more than without it, however often the text is read.
(Hinton, Vinyals and Dean 2015, arXiv 1503.02531; word by word as in Kim and Rush 2016, arXiv 1606.07947.)

A teacher is a word network or a mixture as it ships: its int8 or int4 weights in float arithmetic, and a mixture's n-gram.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinylm.base import Base, open_base
from tinylm.base_ngram import BaseNgram
from tinylm.corpus import ALPHABETS
from tinylm.errors import TinylmError
from tinylm.model import BOUNDARY_ROW, FIRST_WORD_ROW, UNKNOWN_ROW, WITH_ROWS, Model
from tinylm.network import NetworkShape, build_reader
from tinylm.ngram import UNITS_PER_NAT, Followers
from tinylm.preparation import Source, write_tokens
from tinylm.progress import Report
from tinylm.training import Lesson, TokenFile, text_digest
from tinylm.vocabulary import Vocabulary, encode

FILE = "teacher.bin"
KEPT = 16  # rows a place
SHARE = 0.5  # of what a place wants is the teacher's, where the text's word is among the rows kept
CHUNK_LINES = 4096  # written at once: where a reading that was stopped goes on
LINES_AT_ONCE = 256  # of about one length: a step of 8,000 rows is 8 MB
_KEPT = np.dtype([("rows", "<u2", (KEPT,)), ("chances", "<f2", (KEPT,))])
_NO_TRIPLE = np.float32(1), np.zeros(0, np.int64), np.zeros(0, np.float32)
_HEAD_BYTES = 32  # SHA-256 of what the file was made of


@dataclass(frozen=True)
class Teacher:
    """A model that teaches. `said`: its name and hash, as run.json has them. `credit`: its name and licence, for the card."""

    said: str
    credit: str
    base: Base
    words: tuple[str, ...]

    @property
    def weights(self) -> int:
        """How many numbers its network has."""
        return count_weights(self.base.shape)


def count_weights(shape: NetworkShape) -> int:
    """How many numbers a network has."""
    return sum(int(np.prod(dims)) for dims in shape.weight_shapes.values())


def open_teacher(model: Model, kind: str, language: str) -> Teacher:
    """The teacher that a model is, of a student of that kind and language. Raises TinylmError where it cannot be one."""
    info, shown = model.info, "`tinylm models` lists kinds and languages."
    if kind not in WITH_ROWS:
        raise TinylmError(
            f"A teacher teaches word networks and mixtures; the kind here is '{kind}'.",
            "Leave --teacher or --kind out.",
        )
    if info.kind not in WITH_ROWS:
        raise TinylmError(
            f"Only word networks and mixtures can teach; '{info.name}' is of the kind '{info.kind}'.", shown
        )
    if info.language != language:
        raise TinylmError(
            f"The teacher '{info.name}' knows the language '{info.language}'; the text is in '{language}'.",
            f"Give --language {info.language}, or another --teacher: {shown}",
        )
    if info.alphabet != ALPHABETS[language]:
        raise TinylmError(
            f"The teacher '{info.name}' has the letters {info.alphabet}; words here are made of {ALPHABETS[language]}.",
            f"Give another --teacher: {shown}",
        )
    return Teacher(name_of(model), f"{info.name} ({info.licence})", open_base(model), model.words)


def name_of(model: Model) -> str:
    """What run.json says of a teacher."""
    return f"{model.info.name} {model.hash:08x}"


def licence_of_student(teacher: Model, given: str) -> str:
    """The student's licence: the teacher's where none was given. Raises TinylmError where the teacher's allows no other."""
    licence, none = teacher.info.licence, "not stated"
    if "SA" in licence.split("-") and given not in (none, licence):
        raise TinylmError(
            f"The teacher '{teacher.info.name}' is under {licence}, and so is what learns from it; --licence says '{given}'.",
            "Leave --licence out, or take a teacher under another licence.",
        )
    return licence if given == none else given


def teach(
    teacher: Teacher,
    source: Source,
    vocabulary: Vocabulary,
    tokens: TokenFile,
    shape: NetworkShape,
    run: Path,
    report: Report,
) -> tuple[str, Lesson]:
    """Let the teacher read the text, from where it stopped; `tokens` are the student's, of the same lines.

    Returns a digest of all that the lesson is made of, and the lesson.

    Raises TinylmError when the disk is full.
    """
    numbers = teacher.base.numbers
    read, _ = write_tokens(source, lambda words: encode(words, numbers), run, name="teacher_tokens.bin")
    made_of = (text_digest(tokens, vocabulary.words), text_digest(read, teacher.words), teacher.said, str(KEPT))
    digest = hashlib.sha256("\n".join(made_of).encode())
    larger = "" if teacher.weights > count_weights(shape) else ", which is no larger than what it teaches"
    note = f"{teacher.base.name} reads the text{larger}"
    reader = Reader(teacher.base, vocabulary)
    _read_on(reader, read, run / FILE, digest.digest(), lambda done: report("teaching", done, len(read.ids), note))
    kept = np.memmap(run / FILE, _KEPT, "r", offset=_HEAD_BYTES)
    return digest.hexdigest(), functools.partial(shares_of, kept)


def shares_of(kept: np.ndarray, places: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A Lesson: rows int32 and shares float32 [B,T,KEPT], which sum to SHARE, or to 0 where the target is not kept.

    So of rows that were not kept the text alone speaks, and how often they come is as in the text: of a target drawn from the
    teacher's own chances these shares with SHARE 1 are just those chances, in the mean.
    """
    found = kept[places.ravel()]
    rows = found["rows"].reshape(*places.shape, -1).astype(np.int32)
    chances = found["chances"].reshape(rows.shape).astype(np.float32)
    is_kept = ((rows == targets[..., None]) & (chances > 0)).any(-1, keepdims=True)
    return rows, SHARE * is_kept * chances / np.maximum(chances.sum(-1, keepdims=True), 1e-6)


def _read_on(reader: Reader, read: TokenFile, path: Path, digest: bytes, progress: object) -> None:
    """Write the rest of the file; one that was made of something else is begun again."""
    bounds = np.append(read.starts[::CHUNK_LINES], len(read.ids))
    sizes = _HEAD_BYTES + bounds * _KEPT.itemsize
    try:
        with path.open("r+b" if path.is_file() else "w+b") as file:
            is_same = file.read(_HEAD_BYTES) == digest
            chunk = int(np.searchsorted(sizes, path.stat().st_size, side="right")) - 1 if is_same else 0
            chunk = max(0, chunk)
            file.seek(0)
            file.write(digest)
            file.truncate(int(sizes[chunk]))
            file.seek(0, 2)
            for first in range(chunk * CHUNK_LINES, len(read.starts), CHUNK_LINES):
                progress(int(read.starts[first]))
                file.write(reader.read(read, first, min(first + CHUNK_LINES, len(read.starts))).tobytes())
    except OSError as error:
        raise TinylmError(
            f"'{path}' could not be written: {error.strerror}. It takes {sizes[-1]:,} bytes.",
            "Free some room, then run the same command again: it goes on where it was.",
        ) from error
    progress(len(read.ids))


class Reader:
    """A teacher's chances in a student's rows."""

    def __init__(self, base: Base, vocabulary: Vocabulary) -> None:
        rows = vocabulary.row_ids()
        self.base, self.rows = base, FIRST_WORD_ROW + len(rows)
        self.network = build_reader(base.shape, base.weights, *self._origins(rows))
        self.followers = FollowersInRows(base.ngram, self._moved(rows)) if base.ngram else None

    def _origins(self, rows: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
        """The teacher's row that each of the student's has its chance from, and what part of it; the unknown row has none yet."""
        base = self.base
        share_of = dict(zip(base.lexicon, base.lexicon_share.tolist()))
        source, factor = np.full(self.rows, UNKNOWN_ROW), np.zeros(self.rows, np.float32)
        source[BOUNDARY_ROW], factor[BOUNDARY_ROW] = BOUNDARY_ROW, 1.0
        row_of = {word: FIRST_WORD_ROW + i for i, word in enumerate(base.words)}
        for word, row in rows.items():
            source[row] = row_of.get(word, UNKNOWN_ROW)
            factor[row] = 1.0 if word in row_of else share_of.get(word, 0.0)
        return source, factor

    def _moved(self, rows: Mapping[str, int]) -> np.ndarray:
        """The student's row of each number of the teacher."""
        moved = np.full(self.base.ngram.ngram.rows, UNKNOWN_ROW)
        moved[BOUNDARY_ROW] = BOUNDARY_ROW
        for word, number in self.base.numbers.items():
            moved[number] = rows.get(word, UNKNOWN_ROW)
        return moved

    def chances(self, before: np.ndarray, last: np.ndarray, h: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Of the student's rows after the first `count` of pairs of numbers, float32 [count, rows], each summing to 1; and the
        teacher's next states, of all."""
        ids = np.where(last < self.base.shape.rows, last, UNKNOWN_ROW).astype(np.int32)
        found, h = self.network.predict_on_batch((ids, h))
        found = np.array(found[:count])
        found[:, UNKNOWN_ROW] = np.maximum(0, 1 - found.sum(axis=1))
        if self.followers:
            self.followers.add(before, last, found)
        found /= found.sum(axis=1, keepdims=True)
        return found, h

    def read(self, tokens: TokenFile, first: int, end: int) -> np.ndarray:
        """What is kept of each place of the lines from `first` to `end`, in order."""
        bounds = np.append(
            tokens.starts[first:end], tokens.starts[end] if end < len(tokens.starts) else len(tokens.ids)
        )
        starts, sizes = bounds[:-1] - bounds[0], np.diff(bounds)
        ids = tokens.ids[bounds[0] : bounds[-1]].astype(np.int64)
        kept = np.zeros(len(ids), _KEPT)
        order = np.argsort(-sizes, kind="stable")
        for group in range(0, len(order), LINES_AT_ONCE):
            lines = order[group : group + LINES_AT_ONCE]
            before = last = np.full(LINES_AT_ONCE, BOUNDARY_ROW)
            h = np.zeros((LINES_AT_ONCE, self.base.shape.hidden), np.float32)
            for t in range(int(sizes[lines[0]])):
                places = starts[lines[sizes[lines] > t]] + t
                before, last = (
                    last,
                    np.pad(ids[places], (0, LINES_AT_ONCE - len(places))),
                )  # of one shape, compiled once
                found, h = self.chances(before, last, h, len(places))
                kept[places] = _likeliest(found)
        return kept


def _likeliest(chances: np.ndarray) -> np.ndarray:
    """The KEPT likeliest of each line of chances [n, rows]; where there are fewer, the rest is row 0 of no chance."""
    kept = np.zeros(len(chances), _KEPT)
    size = min(KEPT, chances.shape[1])
    rows = np.argpartition(chances, -size, axis=1)[:, -size:]
    kept["rows"][:, :size] = rows
    kept["chances"][:, :size] = np.take_along_axis(chances, rows, axis=1)
    return kept


class FollowersInRows:
    """A mixture's n-gram in a student's rows. A context of two has what its last word has, less its back-off, and more of a few."""

    def __init__(self, ngram: BaseNgram, moved: np.ndarray) -> None:
        self.moved, self.share = moved, ngram.share
        read = ngram.ngram
        self.pairs = {last: self._sum(_chances(found)) for last, found in read.pairs.items()}
        self.triples = {}
        for (before, last), found in read.triples.items():
            left, pair = np.float32(np.exp(found.backoff / -UNITS_PER_NAT)), read.pairs[last].costs
            more = (
                (row, max(0.0, chance - left * np.exp(pair[row] / -UNITS_PER_NAT))) for row, chance in _chances(found)
            )
            self.triples[before, last] = (left, *self._sum(more))

    def _sum(self, chances: Iterable[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
        """The student's rows, each once, and the chance of each times the n-gram's share."""
        numbers, values = zip(*chances, strict=True)
        rows, place = np.unique(self.moved[list(numbers)], return_inverse=True)
        return rows, (self.share * np.bincount(place, values)).astype(np.float32)

    def add(self, before: np.ndarray, last: np.ndarray, chances: np.ndarray) -> None:
        """Add to the network's chances [n, rows]."""
        for line, context in zip(chances, zip(before.tolist(), last.tolist())):
            if context[1] in self.pairs:
                left, rows, more = self.triples.get(context, _NO_TRIPLE)
                found, pair = self.pairs[context[1]]
                line[found] += left * pair
                line[rows] += more


def _chances(found: Followers) -> Iterator[tuple[int, float]]:
    return ((row, float(np.exp(cost / -UNITS_PER_NAT))) for row, cost in found.costs.items())
