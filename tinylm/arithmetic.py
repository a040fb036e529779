"""TensorFlow Lite's integer arithmetic, exactly: multipliers, rounding, tables. Knows numbers; knows no graph.

Sources: gemmlowp's fixedpoint.h (SRDHM, RDBPOT, exp, logistic, tanh) and TensorFlow Lite's quantization_util.cc
(multipliers), as TensorFlow Lite Micro runs them. tests/test_arithmetic.py holds every function against that oracle.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

INT32_MAX = (1 << 31) - 1
INT32_MIN = -(1 << 31)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A positive real number as (multiplier in 2^30..2^31-1, shift): real ~ multiplier * 2^(shift - 31)."""
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = int(math.floor(fraction * (1 << 31) + 0.5))
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (multiplier, shift) if shift >= -31 else (0, 0)


def high_multiply(a: np.ndarray, b: int) -> np.ndarray:
    """SRDHM, int64 in and out: (a * b + 2^30) >> 31 for int32 values (b is never INT32_MIN here)."""
    return (np.asarray(a, np.int64) * b + (1 << 30)) >> 31


def rounding_shift(x: np.ndarray, exponent: int) -> np.ndarray:
    """RDBPOT: x / 2^exponent, halves away from zero; exponent >= 0."""
    if exponent == 0:
        return np.asarray(x, np.int64)
    x = np.asarray(x, np.int64)
    return (x + (1 << (exponent - 1)) + (x >> 63)) >> exponent


def rescale(x: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
    """MultiplyByQuantizedMultiplier with double rounding; the left shift wraps at 32 bits as int32 does."""
    left, right = max(shift, 0), max(-shift, 0)
    shifted = (np.asarray(x, np.int64) << left).astype(np.int32)
    return rounding_shift(high_multiply(shifted, multiplier), right)


def saturate(x: np.ndarray) -> np.ndarray:
    """To int8, clamped at -128 and 127."""
    return np.clip(x, -128, 127).astype(np.int8)


class _Fixed:
    """gemmlowp's FixedPoint<int32, integer_bits>: raw is real * 2^(31 - integer_bits)."""

    def __init__(self, raw: int, integer_bits: int) -> None:
        self.raw, self.integer_bits = raw, integer_bits

    def __mul__(self, other: _Fixed) -> _Fixed:
        return _Fixed(int(high_multiply(self.raw, other.raw)), self.integer_bits + other.integer_bits)

    def __add__(self, other: _Fixed) -> _Fixed:
        return _Fixed(self.raw + other.raw, self.integer_bits)

    def __sub__(self, other: _Fixed) -> _Fixed:
        return _Fixed(self.raw - other.raw, self.integer_bits)

    def rescaled(self, integer_bits: int) -> _Fixed:
        return _Fixed(_by_power(self.raw, self.integer_bits - integer_bits), integer_bits)


def _by_power(raw: int, exponent: int) -> int:
    """SaturatingRoundingMultiplyByPOT."""
    if exponent <= 0:
        return int(rounding_shift(raw, -exponent))
    return max(INT32_MIN, min(INT32_MAX, raw << exponent))


_ONE = _Fixed(INT32_MAX, 0)
_ONE_F2 = _Fixed(1 << 29, 2)
# exp(-2^k) for k = -2..4 as FixedPoint<0>: gemmlowp's barrel shifter.
_EXP_STEPS = ((-2, 1672461947), (-1, 1302514674), (0, 790015084), (1, 290630308), (2, 39332535), (3, 720401), (4, 242))


def _exp_near_zero(a: _Fixed) -> _Fixed:
    """exp(a) for a in [-1/4, 0): a Taylor polynomial around -1/8."""
    at_eighth, third = _Fixed(1895147668, 0), _Fixed(715827883, 0)
    x = a + _Fixed(1 << 28, 0)
    x2 = x * x
    x3, x4 = x2 * x, x2 * x2
    tail = (_Fixed(_by_power(x4.raw, -2), 0) + x3) * third + x2
    return at_eighth + at_eighth * (x + _Fixed(_by_power(tail.raw, -1), 0))


def _exp_negative(a: _Fixed) -> _Fixed:
    """exp(a) for a <= 0."""
    if a.raw == 0:
        return _ONE
    fraction_bits = 31 - a.integer_bits
    quarter = 1 << (fraction_bits - 2)
    near = (a.raw & (quarter - 1)) - quarter
    result = _exp_near_zero(_Fixed(near, a.integer_bits).rescaled(0))
    rest = near - a.raw
    for exponent, factor in _EXP_STEPS:
        if a.integer_bits > exponent and rest & (1 << (fraction_bits + exponent)):
            result = result * _Fixed(factor, 0)
    if a.integer_bits > 5 and a.raw < -(1 << (fraction_bits + 5)):
        return _Fixed(0, 0)
    return result


def _reciprocal(a: _Fixed) -> _Fixed:
    """2 / (1 + a) for a in [0, 1] as FixedPoint<2>: three Newton steps."""
    total = a.raw + INT32_MAX
    half = _Fixed((total + 1) // 2, 0)
    x = _Fixed(1515870810, 2) + half * _Fixed(-1010580540, 2)
    for _ in range(3):
        x = x + (x * (_ONE_F2 - half * x)).rescaled(2)
    return x


def _logistic(a: _Fixed) -> int:
    if a.raw == 0:
        return 1 << 30
    x = _reciprocal(_exp_negative(_Fixed(-abs(a.raw), a.integer_bits)))
    positive = _Fixed(x.raw, 1).rescaled(0).raw
    return positive if a.raw > 0 else INT32_MAX - positive


def _tanh(a: _Fixed) -> int:
    if a.raw == 0:
        return 0
    x = _reciprocal(_exp_negative(_Fixed(-abs(a.raw), a.integer_bits + 1)))
    size = (x - _ONE_F2).rescaled(0).raw
    return size if a.raw > 0 else -size


@cache
def lookup_table(kind: str, scale: float, zero_point: int) -> np.ndarray:
    """LOGISTIC or TANH of every int8 input -128..127, int8 [256], in order.

    Output scale and zero point are the pinned ones: 1/256 and -128, 1/128 and 0. `scale` is 2^-28 or more.
    """
    multiplier, shift = quantize_multiplier(float(np.float32(scale)) * (1 << 27))
    # The largest centred input whose fixed-point form (4 integer bits) does not overflow.
    radius = math.floor(15.0 * (1 << 27) / (1 << shift))
    function, bits, low = (_logistic, 23, -128) if kind == "LOGISTIC" else (_tanh, 24, 0)
    table = []
    for value in range(-128, 128):
        centred = value - zero_point
        if abs(centred) >= radius:
            table.append(127 if centred > 0 else -128)  # radius is 0 from scale 8 on: then 0 is -128 too
            continue
        fixed = _Fixed(int(rescale(np.int64(centred), multiplier, shift)), 4)
        table.append(int(np.clip(rounding_shift(function(fixed), bits) + low, -128, 127)))
    return np.array(table, np.int8)
