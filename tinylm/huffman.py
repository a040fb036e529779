"""Canonical Huffman codes chosen by context. Knows symbols and their counts; knows nothing of words.

Huffman 1952; canonical numbering as in RFC 1951, 3.2.2: codes of a length are consecutive, in order of their symbols.
Everything is integer arithmetic, so the same counts give the same bytes on every computer.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

# The C reader holds 24 bits of the stream and may start 7 bits into the first byte: 17 are sure to be there.
MAX_CODE_BITS = 16
SHORT_BITS = 4
FAST = 64  # in the first byte of a code's table
_REVERSED = [int(f"{number:0{SHORT_BITS}b}"[::-1], 2) for number in range(1 << SHORT_BITS)]

Context = TypeVar("Context", bound=Hashable)


@dataclass(frozen=True)
class HuffmanCode:
    """symbols sorted by (length, symbol); `counts[n]` of them have n + 1 bits. A lone symbol takes no bits at all."""

    symbols: tuple[int, ...]
    counts: tuple[int, ...]

    def code_words(self) -> dict[int, tuple[int, int]]:
        """symbol -> (code, bits), the code's first bit being its highest."""
        if not self.counts:
            return {self.symbols[0]: (0, 0)}
        words, code, place = {}, 0, 0
        for bits, count in enumerate(self.counts, 1):
            for symbol in self.symbols[place : place + count]:
                words[symbol] = (code, bits)
                code += 1
            place, code = place + count, code << 1
        return words

    def table(self) -> bytes:
        """As the device reads it: u8 longest, u8 counts[longest], u8 symbols[]."""
        return bytes((len(self.counts), *self.counts, *self.symbols))

    def fast_table(self) -> tuple[bytes, bytes]:
        """The same for a reader that looks `SHORT_BITS` bits up at once (docs/SPEC-lexicon.md): an entry for each of their values,
        the first bit lowest; and u8 64 + longest, u8 place of the symbols of longer ones, u8 counts[] of these, u8 symbols[]."""
        longer = self.counts[SHORT_BITS:]
        code = shorter = 0
        for count in (*self.counts, *[0] * SHORT_BITS)[:SHORT_BITS]:
            code, shorter = (code + count) << 1, shorter + count
        entries = bytearray(8 * max(0, bits - (code >> 1)) for bits in _REVERSED)
        for place, (code, bits) in enumerate(self.code_words().values(), len(longer)):
            for more in range(1 << SHORT_BITS - bits) if bits <= SHORT_BITS else ():
                entries[_REVERSED[code << SHORT_BITS - bits | more]] = 8 * place + bits
        head = (FAST + SHORT_BITS + len(longer), 2 + len(longer) + shorter)
        return bytes(entries), bytes((*head, *longer, *self.symbols))


def build_code(counts: Counter[int]) -> HuffmanCode:
    """The shortest code for symbols 0..255 with these counts (at least one) whose words have MAX_CODE_BITS or fewer."""
    scaled = counts
    while len(lengths := _code_lengths(scaled)) and max(lengths.values()) > MAX_CODE_BITS:
        scaled = Counter({s: (n + 1) // 2 for s, n in scaled.items()})  # Flatter counts, shorter longest word.
    symbols = tuple(sorted(lengths, key=lambda s: (lengths[s], s)))
    per_length = Counter(lengths.values())
    longest = max(per_length)
    return HuffmanCode(symbols, tuple(per_length[n] for n in range(1, longest + 1)))


def _code_lengths(counts: Counter[int]) -> dict[int, int]:
    """Bits of each symbol's code word."""
    heap = [(n, s, (s,)) for s, n in sorted(counts.items())]
    lengths = dict.fromkeys(counts, 0)
    heapq.heapify(heap)
    while len(heap) > 1:
        n1, s1, group1 = heapq.heappop(heap)
        n2, s2, group2 = heapq.heappop(heap)
        for symbol in group1 + group2:
            lengths[symbol] += 1
        heapq.heappush(heap, (n1 + n2, min(s1, s2), group1 + group2))
    return lengths


def _bits_with_table(counts: Counter[int]) -> int:
    """Bits that the counted symbols and their code's table take, the length limit aside."""
    heap = sorted(counts.values())
    bits, table_bytes = 0, 1 + len(heap) + min(len(heap) - 1, 10)  # A code of many symbols is about 10 bits deep.
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        bits += both
        heapq.heappush(heap, both)
    return bits + 8 * table_bytes


def share_codes(counts: Mapping[Context, Counter[int]]) -> dict[Context, HuffmanCode]:
    """A code for every context. Contexts share one where its table costs more than telling them apart saves.

    Greedy: the two groups whose union saves most are joined until none saves anything.
    """
    groups = [((context,), count, _bits_with_table(count)) for context, count in sorted(counts.items())]
    gains = {}
    alive = dict(enumerate(groups))

    def weigh(a: int, b: int) -> None:
        both = alive[a][1] + alive[b][1]
        gains[a, b] = alive[a][2] + alive[b][2] - _bits_with_table(both)

    for b in alive:
        for a in range(b):
            weigh(a, b)
    while gains:
        a, b = max(gains, key=lambda pair: (gains[pair], -pair[0], -pair[1]))
        if gains[a, b] <= 0:
            break
        both = alive[a][1] + alive[b][1]
        joined = (alive[a][0] + alive[b][0], both, _bits_with_table(both))
        new = max(alive) + 1
        del alive[a], alive[b]
        gains = {pair: gain for pair, gain in gains.items() if not {a, b} & set(pair)}
        others = list(alive)
        alive[new] = joined
        for other in others:
            weigh(other, new)
    return {context: code for group in alive.values() for code in [build_code(group[1])] for context in group[0]}
