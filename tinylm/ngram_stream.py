"""The codes of the packed n-gram's stream: fields, counts, sorted sets, and sets in groups that can be passed over.

Knows bits; knows no words and no costs. docs/SPEC-ngram.md has each code; firmware/predict/tlm_bits.h reads them on the
device. Texts are of 0 and 1, first bit first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinylm.errors import TinylmError

LONGEST_COUNT_BITS = 15  # after its first bit: counts are below 2^16
_WIDTH_BITS = 4  # a group is shorter than 2^16 bits


@dataclass(frozen=True)
class Grouping:
    """A set of `least` members or more is cut into groups of `each`."""

    least: int
    each: int


def code_field(value: int, bits: int) -> str:
    """Lowest bit first."""
    return f"{value:0{bits}b}"[::-1] if bits else ""


def code_count(count: int) -> str:
    """1 and more: how many bits follow the first in unary, then those bits (Elias gamma)."""
    longer = count.bit_length() - 1
    end = "0" if longer < LONGEST_COUNT_BITS else ""
    return "1" * longer + end + code_field(count - (1 << longer), longer)


def gap_width(room: int, left: int) -> int:
    """Low bits of the gap before the first of `left` numbers when it is one of `room` values."""
    return max((room // left).bit_length() - 1, 0)


def code_set(numbers: Sequence[int], size: int) -> Iterator[str]:
    """Code words of sorted different numbers below `size`: gaps, Rice-coded by what room is left."""
    next_number, left = 0, len(numbers)
    for number in numbers:
        room = size - next_number - (left - 1)
        width = gap_width(room, left)
        gap = number - next_number
        high, most = gap >> width, (room - 1) >> width
        yield "1" * high + ("0" if high < most else "") + code_field(gap & ((1 << width) - 1), width)
        next_number, left = number + 1, left - 1


def code_members(
    numbers: Sequence[int], tails: Sequence[str], size: int, grouping: Grouping, heads: Sequence[str] = ()
) -> str:
    """A set whose members have a tail each; `heads`: of its groups, where it has groups (each "" when there are none).

    Raises TinylmError when a group is too long for its length.
    """
    if len(numbers) < grouping.least:
        return _join(code_set(numbers, size), tails)
    each, firsts = grouping.each, numbers[:: grouping.each]
    groups = []
    for place, (first, end) in enumerate(zip(firsts, [*firsts[1:], size])):
        inside = slice(place * each + 1, (place + 1) * each)
        further = code_set([number - first - 1 for number in numbers[inside]], end - first - 1)
        groups.append(tails[place * each] + _join(further, tails[inside]))
    width = max(len(group).bit_length() for group in groups)
    if width > 1 << _WIDTH_BITS:
        raise TinylmError("What follows two words takes more than 8 KB when packed.", "Give a smaller budget.")
    first, *afters = code_set(firsts, size)
    parts = [code_field(width - 1, _WIDTH_BITS), first]
    for after, head, group in zip([*afters, ""], heads or [""] * len(groups), groups):
        parts += (after, head, code_field(len(group), width), group)
    return "".join(parts)


def _join(codes: Iterator[str], tails: Sequence[str]) -> str:
    return "".join(part for pair in zip(codes, tails) for part in pair)


class BitReader:
    """Reads a packed stream from a byte on; past its end are zeros."""

    def __init__(self, stream: bytes, byte: int) -> None:
        self._stream = stream
        self._bit = 8 * byte

    def field(self, bits: int) -> int:
        """The next 0 to 16 bits."""
        start = self._bit >> 3
        window = int.from_bytes(self._stream[start : start + 3], "little") >> (self._bit & 7)
        self._bit += bits
        return window & ((1 << bits) - 1)

    def unary(self, most: int) -> int:
        """Ones before a zero, or `most`."""
        high = 0
        while high < most and self.field(1):
            high += 1
        return high

    def count(self) -> int:
        """1 or more."""
        longer = self.unary(LONGEST_COUNT_BITS)
        return (1 << longer) + self.field(longer)

    def each_number(self, count: int, size: int) -> Iterator[int]:
        """The numbers of a set; whoever takes one reads what follows it."""
        next_number = 0
        for left in range(count, 0, -1):
            room = size - next_number - (left - 1)
            width = gap_width(room, left)
            high = self.unary((room - 1) >> width)
            number = next_number + (high << width) + self.field(width)
            yield number
            next_number = number + 1

    def each_member(self, count: int, size: int, grouping: Grouping, head_bits: int = 0) -> Iterator[int]:
        """The numbers of a set that may be in groups. Reads all of them: passes over nothing."""
        if count < grouping.least:
            yield from self.each_number(count, size)
            return
        width = self.field(_WIDTH_BITS) + 1
        firsts = self.each_number(-(-count // grouping.each), size)
        first = next(firsts)
        for left in range(count, 0, -grouping.each):
            end = next(firsts, size)
            self.field(head_bits)
            self.field(width)
            yield first
            for number in self.each_number(min(left, grouping.each) - 1, end - first - 1):
                yield first + 1 + number
            first = end
