"""How a weight matrix lies in flash: chosen by the board, for the kernel of its port. Knows bytes; knows no graph, no C.

rows    row after row, one byte a weight. The reference.
quads   four rows at once: a little-endian word holds the weights of four rows for one input, each plus 128 (0..255).
        For cores that multiply 32 bits: firmware/port/quads.
pairs   four rows at once, as two pairs: for inputs 0..3 the words (0, 2) and (1, 3) of the first pair, then of the second;
        each half of a word is the first row's weight plus 128 (low byte) and the second's as it is (high byte).
        For cores that multiply 16-bit halves of words: firmware/port/pairs.
octets  eight rows at once: for each input a byte of each row, its weight plus 128. The inputs are taken plus 128 too, so that no
        product has a sign, and the layers' biases take that back (`adds_128`). For cores that multiply bytes: firmware/port/avr-far.

Weights of 4 bits have layouts of their own (layout_int4.py); `pack_int4` is how a .tflite holds them.

Rows (and for pairs inputs) are filled up to a whole group with zero weights.
"""

from __future__ import annotations

import numpy as np

LAYOUTS = ("rows", "quads", "pairs", "octets")
_AT_ONCE = {"quads": 4, "octets": 8}  # rows whose weights for one input lie side by side
_SIGN = 0x80  # w + 128 as a byte is w with this bit turned


def adds_128(layout: str) -> bool:
    """Whether a layer's kernel takes its inputs plus 128, so that 128 times a row's sum of weights is to be subtracted."""
    return layout == "octets"


def places(rows: int, inputs: int, layout: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Where each weight lies: byte positions int [rows, inputs], which of them are plus 128 (bool), bytes in all."""
    row, i = np.arange(rows)[:, None], np.arange(inputs)[None, :]
    if layout == "rows":
        return row * inputs + i, np.zeros((rows, inputs), bool), rows * inputs
    if layout in _AT_ONCE:
        n = _AT_ONCE[layout]
        return row // n * (n * inputs) + n * i + row % n, np.ones((rows, inputs), bool), -(-rows // n) * n * inputs
    blocks = -(-rows // 4)
    width = -(-inputs // 4) * 4
    at = row // 4 * (4 * width) + i // 4 * 16 + row // 2 % 2 * 8 + i % 2 * 4 + i // 2 % 2 * 2 + row % 2
    return at, np.broadcast_to(row % 2 == 0, (rows, inputs)), blocks * 4 * width


def arrange(weights: np.ndarray, layout: str) -> bytes:
    """The bytes of an int8 matrix [rows, inputs]."""
    at, shifted, size = places(*weights.shape, layout)
    # A weight of zero in every place, also in those that no weight takes.
    content = np.zeros(size, np.uint8)
    if layout != "rows":
        content[:: 2 if layout == "pairs" else 1] = _SIGN
    content[at] = weights.view(np.uint8) ^ np.where(shifted, _SIGN, 0).astype(np.uint8)
    return content.tobytes()


def read_arranged(content: bytes, rows: int, inputs: int, layout: str) -> np.ndarray:
    """The int8 matrix [rows, inputs] that bytes stand for: what the kernels see."""
    at, shifted, _ = places(rows, inputs, layout)
    held = np.frombuffer(content, np.uint8)[at] ^ np.where(shifted, _SIGN, 0).astype(np.uint8)
    return held.view(np.int8)


def pack_int4(values: np.ndarray) -> bytes:
    """Values -8..7 as a .tflite holds them: two a byte, the first in the low half."""
    flat = np.ravel(values).astype(np.uint8) & 15
    flat = np.append(flat, np.zeros(len(flat) % 2, np.uint8))
    return (flat[::2] | flat[1::2] << 4).tobytes()


def unpack_int4(packed: np.ndarray) -> np.ndarray:
    """int8 values -8..7 of bytes that hold two each."""
    halves = np.stack([packed.view(np.uint8) & 15, packed.view(np.uint8) >> 4], axis=-1).ravel()
    return (halves ^ 8).astype(np.int8) - np.int8(8)
