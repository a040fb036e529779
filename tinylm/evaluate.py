"""Measures a model's int8 artifact on texts, on this computer. Knows models and files; the rule itself is measure.py's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from tinylm.corpus import find_texts, read_lines, word_finder
from tinylm.engine import HOST_SIZES, HostEngine
from tinylm.errors import TinylmError
from tinylm.measure import Figures, Tally, figures_of, interval_of, resample, split_line, type_lines
from tinylm.model import BOUNDARY_ROW, UNKNOWN_ROW, Model, nats_of_level
from tinylm.ngram import UNITS_PER_NAT

SHOWN_TOO = (1, 3, 5)  # suggestions: KSS is told for each beside the number asked for
LEAST_SPELLED = 0.01  # share of the unknown row that is kept for words outside the lexicon


@dataclass(frozen=True)
class TextFigures:
    """Figures of one text file, and (characters, keystrokes) of each of its lines."""

    text: str
    figures: Figures
    lines: tuple[tuple[int, int], ...] = field(repr=False)


@dataclass(frozen=True)
class Evaluation:
    """What `tinylm evaluate` shows: each text, and the mean of their savings.

    With a user memory of `memory_bytes` every text is another user's, who begins with an empty one; `unlearned` has the
    same texts without it.
    """

    model: str
    kind: str
    language_bytes: int
    shown: int
    texts: tuple[TextFigures, ...]
    memory_bytes: int = 0
    unlearned: tuple[TextFigures, ...] = ()

    @property
    def mean_kss(self) -> float:
        """Mean of the texts' savings, each text counted once."""
        return _mean_kss(self.texts)

    def resamples(self) -> np.ndarray:
        """Bootstrap resamples of `mean_kss`: each text's lines are drawn apart."""
        return np.mean([resample(t.lines, (1, i)) for i, t in enumerate(self.texts)], axis=0)

    def mean_figures(self) -> Figures:
        """The mean of every percentage, and the sums of what is counted; the interval is of the mean."""
        figures = [t.figures for t in self.texts]
        bits = [f.bits_per_character for f in figures]
        return Figures(
            kss=self.mean_kss,
            kss_at={n: _mean(f.kss_at[n] for f in figures) for n in SHOWN_TOO},
            interval=interval_of(self.resamples()),
            next_word_top1=_mean(f.next_word_top1 for f in figures),
            next_word_top3=_mean(f.next_word_top3 for f in figures),
            top3_after_letters=tuple(_mean(shares) for shares in zip(*(f.top3_after_letters for f in figures))),
            out_of_vocabulary=_mean(f.out_of_vocabulary for f in figures),
            bits_per_character=None if None in bits else _mean(bits),
            lines=sum(f.lines for f in figures),
            words=sum(f.words for f in figures),
            characters=sum(f.characters for f in figures),
            keystrokes=sum(f.keystrokes for f in figures),
        )

    @property
    def gain(self) -> float:
        """What learning adds to the mean."""
        return self.mean_kss - _mean_kss(self.unlearned) if self.unlearned else 0.0

    def as_json(self) -> dict:
        """For programs."""
        texts = {t.text: asdict(t.figures) for t in self.texts}
        learning = {
            "memory_bytes": self.memory_bytes,
            "gain": self.gain,
            "without_learning": {t.text: asdict(t.figures) for t in self.unlearned},
        }
        return {
            "model": self.model,
            "kind": self.kind,
            "language_bytes": self.language_bytes,
            "shown": self.shown,
            "mean_kss": self.mean_kss,
            "mean": asdict(self.mean_figures()),
            "texts": texts,
        } | (learning if self.memory_bytes else {})


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _mean_kss(texts: Sequence[TextFigures]) -> float:
    return float(np.mean([t.figures.kss for t in texts]))


def load_lines(path: Path, alphabet: str, most: int | None = None) -> list[list[str]]:
    """The normalised lines of a text that have a word, at most `most`; one too long for the engine is several."""
    words_of = word_finder(alphabet)
    lines: list[list[str]] = []
    for line in read_lines(path):
        lines += split_line(words_of(line), HOST_SIZES.line_bytes)
        if most and len(lines) >= most:
            del lines[most:]
            break
    if not lines:
        raise TinylmError(f"'{path}' has no word in it.", f"Letters that count: {alphabet}")
    return lines


def evaluate_model(
    model: Model,
    language_bytes: int,
    paths: Sequence[Path],
    shown: int = 3,
    most_lines: int | None = None,
    report: Callable[[str, int, int], None] | None = None,
    memory_bytes: int = 0,
) -> Evaluation:
    """Type every text on the host engine, with a user memory also without it. `report(text, lines done, lines)`."""
    texts = find_texts(paths)
    stems = [path.stem for path in texts]
    names = [path.stem if stems.count(path.stem) == 1 else str(path) for path in texts]
    lines = [load_lines(path, model.info.alphabet, most_lines) for path in texts]
    named = list(zip(names, lines))
    found = tuple(_type_texts(model, named, shown, memory_bytes, report))
    unlearned = tuple(_type_texts(model, named, shown, 0, report)) if memory_bytes else ()
    info = model.info
    return Evaluation(info.name, info.kind, language_bytes, shown, found, memory_bytes, unlearned)


def _type_texts(
    model: Model,
    texts: Sequence[tuple[str, list[list[str]]]],
    shown: int,
    memory_bytes: int,
    report: Callable[[str, int, int], None] | None,
) -> Iterator[TextFigures]:
    """The figures of each text (name, lines)."""
    engine = HostEngine(model, memory_bytes)
    words = set(model.words)
    known = words.__contains__ if words else lambda _: True
    for name, lines in texts:
        told = _teller(f"{name}, learning" if memory_bytes else name, len(lines), report)
        tallies = {}
        for number in sorted({shown, *SHOWN_TOO}):
            if memory_bytes:
                engine.forget()
            asked = number == shown
            tallies[number] = type_lines(
                engine, lines, number, known, asked, told if asked else None, learn=bool(memory_bytes)
            )
        add_bits(engine, lines, tallies[shown])
        others = {number: tallies[number] for number in SHOWN_TOO}
        yield TextFigures(name, figures_of(tallies[shown], others), tuple(tallies[shown].lines))


def _teller(label: str, lines: int, report: Callable[[str, int, int], None] | None) -> Callable[[int], None] | None:
    return (lambda done: report(label, done, lines)) if report else None


def add_bits(engine: HostEngine, lines: Sequence[Sequence[str]], tally: Tally) -> None:
    """Bits that the model needs for the lines: every letter, every space, and the end of each line."""
    kind = engine.model.info.kind
    if kind == "ngram":
        return  # it has no probability of a line's end, nor of a word that it does not know
    cost = {"word": _WordCost, "character": _SymbolCost, "mixture": _MixtureCost}[kind](engine)
    for words in lines:
        tally.bits += cost.line_bits(words)
        tally.bit_characters += len(" ".join(words)) + 1


def _nats(scores: np.ndarray, units_per_nat: int) -> np.ndarray:
    """-log P of every row."""
    logits = scores / units_per_nat
    return np.log(np.sum(np.exp(logits - logits.max()))) + logits.max() - logits


class _WordCost:
    """Words with a row cost their row; others the unknown row and their share of it; unknown ones are spelled evenly."""

    def __init__(self, engine: HostEngine) -> None:
        info, model = engine.model.info, engine.model
        self.engine, self.units = engine, engine.units_per_nat
        self.row = {w: i + 2 for i, w in enumerate(model.row_words)}
        self.extra = {w: -nats_of_level(info, level) for w, level in zip(model.words, model.levels) if level}
        known = sum(math.exp(-nats) for nats in self.extra.values())
        self.scale = min(1.0, (1 - LEAST_SPELLED) / known) if known else 1.0
        self.spelled = -math.log(max(LEAST_SPELLED, 1 - known))
        self.letter = math.log(len(info.alphabet) + 1)

    def line_bits(self, words: Sequence[str]) -> float:
        total, line = 0.0, ""
        for word in (*words, ""):
            self.engine.type_line(line)
            total += self._next(word)
            line += word + " "
        return total / math.log(2)

    def _next(self, word: str) -> float:
        """Nats of the next word; of the line's end for ''."""
        nats = _nats(self.engine.scores(), self.units)
        return self._word(word, nats) if word else nats[BOUNDARY_ROW]

    def _word(self, word: str, nats: np.ndarray) -> float:
        if word in self.row:
            return nats[self.row[word]]
        if word in self.extra:
            return nats[UNKNOWN_ROW] + self.extra[word] - math.log(self.scale)
        return nats[UNKNOWN_ROW] + self.spelled + self.letter * (len(word) + 1)


class _MixtureCost(_WordCost):
    """As words, and followers their share of the n-gram; all of it scaled to sum to 1."""

    def __init__(self, engine: HostEngine) -> None:
        super().__init__(engine)
        self.numbers, self.share = engine.model.numbers, math.exp(engine.model.info.share_millinats / 1000)

    def _next(self, word: str) -> float:
        network = super()._next(word)
        followers = {row: self.share * math.exp(-c / UNITS_PER_NAT) for row, c in self.engine.followers().items()}
        own = followers.get(self.numbers[word], 0.0) if word in self.numbers else 0.0
        return math.log(1 + sum(followers.values())) - math.log(math.exp(-network) + own)


class _SymbolCost:
    """Every letter, space and line end costs its symbol."""

    def __init__(self, engine: HostEngine) -> None:
        self.engine, self.units = engine, engine.units_per_nat
        self.symbol = {letter: i + 2 for i, letter in enumerate(engine.model.info.alphabet)} | {" ": 1}

    def line_bits(self, words: Sequence[str]) -> float:
        total, line = 0.0, " ".join(words)
        for i in range(len(line) + 1):
            self.engine.type_line(line[:i])
            nats = _nats(self.engine.scores(), self.units)
            total += nats[self.symbol[line[i]] if i < len(line) else 0]
        return total / math.log(2)
