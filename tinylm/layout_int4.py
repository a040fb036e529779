"""How a matrix of weights of 4 bits (-8..7) lies in flash: chosen by the board, for the kernel of its port. Knows bytes; no graph, no C.

halves  row after row, each of whole bytes: the low halves hold the first half of a row's inputs, the high halves the others, each
        weight as it is. The reference, for any core, and for those that multiply many bytes at once: firmware/port/halves.
fours   four rows at once: half a word is the weights of four rows for one input, those of the first three plus 8 (0..15), the
        fourth's as it is; for inputs 0..3 the words (0, 2) and (1, 3). For cores that multiply 16-bit halves of words:
        firmware/port/pairs.
eights  eight rows at once: a little-endian word holds the weights of eight rows for one input, each plus 8, the first row's in its
        lowest bits. For cores that multiply 32 bits: firmware/port/eights.

Rows of eights are filled up to a multiple of eight, rows and inputs of fours to one of four; places that no weight takes hold
zero. Two weights are a byte, the first in its low half; places are counted in weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_PLUS_8 = 8  # w + 8 in four bits is w with this bit turned


@dataclass(frozen=True)
class Places:
    """Where each weight lies, int [rows, inputs]; how many places there are; `turned`: of each place modulo its length, 8
    where it holds a weight plus 8, and 0 where a weight as it is."""

    at: np.ndarray
    count: int
    turned: tuple[int, ...]


def _halves(rows: int, inputs: int) -> Places:
    row, i = np.arange(rows)[:, None], np.arange(inputs)[None, :]
    stride = (inputs + 1) // 2
    return Places(2 * (row * stride + i % max(stride, 1)) + (i >= stride), 2 * rows * stride, (0,))


def _fours(rows: int, inputs: int) -> Places:
    row, i = np.arange(rows)[:, None], np.arange(inputs)[None, :]
    width = -(-inputs // 4) * 4
    half = row // 4 * width + i // 4 * 4 + i % 2 * 2 + i // 2 % 2
    return Places(4 * half + row % 4, -(-rows // 4) * width * 4, (8, 8, 8, 0))


def _side_by_side(at_once: int) -> Callable[[int, int], Places]:
    def lay(rows: int, inputs: int) -> Places:
        row, i = np.arange(rows)[:, None], np.arange(inputs)[None, :]
        return Places(
            at_once * (row // at_once * inputs + i) + row % at_once, -(-rows // at_once) * inputs * at_once, (8,)
        )

    return lay


_PLACES = {"halves": _halves, "fours": _fours, "eights": _side_by_side(8), "quads": _side_by_side(4)}
INT4_LAYOUTS = tuple(_PLACES)


def places_int4(rows: int, inputs: int, layout: str) -> Places:
    """Where the weights of a matrix lie."""
    return _PLACES[layout](rows, inputs)


def arrange_int4(weights: np.ndarray, layout: str) -> bytes:
    """The bytes of an int8 matrix [rows, inputs] of values -8..7."""
    places = places_int4(*weights.shape, layout)
    content = np.resize(np.array(places.turned, np.uint8), places.count)  # zeros
    content[places.at] ^= weights.view(np.uint8) & 15
    return (content[::2] | content[1::2] << 4).tobytes()


def read_int4(content: bytes, rows: int, inputs: int, layout: str) -> np.ndarray:
    """The int8 matrix [rows, inputs] that bytes stand for: what the kernels see."""
    places, held = places_int4(rows, inputs, layout), np.frombuffer(content, np.uint8)
    both = np.stack([held & 15, held >> 4], axis=-1).ravel()
    turned = np.array(places.turned, np.uint8)[places.at % len(places.turned)]
    return ((both[places.at] ^ turned) ^ _PLUS_8).astype(np.int8) - np.int8(_PLUS_8)
