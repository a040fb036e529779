"""How many language bytes go to what: rows, embedding, hidden size, lexicon words for a budget. Knows sizes; trains nothing.

The split is a rule here (its figures: docs/EXPERIMENTS.md), checked by packing the lexicon for real and counting the network's bytes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinylm.errors import TinylmError
from tinylm.language import HEADER_BYTES
from tinylm.lexicon import pack_lexicon
from tinylm.model import FIRST_WORD_ROW, MAX_WORDS
from tinylm.network import NetworkShape
from tinylm.vocabulary import Vocabulary, choose_vocabulary

SMALLEST_BUDGET, LARGEST_BUDGET = 8 * 1024, 16 * 1024 * 1024
MOST_LEXICON_WORDS = 56_000  # with 8,000 rows below the 65,535 numbers of a mixture
WORD_BYTES = 2.2  # of a packed lexicon, seen on English
# A mixture's network is small, as the n-gram gives more for the same bytes and for none of the time (docs/EXPERIMENTS.md);
# and no larger than two cores train in an hour.
MIXTURE_ROWS_AT_64K, MOST_MIXTURE_ROWS, MOST_MIXTURE_EMBEDDING, MOST_MIXTURE_HIDDEN = 1000, 8000, 96, 384
TABLE_BYTES = 3 * 256  # two LOGISTIC, one TANH
_UNITS = {"": 1, "K": 1024, "M": 1024 * 1024}


@dataclass(frozen=True)
class Proportions:
    """How a word network's budget is shared out: so much of it to the lexicon, the rest to a network of these sizes."""

    hidden: int
    embedding: int
    lexicon_share: float
    weight_bits: int = 8


@dataclass(frozen=True)
class Split:
    """What a budget buys. Bytes are exact but for section padding (below 100 bytes).

    `ngram_bytes`: of a mixture, what is left for its n-gram.
    """

    vocabulary: Vocabulary
    shape: NetworkShape
    lexicon_bytes: int
    network_bytes: int
    ngram_bytes: int = 0

    @property
    def language_bytes(self) -> int:
        """Header, lexicon, network, n-gram."""
        return HEADER_BYTES + self.lexicon_bytes + self.network_bytes + self.ngram_bytes


def parse_bytes(text: str, what: str = "budget", least: int = SMALLEST_BUDGET, most: int = LARGEST_BUDGET) -> int:
    """'256K', '1M', '24576' -> bytes of `what`. Raises TinylmError outside least..most, for a budget 8K..16M."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KkMm]?)(?:i?[Bb])?", text.strip())
    if not match:
        raise TinylmError(f"'{text}' is not a number of bytes.", "Write it like 256K, 1M or 24576.")
    size = round(float(match[1]) * _UNITS[match[2].upper()])
    if not least <= size <= most:
        example = "256K" if what == "budget" else "4K"
        raise TinylmError(
            f"A {what} of {size:,} bytes is not possible; {_short(least)} to {_short(most)} are allowed.",
            f"For example --{what} {example}.",
        )
    return size


def _short(size: int) -> str:
    return next(
        (f"{size // unit}{name}" for name, unit in (("M", 1 << 20), ("K", 1024)) if size % unit == 0), f"{size:,}"
    )


def network_bytes(shape: NetworkShape) -> int:
    """Language bytes of a network as quantize.py makes it: weights, biases of 1 (output) and 2 bytes, tables.

    As a board reads them whose rows are not filled up (layouts rows and halves).
    """
    v, d, h = shape.rows, shape.embedding, shape.hidden

    def row(inputs: int) -> int:
        return -(-inputs * shape.weight_bits // 8)

    if shape.kind == "word":
        return v * row(d) + 3 * h * row(d) + 3 * h * row(h) + d * row(h) + v + 2 * (4 * h + d) + TABLE_BYTES
    return 3 * v * h + v * row(h) + 3 * h * row(h) + v + 2 * h + TABLE_BYTES


def usual_proportions(budget: int, weight_bits: int) -> Proportions:
    """The rule: what was best on a large text (docs/EXPERIMENTS.md).

    With 4 bits a weight the words get what the weights leave: at 24 KB seven tenths, and 400 rows in en-24k's 23,450 bytes.
    """
    whole, most, power = (budget, 0.55, 0.35) if weight_bits == 8 else (round(0.7 * budget), 0.6848, 0.45)
    shape = _network_for(whole, weight_bits)
    share = min(most * (24_576 / budget) ** power, most, MOST_LEXICON_WORDS * WORD_BYTES / budget)
    return Proportions(shape.hidden, shape.embedding, share, weight_bits)


def split_budget(
    kind: str,
    counts: Counter[str],
    alphabet: str,
    budget: int,
    weight_bits: int,
    like: NetworkShape | None = None,
    capitals: Mapping[str, int] | None = None,
    proportions: Proportions | None = None,
) -> Split:
    """The largest network and lexicon that fit `budget` language bytes. `like`: take its hidden and embedding sizes.

    `proportions`: of a word network, others than the usual ones.

    Raises TinylmError when the text has too few words or the budget is too small for anything.
    """
    if kind == "character":
        return _split_character(alphabet, budget, weight_bits)
    choose_vocabulary(counts, 2, 2)  # refuses a text of one word
    if kind == "mixture":
        return _split_mixture(counts, alphabet, budget, weight_bits, like, capitals or {})
    shared = proportions or usual_proportions(budget, weight_bits)
    return _split_words(counts, alphabet, budget, shared, like, capitals or {})


def _split_words(
    counts: Counter[str],
    alphabet: str,
    budget: int,
    shared: Proportions,
    like: NetworkShape | None,
    capitals: Mapping[str, int],
) -> Split:
    """Lexicon and network share the bytes."""
    shape = like or NetworkShape("word", 0, shared.embedding, shared.hidden, shared.weight_bits)
    fixed, with_one = (network_bytes(replace(shape, rows=rows)) for rows in (0, 1))
    rows = int((budget * (1 - shared.lexicon_share) - fixed - HEADER_BYTES - 100) / (with_one - fixed))
    rows = min(rows, MAX_WORDS, len(counts) + FIRST_WORD_ROW)
    if rows < FIRST_WORD_ROW + 2:
        raise TinylmError(f"A budget of {budget:,} bytes has no room for words.", "Try --budget 24K.")
    room = budget - network_bytes(replace(shape, rows=rows))
    return with_lexicon(replace(shape, rows=rows), counts, alphabet, room, capitals)


def _split_mixture(
    counts: Counter[str],
    alphabet: str,
    budget: int,
    weight_bits: int,
    like: NetworkShape | None,
    capitals: Mapping[str, int],
) -> Split:
    """A network of half the size, the words, and an n-gram of what is left."""
    shape = like or _network_for(budget // 2, weight_bits)
    embedding, hidden = min(shape.embedding, MOST_MIXTURE_EMBEDDING), min(shape.hidden, MOST_MIXTURE_HIDDEN)
    rows = min(round(MIXTURE_ROWS_AT_64K * budget / 65_536), MOST_MIXTURE_ROWS, len(counts) + FIRST_WORD_ROW)
    share = min(0.47 * (65_536 / budget) ** 0.3, 0.55)
    split = with_lexicon(
        replace(shape, rows=rows, embedding=embedding, hidden=hidden), counts, alphabet, int(budget * share), capitals
    )
    if split.language_bytes + 1024 > budget:
        raise TinylmError(f"A budget of {budget:,} bytes has no room for an n-gram too.", "Try --kind word.")
    return replace(split, ngram_bytes=budget - split.language_bytes)


def _network_for(budget: int, weight_bits: int) -> NetworkShape:
    """Embedding and hidden size, no rows yet."""
    root = math.sqrt(budget * 8 / weight_bits)
    return NetworkShape("word", 0, max(8, 4 * round(root / 64)), max(16, 8 * int(root / 32)), weight_bits)


def with_lexicon(
    shape: NetworkShape, counts: Counter[str], alphabet: str, room: int, capitals: Mapping[str, int]
) -> Split:
    """The network with as many words as `room` bytes hold, and as many rows as there are words for them."""
    vocabulary, packed = _fill_lexicon(counts, alphabet, shape.rows - FIRST_WORD_ROW, room, capitals)
    shape = replace(shape, rows=FIRST_WORD_ROW + vocabulary.levels.count(0))
    return Split(vocabulary, shape, packed, network_bytes(shape))


def _fill_lexicon(
    counts: Counter[str], alphabet: str, with_row: int, room: int, capitals: Mapping[str, int]
) -> tuple[Vocabulary, int]:
    """As many lexicon words as `room` bytes hold, found by packing: each time from the last one's bytes a word, and if that does not
    get there, as the first words are longer than the last, by halving what is between too few and too many."""
    room -= HEADER_BYTES + 100
    most = min(MOST_LEXICON_WORDS, len(counts))
    words, best = min(most, max(with_row, int(room / WORD_BYTES))), None
    few, many = with_row - 1, most + 1
    for tries in range(15):
        vocabulary = choose_vocabulary(counts, with_row, words, capitals)
        size = lexicon_bytes(vocabulary, alphabet)
        if size > room:
            many = min(many, words)
        elif words > few:
            best, few = (vocabulary, size), words
        if few + 1 >= many or room * 0.997 < size <= room:
            break
        guess = int(words * room / size * (0.998 if size > room else 1.0)) if tries < 4 else (few + many) // 2
        words = min(most, max(with_row, guess))
    if best is None:
        raise TinylmError(f"{with_row:,} words do not fit beside their network.", "Give a larger budget.")
    return best


def lexicon_bytes(vocabulary: Vocabulary, alphabet: str) -> int:
    """What the words take of the language bytes."""
    return pack_lexicon(vocabulary.words, vocabulary.levels, alphabet, capitals=vocabulary.capitals).packed_bytes


def _split_character(alphabet: str, budget: int, weight_bits: int) -> Split:
    rows, room = FIRST_WORD_ROW + len(alphabet), budget - HEADER_BYTES - 100
    hidden = 0
    while network_bytes(NetworkShape("character", rows, 0, hidden + 4, weight_bits)) <= room and hidden < 1024:
        hidden += 4
    if hidden < 8:
        raise TinylmError(f"A budget of {budget:,} bytes is too small for a character network.", "Try --budget 24K.")
    shape = NetworkShape("character", rows, 0, hidden, weight_bits)
    return Split(Vocabulary((), (), 0), shape, 0, network_bytes(shape))
