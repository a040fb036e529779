"""Fine-tuning: a trained word model as the start of another one's training. Keeps what it knew; trains nothing.

The text that a model was trained on is not at hand, so the model itself says it again: it makes sentences (rehearsal,
Robins 1995, "Catastrophic forgetting, rehearsal and pseudorehearsal"), which are learned beside the user's text. Words
that the user's text brings take the places of the rarest that the model had. A mixture talks as it predicts, with its n-gram,
which goes over too (base_ngram.py).
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinylm.base_ngram import BaseNgram, CarriedNgram
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite
from tinylm.model import BOUNDARY_ROW, FIRST_WORD_ROW, UNKNOWN_ROW, WITH_ROWS, Model, nats_of_level
from tinylm.network import NetworkShape
from tinylm.quantize import dequantize, float_step
from tinylm.vocabulary import Vocabulary

LEAST_REHEARSAL, MOST_REHEARSAL = 200_000, 1_000_000
OWN_SHARE = 0.5  # of what is learned is the user's text, unless it would be read more than MOST_REPEATS times
MOST_REPEATS = 5.0
LONGEST_LINE = 40
LINES_AT_ONCE = 256
NOMINAL_WORDS = 10_000_000  # of the counts that choose the vocabulary: fractions of a word as whole numbers
DISCOUNT = 0.75  # a word seen once may never come again (Ney, Essen and Kneser 1994)


@dataclass(frozen=True)
class Base:
    """A word model in float32, its lexicon, and the n-gram of a mixture. `words` [V-2] are those with a row, in order."""

    name: str
    shape: NetworkShape
    weights: dict[str, np.ndarray]
    words: tuple[str, ...]
    lexicon: tuple[str, ...]  # words without a row
    lexicon_share: np.ndarray  # [lexicon] of the chance of an unknown word; they may sum to less than 1
    capitals: dict[str, int]  # of words that have any
    numbers: dict[str, int]  # of words: model.numbers
    ngram: BaseNgram | None = None

    @functools.cached_property
    def spelled(self) -> dict[int, str]:
        """The word of each number."""
        return {number: word for word, number in self.numbers.items()}

    @functools.cached_property
    def lexicon_numbers(self) -> np.ndarray:
        """Of the words of `lexicon`."""
        return np.array([self.numbers[word] for word in self.lexicon], np.int64)

    @functools.cached_property
    def lexicon_reach(self) -> np.ndarray:
        """Running sum of `lexicon_share`."""
        return np.cumsum(self.lexicon_share)


def open_base(model: Model) -> Base:
    """The start that a model is. Raises TinylmError for one that has no word network of tinylm's own."""
    if model.info.kind not in WITH_ROWS:
        raise TinylmError(
            f"Only word networks and mixtures can be fine-tuned; '{model.info.name}' is of the kind '{model.info.kind}'.",
            "`tinylm models` lists them.",
        )
    shape, weights = dequantize(read_tflite(model.tflite))
    rest = [(w, level) for w, level in zip(model.words, model.levels) if level]
    share = np.exp(np.array([nats_of_level(model.info, level) for _, level in rest], np.float64))
    share /= max(1, share.sum())
    capitals = {word: high for word, high in zip(model.words, model.capitals) if high}
    ngram = BaseNgram(model.ngram, math.exp(model.info.share_millinats / 1000)) if model.ngram else None
    lexicon = tuple(w for w, _ in rest)
    return Base(model.info.name, shape, weights, model.row_words, lexicon, share, capitals, model.numbers, ngram)


@dataclass(frozen=True)
class Rehearsal:
    """Lines that a model made, and what it expects: the chance of each of its words [rows and lexicon], summing to 1 or less."""

    lines: tuple[tuple[str, ...], ...]
    chances: dict[str, float]


def rehearsal_words(own_words: int) -> int:
    """How many words to rehearse beside a text of `own_words`."""
    return int(np.clip(2 * own_words, LEAST_REHEARSAL, MOST_REHEARSAL))


def own_weight(own_words: int, rehearsed: int) -> float:
    """The weight of a text of so many words beside the rehearsal of weight 1."""
    return round(min(MOST_REPEATS, OWN_SHARE / (1 - OWN_SHARE) * rehearsed / max(1, own_words)), 2)


def rehearse(base: Base, words: int, seed: int, progress: Callable[[int], None] | None = None) -> Rehearsal:
    """Let the model talk for about `words` words; the same seed gives the same lines. `progress`: words so far."""
    rng = np.random.default_rng((seed, 11))
    lines: list[tuple[str, ...]] = []
    expected, made = np.zeros(base.shape.rows), 0
    while made < words:
        said, chances = _talk(base, rng)
        expected += chances
        spoken = [line for line in said if line]
        lines += spoken
        made += sum(map(len, spoken))
        if progress:
            progress(min(made, words))
    expected[BOUNDARY_ROW] = 0.0
    expected /= expected.sum()
    of_rows = dict(zip(base.words, expected[FIRST_WORD_ROW:].tolist()))
    of_lexicon = dict(zip(base.lexicon, (expected[UNKNOWN_ROW] * base.lexicon_share).tolist()))
    return Rehearsal(tuple(lines), of_rows | of_lexicon)


def _talk(base: Base, rng: np.random.Generator) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """LINES_AT_ONCE lines of words, and the sum of the chances that the network gave every row."""
    rows, expected = base.shape.rows, np.zeros(base.shape.rows)
    lines: list[list[str]] = [[] for _ in range(LINES_AT_ONCE)]
    alive = np.arange(LINES_AT_ONCE)
    before = last = np.zeros(LINES_AT_ONCE, np.int64)  # numbers
    h = np.zeros((LINES_AT_ONCE, base.shape.hidden), np.float32)
    for _ in range(LONGEST_LINE):
        made = float_step(base.shape, base.weights, np.where(last < rows, last, UNKNOWN_ROW), h)
        h, logits = made["h_next"], made["logits"]
        chances = np.exp(logits - logits.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        expected += chances.sum(0)
        reach = np.cumsum(chances, axis=1)
        drawn = (reach < rng.random((len(alive), 1), np.float32) * reach[:, -1:]).sum(1)
        unknown = drawn == UNKNOWN_ROW
        drawn[unknown] = _draw_unknown(base, int(unknown.sum()), rng)
        if base.ngram:
            base.ngram.put_followers(before, last, drawn, rng)
        going = drawn != BOUNDARY_ROW
        alive, before, last, h = alive[going], last[going], drawn[going], h[going]
        if not len(alive):
            break
        for line, number in zip(alive, last.tolist()):
            lines[line].append(base.spelled[number])
    return [tuple(line) for line in lines], expected


def _draw_unknown(base: Base, count: int, rng: np.random.Generator) -> np.ndarray | int:
    """The numbers of so many words of the lexicon; where there is none, the line ends."""
    if not base.lexicon:
        return BOUNDARY_ROW
    return base.lexicon_numbers[np.searchsorted(base.lexicon_reach, rng.random(count) * base.lexicon_reach[-1])]


def joined_counts(rehearsal: Rehearsal, own: Counter[str]) -> Counter[str]:
    """Counts that choose the vocabulary: half what the model expects, half the user's words, as of NOMINAL_WORDS words."""
    total = max(1, own.total())
    counts: Counter[str] = Counter()
    for word, chance in rehearsal.chances.items():
        counts[word] += math.ceil((1 - OWN_SHARE) * NOMINAL_WORDS * chance)
    for word, count in own.items():
        counts[word] += round(OWN_SHARE * NOMINAL_WORDS * (count - DISCOUNT) / total)
    return counts


def carry_over(base: Base, vocabulary: Vocabulary, counts: Counter[str], shape: NetworkShape) -> dict[str, np.ndarray]:
    """Float32 weights for another vocabulary: a word that had a row keeps it, a new one starts as the unknown word.

    `shape`: as the base's but for its rows. A new word's output bias is what its share of all new words' count makes it.
    """
    known = {word: FIRST_WORD_ROW + i for i, word in enumerate(base.words)}
    rows = [BOUNDARY_ROW, UNKNOWN_ROW] + [known.get(word, UNKNOWN_ROW) for word in vocabulary.row_ids()]
    new = np.array([False, False] + [word not in known for word in vocabulary.row_ids()])
    weights = {name: array.copy() for name, array in base.weights.items()}
    weights["embedding"] = base.weights["embedding"][rows]
    weights["output_bias"] = base.weights["output_bias"][rows]
    without_row = [n for word, n in counts.items() if word not in known]
    total = max(1, sum(without_row))
    for word, row in vocabulary.row_ids().items():
        if new[row]:
            weights["output_bias"][row] += np.float32(math.log(max(1, counts[word]) / total))
    assert {n: a.shape for n, a in weights.items()} == shape.weight_shapes
    return weights


def carry_ngram(base: Base, rehearsal: Rehearsal, weight: float) -> CarriedNgram | None:
    """The n-gram of a mixture, to be joined with a text of that weight beside the rehearsal."""
    if not base.ngram:
        return None
    words = sum(map(len, rehearsal.lines))
    said = {word: words * chance for word, chance in rehearsal.chances.items()}
    return CarriedNgram(base.ngram, base.spelled, said, words, len(rehearsal.lines), weight)
