"""The packed lexicon: a sorted word list with levels in about two bytes a word. Knows bits; knows nothing of networks.

docs/SPEC-lexicon.md has the format byte by byte; firmware/predict/tlm_lexicon.c reads it on the device.
`unpack_lexicon` is a second reader, the oracle of the tests.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinylm.errors import TinylmError
from tinylm.huffman import FAST, SHORT_BITS, HuffmanCode, share_codes
from tinylm.model import FIRST_WORD_ROW, MAX_LETTERS, MAX_LEVEL, MAX_WORD_LETTERS, MAX_WORDS

BLOCK_WORDS = 64
# From so many words on each code has a table of its short code words: a letter's suggestions take a quarter less for 0.7 % more bytes.
FAST_WORDS = 16_384
NO_LEVEL = 255  # a block without a lexicon-only word
_INDEX_BYTES = 5
_STREAM_BITS = 19  # of an entry's first 24; 5 for the lowest level
_STREAM_MASK = (1 << _STREAM_BITS) - 1
_STREAM_PAD = bytes(2)  # The device reads 3 bytes at a time.

# Numbers of the contexts, the same in tlm_lexicon.c: 0 levels; 1..24 the prefix length after a word of so many letters; then
# LETTER_CONTEXT + 2 * p for a letter after letter p, and LETTER_CONTEXT + 1 + 2 * q for the first one after the shared prefix,
# where the word before has letter q, or 0: it is a higher one.
LEVEL_CONTEXT = 0
CAPITALS = 32  # a word's last symbol is its level and so many times its capitals (capitals.py)
LETTER_CONTEXT = MAX_WORD_LETTERS + 1


@dataclass(frozen=True)
class PackedLexicon:
    """The three sections of the blob and the numbers of `tlm_lexicon_t` that go with them."""

    index: bytes
    stream: bytes
    codes: bytes
    words: int
    rows: int
    block_words: int
    letters: int

    @property
    def packed_bytes(self) -> int:
        """What the lexicon takes of the language bytes."""
        return len(self.index) + len(self.stream) + len(self.codes)


def pack_lexicon(
    words: tuple[str, ...],
    levels: tuple[int, ...],
    alphabet: str,
    block_words: int = BLOCK_WORDS,
    capitals: Sequence[int] = (),
    is_fast: bool | None = None,
) -> PackedLexicon:
    """Pack sorted words of 1..24 letters with their levels (0..31) and capitals (0..2; none: all 0). `is_fast`: each code with a
    table of its short code words; by default from FAST_WORDS words on.

    Raises TinylmError when the list is not sorted, or a word, level or the alphabet is out of its range.
    """
    _check(words, levels, alphabet, block_words)
    is_fast = len(words) >= FAST_WORDS if is_fast is None else is_fast
    spelled = _spell(words, alphabet)
    ends = [level + CAPITALS * high for level, high in zip(levels, capitals or [0] * len(words), strict=True)]
    symbols = [list(_word_symbols(spelled, ends, i, block_words)) for i in range(len(words))]
    counts: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for word in symbols:
        for context, symbol in word:
            counts[context][symbol] += 1
    codes = _share_by_part(counts)
    words_of = {context: code.code_words() for context, code in codes.items()}
    index, stream, row = bytearray(), bytearray(), FIRST_WORD_ROW
    for start in range(0, len(words), block_words):
        block = slice(start, start + block_words)
        if len(stream) > _STREAM_MASK:
            raise TinylmError(f"{len(words)} words take more than 512 KB when packed.", "Train with fewer words.")
        lowest = min((level for level in levels[block] if level), default=0)
        index += (len(stream) | lowest << _STREAM_BITS).to_bytes(3, "little") + row.to_bytes(2, "little")
        stream += _pack_bits([words_of[context][symbol] for word in symbols[block] for context, symbol in word])
        row += levels[block].count(0)
    return PackedLexicon(
        bytes(index),
        bytes(stream + _STREAM_PAD) if words else b"",
        _render_codes(codes, len(alphabet), is_fast) if words else b"",
        len(words),
        levels.count(0),
        block_words,
        len(alphabet),
    )


def _check(words: tuple[str, ...], levels: tuple[int, ...], alphabet: str, block_words: int) -> None:
    again = "Train the model again."
    if not 1 <= len(alphabet) <= MAX_LETTERS or list(alphabet) != sorted(set(alphabet)) or max(alphabet) > "\u07ff":
        raise TinylmError(
            f"The alphabet '{alphabet}' is not 1..{MAX_LETTERS} letters up to U+07FF, sorted and each once.", again
        )
    if len(words) != len(levels):
        raise TinylmError(f"There are {len(words)} words and {len(levels)} levels.", again)
    if len(words) > MAX_WORDS:
        raise TinylmError(f"{len(words)} words are too many for a lexicon of at most {MAX_WORDS}.", "Train with fewer.")
    if not 1 <= block_words <= 255:
        raise TinylmError(f"A block of {block_words} words is not possible: 1 to 255 are.", "Leave block_words out.")
    if levels.count(0) > MAX_WORDS - FIRST_WORD_ROW:
        raise TinylmError(f"{levels.count(0)} words have a row; at most {MAX_WORDS - FIRST_WORD_ROW} can.", again)
    letters, previous = set(alphabet), ""
    for word, level in zip(words, levels):
        if not 1 <= len(word) <= MAX_WORD_LETTERS or not letters.issuperset(word):
            raise TinylmError(f"'{word}' is not a word of 1..{MAX_WORD_LETTERS} letters of '{alphabet}'.", again)
        if not 0 <= level <= MAX_LEVEL:
            raise TinylmError(f"The level of '{word}' is {level}; allowed are 0 to {MAX_LEVEL}.", again)
        if word <= previous:
            raise TinylmError(f"The words are not sorted: '{word}' comes after '{previous}'.", again)
        previous = word


def _spell(words: tuple[str, ...], alphabet: str) -> list[tuple[int, ...]]:
    """Letter codes 1.. of each word."""
    code = {letter: i for i, letter in enumerate(alphabet, 1)}
    return [tuple(code[letter] for letter in word) for word in words]


def _word_symbols(
    spelled: list[tuple[int, ...]], ends: list[int], i: int, block_words: int
) -> Iterator[tuple[int, int]]:
    """(context, symbol) of everything that is written for word i: prefix length, letters and end, level and capitals."""
    word, shared = spelled[i], 0
    previous = spelled[i - 1] if i % block_words else ()
    if previous:
        while shared < len(previous) and previous[shared] == word[shared]:
            shared += 1
        yield len(previous), shared
    context = LETTER_CONTEXT + 1 + 2 * (previous[shared] if shared < len(previous) else 0)
    for letter in (*word[shared:], 0):
        yield context, letter
        context = LETTER_CONTEXT + 2 * letter
    yield LEVEL_CONTEXT, ends[i]


def _share_by_part(counts: dict[int, Counter[int]]) -> dict[int, HuffmanCode]:
    """Codes by context; prefix lengths, letters and levels share none with each other."""
    parts = (range(1), range(1, LETTER_CONTEXT), range(LETTER_CONTEXT, LETTER_CONTEXT + 2 * (MAX_LETTERS + 1)))
    codes: dict[int, HuffmanCode] = {}
    for part in parts:
        codes |= share_codes({context: counts[context] for context in part if context in counts})
    return codes


def _pack_bits(code_words: list[tuple[int, int]]) -> bytes:
    """Code words (code, bits) one after the other, each from its highest bit, into bytes from their lowest bit."""
    text = "".join(f"{code:0{bits}b}" for code, bits in code_words if bits)
    return int(text[::-1] or "0", 2).to_bytes((len(text) + 7) // 8, "little")


def _render_codes(codes: dict[int, HuffmanCode], letters: int, is_fast: bool) -> bytes:
    """u16 place of the code of each context (0 for one that never comes), then the codes."""
    contexts = LETTER_CONTEXT + 2 * (letters + 1)
    places: dict[bytes, int] = {}
    tables = bytearray()
    offsets = bytearray()
    for context in range(contexts):
        if context not in codes:
            offsets += bytes(2)
            continue
        code = codes[context]
        entries, table = code.fast_table() if is_fast and code.counts else (b"", code.table())
        if table not in places:
            places[table] = 2 * contexts + len(tables) + len(entries)
            tables += entries + table
        offsets += places[table].to_bytes(2, "little")
    return bytes(offsets + tables)


class _BitReader:
    """Reads symbols of a packed lexicon from a bit on."""

    def __init__(self, packed: PackedLexicon, byte: int) -> None:
        self.packed = packed
        self.bit = 8 * byte

    def symbol(self, context: int) -> int:
        """The next one, in that context's code."""
        codes = self.packed.codes
        place = int.from_bytes(codes[2 * context : 2 * context + 2], "little")
        longest = codes[place]
        if longest >= FAST:
            longer = longest - FAST - SHORT_BITS
            ahead = sum(self._bit(i) << i for i in range(SHORT_BITS))
            rest, bits = divmod(codes[place - (1 << SHORT_BITS) + ahead], 8)
            self.bit += bits or SHORT_BITS
            if bits:
                return codes[place + 2 + rest]
            return self._longer(rest, place + 2, longer, place + codes[place + 1])
        return self._longer(0, place + 1, longest, place + 1 + longest) if longest else codes[place + 1]

    def _longer(self, rest: int, counts: int, lengths: int, symbols: int) -> int:
        codes = self.packed.codes
        for count in codes[counts : counts + lengths]:
            rest = 2 * rest + self._bit()
            self.bit += 1
            if rest < count:
                return codes[symbols + rest]
            rest, symbols = rest - count, symbols + count
        raise TinylmError(f"The packed lexicon is damaged near bit {self.bit}.", "Build it again.")

    def _bit(self, further: int = 0) -> int:
        at = self.bit + further
        return self.packed.stream[at >> 3] >> (at & 7) & 1


def unpack_lexicon(packed: PackedLexicon, alphabet: str) -> tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]]:
    """The words, levels and capitals that were packed."""
    words: list[str] = []
    ends: list[int] = []
    for start in range(0, packed.words, packed.block_words):
        entry = packed.index[start // packed.block_words * _INDEX_BYTES :]
        reader = _BitReader(packed, int.from_bytes(entry[:3], "little") & _STREAM_MASK)
        word: list[int] = []
        for i in range(start, min(start + packed.block_words, packed.words)):
            shared = reader.symbol(len(word)) if i > start else 0
            context = LETTER_CONTEXT + 1 + 2 * (word[shared] if shared < len(word) else 0)
            del word[shared:]
            while letter := reader.symbol(context):
                word.append(letter)
                context = LETTER_CONTEXT + 2 * letter
            words.append("".join(alphabet[letter - 1] for letter in word))
            ends.append(reader.symbol(LEVEL_CONTEXT))
    return tuple(words), tuple(end % CAPITALS for end in ends), tuple(end // CAPITALS for end in ends)
