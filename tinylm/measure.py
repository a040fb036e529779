"""What a model is worth to a person who types: keystroke savings and its companions. Knows the rule; knows no C.

The rule is ../docs/SPEC.md's ("The measure"): text is lower-cased to the alphabet's letters and single spaces; a person
takes the wanted word as soon as it is among the N shown, also before its first letter; a pick costs one key and brings
its space; a word typed to the end costs its letters and a space, the last word of a line no space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinylm.engine import Engine

BOOTSTRAP = 1000
AFTER_LETTERS = (0, 1, 2, 3)


@dataclass
class Tally:
    """Counts over lines. `lines`: (characters, keystrokes) of each."""

    lines: list[tuple[int, int]] = field(default_factory=list)
    words: int = 0
    unknown_words: int = 0
    top1: int = 0
    shown: dict[int, int] = field(default_factory=lambda: dict.fromkeys(AFTER_LETTERS, 0))
    long_enough: dict[int, int] = field(default_factory=lambda: dict.fromkeys(AFTER_LETTERS, 0))
    bits: float = 0.0
    bit_characters: int = 0

    def add(self, other: Tally) -> None:
        """Take another tally's counts in."""
        self.lines += other.lines
        self.words += other.words
        self.unknown_words += other.unknown_words
        self.top1 += other.top1
        for n in AFTER_LETTERS:
            self.shown[n] += other.shown[n]
            self.long_enough[n] += other.long_enough[n]
        self.bits += other.bits
        self.bit_characters += other.bit_characters


@dataclass(frozen=True)
class Figures:
    """Percentages but for counts; `interval`: 95 % of sentence-level bootstrap resamples of kss.

    `kss_at`: the savings of a person who sees so many suggestions, for each number that was asked for.
    """

    kss: float
    kss_at: dict[int, float]
    interval: tuple[float, float]
    next_word_top1: float
    next_word_top3: float
    top3_after_letters: tuple[float, ...]  # after 1, 2, 3 letters, of words that are longer than that
    out_of_vocabulary: float
    bits_per_character: float | None
    lines: int
    words: int
    characters: int
    keystrokes: int


def split_line(words: Sequence[str], line_bytes: int) -> list[list[str]]:
    """A line in pieces that an engine can hold, a space after each word counted; no piece for no words.

    A word longer than that by itself is left out: nobody types it.
    """
    pieces: list[list[str]] = []
    size = line_bytes
    for word in words:
        needed = len(word.encode()) + 1
        if needed > line_bytes:
            continue
        if size + needed > line_bytes:
            pieces.append([])
            size = 0
        pieces[-1].append(word)
        size += needed
    return pieces


def suggested_words(engine: Engine, shown: int) -> list[str]:
    """What the engine shows, in lower case: capitals are no keystrokes of this measure."""
    return [suggestion.lower() for suggestion in engine.suggest(shown)]


def type_word(engine: Engine, word: str, last: bool, shown: int) -> int:
    """Type one word as the rule says; returns the keys pressed."""
    for typed in range(len(word)):
        suggestions = suggested_words(engine, shown)
        if word in suggestions:
            engine.accept(suggestions.index(word))
            return typed + 1
        engine.feed(word[typed])
    if not last:
        engine.feed(" ")
    return len(word) + (not last)


def probe_word(engine: Engine, word: str, tally: Tally) -> None:
    """Count whether the word is among the first 3 when its letters 0 to 3 were typed at once; leaves the line as it was."""
    for typed in reversed(
        range(min(len(word), len(AFTER_LETTERS)))
    ):  # none is shown before another, or it passes over words
        if typed:
            engine.feed(word[:typed])
        suggestions = suggested_words(engine, 3)
        tally.long_enough[typed] += 1
        tally.shown[typed] += word in suggestions
        tally.top1 += typed == 0 and suggestions[:1] == [word]
        for _ in range(typed):
            engine.backspace()


def type_line(
    engine: Engine,
    words: Sequence[str],
    shown: int,
    known: Callable[[str], bool],
    probe: bool,
    learn: bool = False,
) -> Tally:
    """Type one line from an empty one; `probe`: look at the top 3 after 0 to 3 letters too; `learn`: end it by a newline."""
    tally = Tally()
    engine.reset()
    keys = 0
    for i, word in enumerate(words):
        tally.words += 1
        tally.unknown_words += not known(word)
        if probe:
            probe_word(engine, word, tally)
        keys += type_word(engine, word, i == len(words) - 1, shown)
    tally.lines.append((len(" ".join(words)), keys))
    if learn:
        engine.feed("\n")
    return tally


def type_lines(
    engine: Engine,
    lines: Iterable[Sequence[str]],
    shown: int,
    known: Callable[[str], bool],
    probe: bool = True,
    progress: Callable[[int], None] | None = None,
    learn: bool = False,
) -> Tally:
    """Type all lines (each a list of words, none empty); `learn`: an engine with a memory learns them as it goes."""
    tally = Tally()
    for number, words in enumerate(lines):
        tally.add(type_line(engine, words, shown, known, probe, learn))
        if progress:
            progress(number + 1)
    return tally


def figures_of(tally: Tally, others: Mapping[int, Tally] | None = None) -> Figures:
    """Percentages of a tally of at least one line; `others`: the same lines typed with other numbers of suggestions."""
    characters, keys = np.array(tally.lines).sum(axis=0)
    later = tuple(_share(tally.shown[n], tally.long_enough[n]) for n in AFTER_LETTERS[1:])
    return Figures(
        kss=savings_of(tally.lines),
        kss_at={shown: savings_of(other.lines) for shown, other in sorted((others or {}).items())},
        interval=interval_of(resample(tally.lines)),
        next_word_top1=_share(tally.top1, tally.long_enough[0]),
        next_word_top3=_share(tally.shown[0], tally.long_enough[0]),
        top3_after_letters=later,
        out_of_vocabulary=_share(tally.unknown_words, tally.words),
        bits_per_character=tally.bits / tally.bit_characters if tally.bit_characters else None,
        lines=len(tally.lines),
        words=tally.words,
        characters=int(characters),
        keystrokes=int(keys),
    )


def _share(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0


def savings_of(lines: Sequence[tuple[int, int]]) -> float:
    """KSS in % of lines of (characters, keystrokes)."""
    characters, keys = np.array(lines, np.float64).sum(axis=0)
    return float(100.0 * (characters - keys) / characters)


def resample(lines: Sequence[tuple[int, int]], seed: object = 1) -> np.ndarray:
    """KSS of BOOTSTRAP resamples of lines. As many lines and the same seed: the same lines are drawn, so that the difference
    of two predictors' resamples of one text is of pairs.
    """
    table, rng = np.array(lines, np.float64), np.random.default_rng(seed)
    sums = np.array([table[rng.integers(0, len(table), len(table))].sum(axis=0) for _ in range(BOOTSTRAP)])
    return 100.0 * (sums[:, 0] - sums[:, 1]) / sums[:, 0]


def interval_of(resamples: np.ndarray) -> tuple[float, float]:
    """The middle 95 %."""
    low, high = np.percentile(resamples, [2.5, 97.5])
    return float(low), float(high)
