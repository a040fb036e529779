"""The packed n-gram: which words follow a word, and two words, and how likely. Knows bits; knows nothing of texts.

docs/SPEC-ngram.md has the format byte by byte; firmware/predict/tlm_ngram.c reads it on the device. `read_ngram` is a
second reader, the oracle of the tests. Costs are -log P in 16ths of a nat, 0..255.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinylm.errors import TinylmError
from tinylm.model import BOUNDARY_ROW, FIRST_WORD_ROW, MAX_WORDS
from tinylm.reference import FNV_BASIS, hash_bytes

MAGIC = b"TLN1"
UNITS_PER_NAT = 16
MOST_COST = 255
MAX_CLASS_BITS = 8
PAIR_BOOKS = 4
BLOCK_CONTEXTS, BLOCK_BYTES = 32, 512  # a block is closed by what comes first; one record may be longer
LONGEST_COUNT_BITS = 15  # after its first bit: counts are below 2^16
_HEADER = struct.Struct("<4sHHBBBBI")
_INDEX = struct.Struct("<HBHB")  # first row, low and high part of the byte in the stream, contexts
_INDEX_BYTES = _INDEX.size
_STREAM_PAD = bytes(2)  # The device reads 3 bytes at a time.


@dataclass(frozen=True)
class Followers:
    """What follows one context: `backoff` is the cost of every word that is not in `costs` (row -> cost)."""

    backoff: int
    costs: dict[int, int]


_NOTHING = Followers(0, {})


@dataclass(frozen=True)
class Ngram:
    """Entries by class. With S = `rows`: a pair's key is last * S + row, a triple's (last * S + before) * S + row; sorted.

    Every triple's (last, row) is among the pairs. Back-off classes are those of the different contexts in their order.
    A codebook gives each class its cost and has a power of two of classes. Pairs have PAIR_BOOKS of one size:
    `pair_book` of a word's number of followers says which is its own.
    """

    rows: int
    pair_keys: np.ndarray
    pair_classes: np.ndarray
    pair_backoffs: np.ndarray
    triple_keys: np.ndarray
    triple_classes: np.ndarray
    triple_backoffs: np.ndarray
    codebooks: tuple[tuple[int, ...], ...]  # PAIR_BOOKS of pairs, triples, back-off of a word, back-off of two


@dataclass(frozen=True)
class PackedNgram:
    """The sections of the blob and the numbers of `tlm_ngram_t`."""

    rows: int
    blocks: int
    pair_bits: int
    triple_bits: int
    backoff_bits: int
    costs: bytes
    index: bytes
    stream: bytes

    @property
    def size(self) -> int:
        """Language bytes."""
        return len(self.costs) + len(self.index) + len(self.stream)

    def render(self) -> bytes:
        """`model.ngram`."""
        bits = self.pair_bits, self.triple_bits, self.backoff_bits
        return (
            _HEADER.pack(MAGIC, self.rows, self.blocks, *bits, 0, len(self.stream))
            + self.costs
            + self.index
            + self.stream
        )


def parse_ngram(content: bytes) -> PackedNgram:
    """`model.ngram` -> its sections. Raises TinylmError when it is not one, or not whole."""
    head = content[: _HEADER.size].ljust(_HEADER.size, b"\0")
    magic, rows, blocks, pair, triple, backoff, zero, stream_bytes = _HEADER.unpack(head)
    costs_end = _HEADER.size + (PAIR_BOOKS << pair) + (1 << triple) + (2 << backoff)
    index_end = costs_end + _INDEX_BYTES * blocks
    allowed = (
        magic == MAGIC
        and zero == 0
        and rows > FIRST_WORD_ROW
        and all(1 <= bits <= MAX_CLASS_BITS for bits in (pair, triple, backoff))
    )
    if not allowed or len(content) != index_end + stream_bytes or stream_bytes < len(_STREAM_PAD):
        raise TinylmError(
            "model.ngram is damaged: its header does not fit what follows.", "Take the model again, or train it."
        )
    sections = content[_HEADER.size : costs_end], content[costs_end:index_end], content[index_end:]
    return PackedNgram(rows, blocks, pair, triple, backoff, *sections)


def pack_ngram(ngram: Ngram) -> PackedNgram:
    """Pack entries.

    Raises TinylmError when rows are too many, or the stream is longer than its index can say.
    """
    if not FIRST_WORD_ROW < ngram.rows <= MAX_WORDS:
        raise TinylmError(f"An n-gram of {ngram.rows} rows is not possible; 3 to {MAX_WORDS} are.", "Use fewer words.")
    bits = tuple(len(book).bit_length() - 1 for book in ngram.codebooks[PAIR_BOOKS - 1 :])
    records = list(_render_records(ngram, bits))
    index, stream = bytearray(), bytearray()
    blocks = list(_cut_blocks(records))
    for number, block in enumerate(blocks):
        if len(stream) >= 1 << 24:
            raise TinylmError("The n-gram takes more than 16 MB when packed.", "Give a smaller budget.")
        first = block[0][0]
        index += _INDEX.pack(first, len(stream) & 0xFF, len(stream) >> 8, len(block))
        end = blocks[number + 1][0][0] if number + 1 < len(blocks) else ngram.rows
        gaps = ["", *_code_set([row - first - 1 for row, _ in block[1:]], end - first - 1)]
        text = "".join(gap + record for gap, (_, record) in zip(gaps, block))
        stream += int(text[::-1] or "0", 2).to_bytes((len(text) + 7) // 8, "little")
    costs = b"".join(bytes(book) for book in ngram.codebooks)
    return PackedNgram(
        ngram.rows, len(blocks), bits[0], bits[1], bits[2], costs, bytes(index), bytes(stream + _STREAM_PAD)
    )


def _cut_blocks(records: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Runs of (row, record) that make a block each."""
    block: list[tuple[int, str]] = []
    bits = 0
    for record in records:
        block.append(record)
        bits += len(record[1])
        if len(block) == BLOCK_CONTEXTS or bits >= 8 * BLOCK_BYTES:
            yield block
            block, bits = [], 0
    if block:
        yield block


def _render_records(ngram: Ngram, bits: tuple[int, ...]) -> Iterator[tuple[int, str]]:
    """(row, its record) of every word with followers; a record is a text of 0 and 1, first bit first."""
    pair_texts, triple_texts, pair_off, triple_off = (
        [_field(value, width) for value in range(1 << width)] for width in bits
    )
    size = ngram.rows
    pairs = _groups(ngram.pair_keys, size)
    contexts = _groups(ngram.triple_keys, size)
    by_last = _groups(np.array([key for key, _, _ in contexts], np.int64), size)
    triples_of = {last: contexts[first:end] for last, first, end in by_last}
    starts = {last: first for last, first, _ in by_last}
    rows = ngram.pair_keys % size
    triple_rows = ngram.triple_keys % size
    for number, (last, first, end) in enumerate(pairs):
        followers = rows[first:end]
        parts = [_code_count(end - first), pair_off[ngram.pair_backoffs[number]]]
        for gap, kind in zip(_code_set(followers.tolist(), size), ngram.pair_classes[first:end].tolist()):
            parts += (gap, pair_texts[kind])
        inside = triples_of.get(last, [])
        parts.append(_code_count(len(inside) + 1))
        befores = _code_set([key % size for key, _, _ in inside], size)
        for place, (gap, (_, a, b)) in enumerate(zip(befores, inside), starts.get(last, 0)):
            parts += (gap, _code_count(b - a), triple_off[ngram.triple_backoffs[place]])
            ranks = np.searchsorted(followers, triple_rows[a:b]).tolist()
            for text, kind in zip(_code_set(ranks, end - first), ngram.triple_classes[a:b].tolist()):
                parts += (text, triple_texts[kind])
        yield last, "".join(parts)


def _groups(keys: np.ndarray, size: int) -> list[tuple[int, int, int]]:
    """(context, first, end) of the runs of keys with one context."""
    contexts, first = np.unique(keys // size, return_index=True)
    ends = np.append(first[1:], len(keys))
    return list(zip(contexts.tolist(), first.tolist(), ends.tolist()))


def _field(value: int, bits: int) -> str:
    """Lowest bit first."""
    return f"{value:0{bits}b}"[::-1] if bits else ""


def _code_count(count: int) -> str:
    """1 and more: how many bits follow the first in unary, then those bits (Elias gamma)."""
    longer = count.bit_length() - 1
    end = "0" if longer < LONGEST_COUNT_BITS else ""
    return "1" * longer + end + _field(count - (1 << longer), longer)


def gap_width(room: int, left: int) -> int:
    """Low bits of the gap before the first of `left` numbers when it is one of `room` values."""
    return max((room // left).bit_length() - 1, 0)


def _code_set(numbers: Sequence[int], size: int) -> Iterator[str]:
    """Code words of sorted different numbers below `size`: gaps, Rice-coded by what room is left (docs/SPEC-ngram.md)."""
    next_number, left = 0, len(numbers)
    for number in numbers:
        room = size - next_number - (left - 1)
        width = gap_width(room, left)
        gap = number - next_number
        high, most = gap >> width, (room - 1) >> width
        yield "1" * high + ("0" if high < most else "") + _field(gap & ((1 << width) - 1), width)
        next_number, left = number + 1, left - 1


def pair_book(followers: int) -> int:
    """The codebook of a word with so many followers: the first for 1.., then 4.., 16.., 64.. of them."""
    return min((followers.bit_length() - 1) // 2, PAIR_BOOKS - 1)


class _BitReader:
    """Reads a packed stream from a bit on; past its end are zeros."""

    def __init__(self, stream: bytes, byte: int) -> None:
        self._stream = stream
        self._bit = 8 * byte

    def field(self, bits: int) -> int:
        start = self._bit >> 3
        window = int.from_bytes(self._stream[start : start + 3], "little") >> (self._bit & 7)
        self._bit += bits
        return window & ((1 << bits) - 1)

    def unary(self, most: int) -> int:
        high = 0
        while high < most and self.field(1):
            high += 1
        return high

    def count(self) -> int:
        longer = self.unary(LONGEST_COUNT_BITS)
        return (1 << longer) + self.field(longer)

    def each_number(self, count: int, size: int) -> Iterator[int]:
        next_number = 0
        for left in range(count, 0, -1):
            room = size - next_number - (left - 1)
            width = gap_width(room, left)
            high = self.unary((room - 1) >> width)
            number = next_number + (high << width) + self.field(width)
            yield number
            next_number = number + 1


@dataclass(frozen=True)
class ReadNgram:
    """Unpacked: row -> followers, and (row before, row) -> followers."""

    rows: int
    pairs: dict[int, Followers]
    triples: dict[tuple[int, int], Followers]

    def followers(self, before: int, last: int) -> dict[int, int]:
        """Costs of the followers of two rows: the least of the triple's and back-off of the two + the pair's."""
        triple = self.triples.get((before, last), _NOTHING)
        return {
            row: min(cost + triple.backoff, triple.costs.get(row, 1 << 20))
            for row, cost in self.pairs.get(last, _NOTHING).costs.items()
        }

    def costs(self, before: int, last: int, word_costs: np.ndarray) -> np.ndarray:
        """Costs of all rows after two, int64 [rows]; `word_costs` [rows - 2] are those of the words themselves.

        The least of: the follower's, both back-offs + the word's.
        """
        backoff = self.pairs.get(last, _NOTHING).backoff + self.triples.get((before, last), _NOTHING).backoff
        result = np.full(self.rows, 1 << 20, np.int64)
        result[FIRST_WORD_ROW:] = word_costs + backoff
        for row, cost in self.followers(before, last).items():
            result[row] = min(result[row], cost)
        return result


def read_ngram(packed: PackedNgram, end: int | None = None) -> ReadNgram:
    """Everything that was packed; or at least all that follows the rows below `end`, which is sooner read."""
    pairs: dict[int, Followers] = {}
    triples: dict[tuple[int, int], Followers] = {}
    books = _codebooks(packed)
    entries = [_INDEX.unpack_from(packed.index, _INDEX_BYTES * i) for i in range(packed.blocks)]
    for number, (first, low, high, contexts) in enumerate(entries):
        if end is not None and first >= end:
            break
        following = entries[number + 1][0] if number + 1 < len(entries) else packed.rows
        reader = _BitReader(packed.stream, low | high << 8)
        rows = _rows_of_block(reader, first, contexts, following)
        for last in rows:
            _read_record(reader, packed, books, last, pairs, triples)
    return ReadNgram(packed.rows, pairs, triples)


def _rows_of_block(reader: _BitReader, first: int, contexts: int, end: int) -> Iterator[int]:
    yield first
    for row in reader.each_number(contexts - 1, end - first - 1):
        yield first + 1 + row


def _codebooks(packed: PackedNgram) -> list[bytes]:
    books, at = [], 0
    for bits in (*[packed.pair_bits] * PAIR_BOOKS, packed.triple_bits, *[packed.backoff_bits] * 2):
        books.append(packed.costs[at : at + (1 << bits)])
        at += 1 << bits
    return books


def _read_record(
    reader: _BitReader,
    packed: PackedNgram,
    books: list[bytes],
    last: int,
    pairs: dict[int, Followers],
    triples: dict[tuple[int, int], Followers],
) -> None:
    count = reader.count()
    triple_book, last_off, both_off = books[PAIR_BOOKS:]
    pair_costs = books[pair_book(count)]
    backoff = last_off[reader.field(packed.backoff_bits)]
    costs = {row: pair_costs[reader.field(packed.pair_bits)] for row in reader.each_number(count, packed.rows)}
    pairs[last] = Followers(backoff, costs)
    followers = list(costs)
    for before in reader.each_number(reader.count() - 1, packed.rows):
        inside = reader.count()
        backoff = both_off[reader.field(packed.backoff_bits)]
        ranks = reader.each_number(inside, count)
        triples[before, last] = Followers(
            backoff, {followers[rank]: triple_book[reader.field(packed.triple_bits)] for rank in ranks}
        )


def hash_walk(ngram: ReadNgram, start: int, stride: int, steps: int) -> int:
    """What `tlm_network_hash` answers for an n-gram: after each row of the walk, its followers and their costs."""
    value, before = FNV_BASIS, BOUNDARY_ROW
    for i in range(steps):
        last = (start + i * stride) % ngram.rows
        value = hash_followers(ngram, before, last, value)
        before = last
    return value


def hash_followers(ngram: ReadNgram, before: int, last: int, start: int) -> int:
    """What follows two rows: each follower and its cost, then the back-off."""
    value = start
    for row, cost in ngram.followers(before, last).items():
        value = hash_bytes(struct.pack("<HH", row, cost), value)
    backoffs = ngram.pairs.get(last, _NOTHING).backoff, ngram.triples.get((before, last), _NOTHING).backoff
    return hash_bytes(struct.pack("<H", sum(backoffs)), value)


def word_costs(levels: Sequence[int], top_millinats: int, level_millinats: int) -> np.ndarray:
    """Cost of a word by its level (1..), as the device computes it: int64 [words]."""
    millinats = (np.array(levels, np.int64) - 1) * level_millinats - top_millinats
    return millinats * UNITS_PER_NAT // 1000
