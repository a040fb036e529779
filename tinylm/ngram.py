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
from tinylm.ngram_stream import BitReader, Grouping, code_count, code_field, code_members, code_set
from tinylm.reference import FNV_BASIS, hash_bytes

MAGIC = b"TLN2"
UNITS_PER_NAT = 16
MOST_COST = 255
MAX_CLASS_BITS = 8
PAIR_BOOKS = 4
BLOCK_CONTEXTS, BLOCK_BYTES = 32, 512  # a block is closed by what comes first; one record may be longer
# Long sets can be passed over: by a prefix, by what is too dear, by a word before.
PAIR_GROUPS, BEFORE_GROUPS = Grouping(64, 32), Grouping(32, 16)
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


@dataclass(frozen=True)
class _Record:
    """What follows one row: a text of 0 and 1, first bit first. A long one begins its block."""

    row: int
    text: str
    is_long: bool


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
        first = block[0].row
        index += _INDEX.pack(first, len(stream) & 0xFF, len(stream) >> 8, len(block))
        end = blocks[number + 1][0].row if number + 1 < len(blocks) else ngram.rows
        gaps = ["", *code_set([record.row - first - 1 for record in block[1:]], end - first - 1)]
        text = "".join(gap + record.text for gap, record in zip(gaps, block))
        stream += int(text[::-1] or "0", 2).to_bytes((len(text) + 7) // 8, "little")
    costs = b"".join(bytes(book) for book in ngram.codebooks)
    return PackedNgram(
        ngram.rows, len(blocks), bits[0], bits[1], bits[2], costs, bytes(index), bytes(stream + _STREAM_PAD)
    )


def _cut_blocks(records: Sequence[_Record]) -> Iterator[list[_Record]]:
    """Runs of records that make a block each. Nothing need be passed over to find the followers of a common word."""
    block: list[_Record] = []
    bits = 0
    for record in records:
        if block and (record.is_long or len(block) == BLOCK_CONTEXTS or bits >= 8 * BLOCK_BYTES):
            yield block
            block, bits = [], 0
        block.append(record)
        bits += len(record.text)
    if block:
        yield block


def _render_records(ngram: Ngram, bits: tuple[int, ...]) -> Iterator[_Record]:
    """The record of every word with followers."""
    pair_texts, triple_texts, pair_off, triple_off = (
        [code_field(value, width) for value in range(1 << width)] for width in bits
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
        followers, classes = rows[first:end], ngram.pair_classes[first:end].tolist()
        cost_of = ngram.codebooks[pair_book(end - first)]
        best = [
            pair_texts[min(classes[i : i + PAIR_GROUPS.each], key=lambda kind: cost_of[kind])]
            for i in range(0, end - first, PAIR_GROUPS.each)
        ]
        parts = [code_count(end - first), pair_off[ngram.pair_backoffs[number]]]
        parts.append(code_members(followers.tolist(), [pair_texts[kind] for kind in classes], size, PAIR_GROUPS, best))
        inside = triples_of.get(last, [])
        tails = []
        for place, (_, a, b) in enumerate(inside, starts.get(last, 0)):
            ranks = np.searchsorted(followers, triple_rows[a:b]).tolist()
            kinds = ngram.triple_classes[a:b].tolist()
            triples = "".join(gap + triple_texts[kind] for gap, kind in zip(code_set(ranks, end - first), kinds))
            tails.append(code_count(b - a) + triple_off[ngram.triple_backoffs[place]] + triples)
        parts.append(code_count(len(inside) + 1))
        parts.append(code_members([key % size for key, _, _ in inside], tails, size, BEFORE_GROUPS))
        yield _Record(last, "".join(parts), end - first >= PAIR_GROUPS.least)


def _groups(keys: np.ndarray, size: int) -> list[tuple[int, int, int]]:
    """(context, first, end) of the runs of keys with one context."""
    contexts, first = np.unique(keys // size, return_index=True)
    ends = np.append(first[1:], len(keys))
    return list(zip(contexts.tolist(), first.tolist(), ends.tolist()))


def pair_book(followers: int) -> int:
    """The codebook of a word with so many followers: the first for 1.., then 4.., 16.., 64.. of them."""
    return min((followers.bit_length() - 1) // 2, PAIR_BOOKS - 1)


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
        reader = BitReader(packed.stream, low | high << 8)
        rows = _rows_of_block(reader, first, contexts, following)
        for last in rows:
            _read_record(reader, packed, books, last, pairs, triples)
    return ReadNgram(packed.rows, pairs, triples)


def _rows_of_block(reader: BitReader, first: int, contexts: int, end: int) -> Iterator[int]:
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
    reader: BitReader,
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
    costs = {
        row: pair_costs[reader.field(packed.pair_bits)]
        for row in reader.each_member(count, packed.rows, PAIR_GROUPS, packed.pair_bits)
    }
    pairs[last] = Followers(backoff, costs)
    followers = list(costs)
    for before in reader.each_member(reader.count() - 1, packed.rows, BEFORE_GROUPS):
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
