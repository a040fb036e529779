"""Names that one text has many times more often than the others: they would be suggested everywhere. Knows counts; reads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinylm.capitals import write_word

OFTEN = 0.005  # of a text's words: as often as the 30 commonest of a language
TIMES = 10  # as often as in the other texts
LEAST_WORDS = 10_000  # of a text, and of the others together, to say so


@dataclass(frozen=True)
class FrequentName:
    """A word as it is written, and its share of the words of the text of that number."""

    word: str
    text: int
    share: float

    def describe(self, text: str) -> str:
        """A sentence for people; `text`: what they call it."""
        said = f"{self.word} is {100 * self.share:.1f} % of the words of {text} and will be suggested everywhere"
        return f"{said}; --leave-out {self.word} reads past its lines"


def frequent_names(texts: Sequence[Counter[str]], capitals: Mapping[str, int]) -> list[FrequentName]:
    """The names that are too frequent, the most frequent first. `texts`: words of each, and how often; `capitals`: capitals.py's.

    A single letter with or without what an apostrophe joins (I, I'm) is no name. Of Tatoeba's English words 3.1 % are Tom, of other
    texts less than 0.01 % (docs/EXPERIMENTS.md).
    """
    together: Counter[str] = sum(texts, Counter())
    found = []
    for number, counts in enumerate(texts):
        words, elsewhere = counts.total(), together.total() - counts.total()
        if min(words, elsewhere) < LEAST_WORDS:
            continue
        for word, count in counts.items():
            others = (together[word] - count) / elsewhere
            if count / words >= max(OFTEN, TIMES * others) and word in capitals and len(word.partition("'")[0]) > 1:
                found.append(FrequentName(write_word(word, capitals[word]), number, count / words))
    return sorted(found, key=lambda name: -name.share)
