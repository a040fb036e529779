"""Which words a model knows, and how common they are. Knows counts and levels; knows nothing of bits or networks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinylm.capitals import LOWER
from tinylm.errors import TinylmError
from tinylm.model import FIRST_WORD_ROW, MAX_WORD_LETTERS, UNKNOWN_ROW

MAX_COUNTED_WORDS = 3_000_000
LEVELS = 15
LEVEL_MILLINATS = 500
SHOWN = 3  # words in a list, where kinds and words are chosen by what it saves


@dataclass(frozen=True)
class Vocabulary:
    """Words in sorted order, their level (0 = network row, 1..15 = lexicon only), `top_millinats` of DESIGN.md, capitals.

    `capitals` is empty where no word has any.
    """

    words: tuple[str, ...]
    levels: tuple[int, ...]
    top_millinats: int
    capitals: tuple[int, ...] = ()

    def row_ids(self) -> dict[str, int]:
        """Word -> network row; a word not in it has UNKNOWN_ROW."""
        with_row = (w for w, level in zip(self.words, self.levels) if level == 0)
        return {w: FIRST_WORD_ROW + i for i, w in enumerate(with_row)}


def count_words(lines: Iterable[list[str]]) -> Counter[str]:
    """Word counts. Past MAX_COUNTED_WORDS different words, those seen once are forgotten (bounded memory)."""
    counts: Counter[str] = Counter()
    for words in lines:
        counts.update(words)
        if len(counts) > MAX_COUNTED_WORDS:
            counts = Counter({w: n for w, n in counts.items() if n > 1})
    return counts


def capitals_in_order(words: Iterable[str], capitals: Mapping[str, int]) -> tuple[int, ...]:
    """Of each word; empty where none has any."""
    ordered = tuple(capitals.get(word, LOWER) for word in words)
    return ordered if any(ordered) else ()


def typing_worth(word: str, count: float) -> float:
    """Keystrokes that a word may save where it is known: two letters find most words, so each one after them as often as it is
    typed. Short words come behind, in the order of their counts."""
    return count * max(len(word) - 2, 0.05)


def letters_to_find(words: Sequence[str], counts: Sequence[float]) -> np.ndarray:
    """Of each word, after how many of its letters it is among the SHOWN commonest words that begin so, int64; its length, if never."""
    found = np.array([len(word) for word in words], np.int64)
    shown: Counter[str] = Counter()
    for i in np.argsort(-np.asarray(counts), kind="stable").tolist():
        beginnings = [words[i][:letters] for letters in range(len(words[i]) + 1)]
        found[i] = next((n for n, beginning in enumerate(beginnings) if shown[beginning] < SHOWN), found[i])
        shown.update(beginnings)
    return found


def choose_vocabulary(
    counts: Counter[str], rows: int, lexicon_words: int, capitals: Mapping[str, int] | None = None
) -> Vocabulary:
    """The `rows` commonest words get a network row; of the others those of most worth the lexicon alone, up to `lexicon_words` in all.

    A word stays out of the lexicon when it counts less than one: seen once in a text of little weight.
    Raises TinylmError when the text has fewer than two different words.
    """
    ranked = sorted(
        ((w, n) for w, n in counts.items() if len(w) <= MAX_WORD_LETTERS and w.strip("'")), key=lambda e: (-e[1], e[0])
    )
    if len(ranked) < 2:
        seen = f"only the word '{ranked[0][0]}'" if ranked else "no word at all"
        raise TinylmError(f"The text has {seen}; at least two different words are needed.", "Give a longer text.")
    with_row, others = ranked[:rows], [e for e in ranked[rows:] if e[1] >= 1]
    rest = sorted(others, key=lambda e: (-typing_worth(*e), e[0]))[: max(0, lexicon_words - rows)]
    unknown_tokens = max(1, counts.total() - sum(n for _, n in with_row))
    top = max((n for _, n in rest), default=1)
    levels = {w: 0 for w, _ in with_row}
    for word, count in rest:
        nats_below_top = math.log(top / count)
        levels[word] = min(LEVELS, 1 + round(1000 * nats_below_top / LEVEL_MILLINATS))
    words = tuple(sorted(levels))
    return Vocabulary(
        words,
        tuple(levels[w] for w in words),
        round(1000 * math.log(top / unknown_tokens)),
        capitals_in_order(words, capitals or {}),
    )


def encode(words: list[str], row_ids: dict[str, int]) -> list[int]:
    """Row ids of a line's words (the line boundary is not among them)."""
    return [row_ids.get(word, UNKNOWN_ROW) for word in words]
