"""From texts to what training reads: `vocabulary_counts.tsv` and `tokens.bin` in the run folder. Knows no network."""

from __future__ import annotations

import itertools
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinylm.capitals import find_capitals, mid_sentence_finder, write_word
from tinylm.corpus import clean_lines, held_out_lines, word_finder
from tinylm.errors import TinylmError
from tinylm.model import write_whole
from tinylm.names import FrequentName, frequent_names
from tinylm.training import TokenFile
from tinylm.vocabulary import Vocabulary, count_words, encode

# Every 50th line is kept out of training: it is calibrated, ended early and judged by them.
HELD_OUT_EVERY = 50
_MOST_HELD_OUT = 20_000
_CHUNK_LINES = 100_000
LONGEST_LINE = 400  # tokens; a longer one is cut, its rest is a line of its own


@dataclass(frozen=True)
class WeightedText:
    """A text file and how often an epoch reads each of its lines."""

    path: Path
    weight: float = 1.0


def is_held_out(number: int) -> bool:
    """Whether the source's line of that number is kept out of training."""
    return number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1 and number < _MOST_HELD_OUT * HELD_OUT_EVERY


@dataclass(frozen=True)
class Source:
    """All texts of a run, the folders whose lines training must not see, and the words (lower case) whose lines are left out."""

    texts: tuple[WeightedText, ...]
    alphabet: str
    held_out: tuple[Path, ...] = ()
    left_out: frozenset[str] = frozenset()

    @property
    def file_bytes(self) -> int:
        """Of all texts, as they lie on the disk."""
        return sum(text.path.stat().st_size for text in self.texts)

    def written_lines(
        self, progress: Callable[[int], None] | None = None, passed_by: set[str] | None = None
    ) -> Iterator[tuple[int, str, list[str]]]:
        """(index of the text, line, its words) of every line worth training on, in order of the texts, as clean_lines has them.

        `passed_by` gets the words of `left_out` that are why a line is not among them.
        """
        hidden, known = held_out_lines(self.held_out, word_finder(self.alphabet)), set()
        for number, text in enumerate(self.texts):
            for line, words in clean_lines(text.path, self.alphabet, known, hidden, progress):
                unwanted = self.left_out.intersection(word.removesuffix("'s") for word in words)
                if not unwanted:
                    yield number, line, words
                elif passed_by is not None:
                    passed_by |= unwanted

    def numbered_lines(self, progress: Callable[[int], None] | None = None) -> Iterator[tuple[int, list[str]]]:
        """(index of the text, words) of the same lines, long ones in pieces."""
        for number, _, words in self.written_lines(progress):
            for start in range(0, len(words), LONGEST_LINE):
                yield number, words[start : start + LONGEST_LINE]

    def lines(self, progress: Callable[[int], None] | None = None) -> Iterator[tuple[float, list[str]]]:
        """(weight, words) of the same lines."""
        return ((self.texts[number].weight, words) for number, words in self.numbered_lines(progress))


@dataclass(frozen=True)
class CountedWords:
    """How often each word is in all texts, the same with each text's weight, the capitals of words that have any, the names that
    one text has too often, and the words to leave out that no line has."""

    counts: Counter[str]
    weighted: Counter[str]
    capitals: dict[str, int]
    names: tuple[FrequentName, ...]
    never_there: frozenset[str]


@dataclass(frozen=True)
class LearnedPart:
    """A source without the lines that are held out, or every so manieth line of that."""

    source: Source
    every: int = 1

    @property
    def alphabet(self) -> str:
        """The source's letters."""
        return self.source.alphabet

    def lines(self, progress: Callable[[int], None] | None = None) -> Iterator[tuple[float, list[str]]]:
        """As Source.lines."""
        learned = (line for number, line in enumerate(self.source.lines(progress)) if not is_held_out(number))
        return itertools.islice(learned, 0, None, self.every)


def count_source(source: Source, run: Path, progress: Callable[[int], None] | None = None) -> CountedWords:
    """Count the words of all texts, and how they are written; writes `vocabulary_counts.tsv`, commonest first.

    Raises TinylmError when no word is left.
    """
    middle, votes = mid_sentence_finder(source.alphabet), Counter()
    passed_by: set[str] = set()

    def vote(lines: Iterable[tuple[int, str, list[str]]]) -> Iterator[list[str]]:
        for _, line, words in lines:
            votes.update(middle(line))
            yield words

    counts, weighted, texts = Counter(), Counter(), [Counter() for _ in source.texts]
    for number, lines in itertools.groupby(source.written_lines(progress, passed_by), key=lambda line: line[0]):
        of_text, weight = count_words(vote(lines)), source.texts[number].weight
        counts.update(of_text)
        texts[number].update(of_text)
        weighted.update({word: weight * count for word, count in of_text.items()})
    if not counts and source.left_out:
        raise TinylmError(
            f"No line is left beside those with {' or '.join(sorted(source.left_out))}.",
            "Leave a rarer word out, or give more text.",
        )
    if not counts:
        raise TinylmError("The text has no word in it.", f"Letters that count: {source.alphabet}")
    capitals = find_capitals(votes)
    ranked = sorted(counts.items(), key=lambda e: (-e[1], e[0]))
    lines = (f"{w}\t{n}" + (f"\t{write_word(w, capitals[w])}" if w in capitals else "") + "\n" for w, n in ranked)
    write_whole(run / "vocabulary_counts.tsv", "".join(lines).encode())
    return CountedWords(counts, weighted, capitals, tuple(frequent_names(texts, capitals)), source.left_out - passed_by)


def encode_words(vocabulary: Vocabulary) -> Callable[[list[str]], list[int]]:
    """Line of words -> row ids of the word kind."""
    row_ids = vocabulary.row_ids()
    return lambda words: encode(words, row_ids)


def encode_characters(alphabet: str) -> Callable[[list[str]], list[int]]:
    """Line of words -> symbols of the character kind: 1 is the space, 2 + i the i-th letter."""
    symbols = {letter: 2 + i for i, letter in enumerate(alphabet)} | {" ": 1}
    return lambda words: [symbols[letter] for letter in " ".join(words)]


def repeated_lines(lines: Iterable[tuple[float, list[str]]]) -> Iterator[list[str]]:
    """Every line as often as its weight says: 2.5 is twice, then three times, in turn."""
    owed = 0.0
    for weight, words in lines:
        owed += weight
        while owed >= 1.0:
            yield words
            owed -= 1.0


def held_out_part(source: Source, progress: Callable[[int], None] | None = None) -> list[list[str]]:
    """The lines that are held out."""
    return [words for number, (_, words) in enumerate(source.lines(progress)) if is_held_out(number)]


def write_tokens(
    source: Source | LearnedPart,
    encode_line: Callable[[list[str]], Sequence[int]],
    run: Path,
    progress: Callable[[int], None] | None = None,
    name: str = "tokens.bin",
) -> tuple[TokenFile, list[list[str]]]:
    """Write the text's ids to the file `name`; returns it memory-mapped, and the held-out lines as words."""
    starts, weights, held, size = array("q"), array("f"), [], 0
    with (run / name).open("wb") as out:
        for number, (weight, words) in enumerate(source.lines(progress)):
            if is_held_out(number):
                held.append(words)
                continue
            ids = list(encode_line(words))
            starts.append(size)
            weights.append(weight)
            out.write(np.array([0, *ids], "<u2").tobytes())
            size += 1 + len(ids)
    if not starts:
        raise TinylmError("The text has no line to train on.", "Give a longer text.")
    ids = np.memmap(run / name, dtype="<u2", mode="r")
    return TokenFile(ids, np.array(starts, np.int64), np.array(weights, np.float32)), held


def row_frequency(tokens: TokenFile, rows: int) -> np.ndarray:
    """How often each row is a target, float64 [rows], weights counted in."""
    counts = np.zeros(rows, np.float64)
    ends = np.append(tokens.starts[1:], len(tokens.ids))
    for first in range(0, len(ends), _CHUNK_LINES):
        lines = slice(first, first + _CHUNK_LINES)
        ids = tokens.ids[tokens.starts[first] : ends[lines][-1]]
        repeat = np.repeat(tokens.weights[lines].astype(np.float64), ends[lines] - tokens.starts[lines])
        counts += np.bincount(ids, weights=repeat, minlength=rows)
    return counts
