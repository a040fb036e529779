"""Cheaper formulas that answer as the reference does on every input there is, and the proof of it. Knows numbers; no C.

TensorFlow Lite's ADD rounds four times and its FULLY_CONNECTED twice, in 64 bits. But an op of two int8 values has 65,536 inputs
and one of an accumulator is a staircase of at most 255 steps, so a formula in 32 bits can be held against all of them. A
form that is returned here is equal everywhere; None means that none was found, and then C runs the reference's own steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tinylm.graph import Graph, Op
from tinylm.reference import fully_connected_rescaling, mul_rescaling, requantize, run_op

_A = np.repeat(np.arange(-128, 128, dtype=np.int64), 256)  # every pair (a, b)
_B = np.tile(np.arange(-128, 128, dtype=np.int64), 256)
_LIMIT = 1 << 31
_MOST = 127
_REACH = 8  # how far from the rounded factors another is tried
SHIFTS = (16, *range(23, 16, -1))  # 16 first: an AVR shifts by whole bytes for nothing; then the most exact
RESCALE_SHIFTS = (16, 18, 20, 22)
SUM_LIMIT = 1 << 23
PRODUCT_LIMIT = 1 << 15
FACTOR_LIMIT = 1 << 23


@dataclass(frozen=True)
class SumForm:
    """ADD, SUB: clamp((a * by_a + b * by_b + add) >> shift); the factors fit 24 bits,
    every partial sum 32."""

    by_a: int
    by_b: int
    add: int
    shift: int


@dataclass(frozen=True)
class ProductForm:
    """MUL: v = (a - zero_a) (b - zero_b) * factor >> 16, the product of the two below 2^15; then clamp((v + add) >> shift),
    or clamp((v + add_below) >> shift) when v < 0: rounding twice favours no sign, but moves away from zero."""

    factor: int
    add: int
    add_below: int
    shift: int


@dataclass(frozen=True)
class RescaleForm:
    """FULLY_CONNECTED's output: v = (sum << left) * factor >> 32, then as a ProductForm; |sum| <= limit, left >= 8.

    An AVR multiplies three bytes of the sum by four: factor << (left - 8) is below 2^32, or a multiple of 2^8. Where left >= 16
    those bytes are sum << 8, and so it is of factor << (left - 16)."""

    factor: int
    add: int
    add_below: int
    shift: int
    left: int
    limit: int


def find_sum(graph: Graph, op: Op) -> SumForm | None:
    """The form of an ADD or SUB: held against all 65,536 pairs."""
    y, least = run_op(graph, op, {op.inputs[0]: _A, op.inputs[1]: _B}).astype(np.int64), _least(graph, op)
    scale_a, scale_b, scale_y = (float(np.float32(graph.tensor(i).scale)) for i in (*op.inputs, op.output))
    if op.kind == "SUB":
        scale_b = -scale_b
    if op.inputs[0] == op.inputs[1]:
        return None  # the pairs are not all pairs
    for shift in SHIFTS:
        real_a, real_b = scale_a / scale_y * (1 << shift), scale_b / scale_y * (1 << shift)
        if max(abs(real_a), abs(real_b)) + _REACH >= FACTOR_LIMIT:
            continue
        near = _near_edges(_A * round(real_a) + _B * round(real_b), y, least, shift)
        for da, db in _around():
            by_a, by_b = round(real_a) + da, round(real_b) + db
            if _room(_A[near] * by_a + _B[near] * by_b, y[near], least, shift) is None:
                continue
            value = _A * by_a + _B * by_b
            add = _room(value, y, least, shift)
            if add is not None and _fits(_A * by_a + add, value + add):
                return SumForm(by_a, by_b, add, shift)
    return None


def _around() -> Iterator[tuple[int, int]]:
    """Pairs of small numbers, the smallest first."""
    steps = range(-_REACH, _REACH + 1)
    return iter(sorted(((a, b) for a in steps for b in steps), key=lambda d: max(abs(d[0]), abs(d[1]))))


def _near_edges(value: np.ndarray, y: np.ndarray, least: int, shift: int) -> np.ndarray:
    """Which inputs come within a 64th of a step of the tightest: those that a factor a little off gets wrong first."""
    low, high = (y << shift) - value, ((y + 1) << shift) - 1 - value
    slack = (1 << shift) >> 6
    above, below = y > least, y < _MOST
    near = above & (low > low[above].max(initial=-(1 << 62)) - slack)
    return near | (below & (high < high[below].min(initial=1 << 62) + slack))


def _room(value: np.ndarray, y: np.ndarray, least: int, shift: int) -> int | None:
    """A number that makes clamp((value + it) >> shift) equal to y, the middle of those that do; None when there is none."""
    low = ((y << shift) - value)[y > least].max(initial=-_LIMIT)
    high = (((y + 1) << shift) - 1 - value)[y < _MOST].min(initial=_LIMIT)
    add = int((low + high) // 2)
    return add if low <= high and abs(add) < _LIMIT else None


def _rooms(value: np.ndarray, y: np.ndarray, least: int, shift: int) -> tuple[int, int] | None:
    """The same with a number for value >= 0 and one for value < 0."""
    above, below = value >= 0, value < 0
    adds = tuple(_room(value[side], y[side], least, shift) if side.any() else 0 for side in (above, below))
    return None if None in adds else adds


def _fits(*values: np.ndarray) -> bool:
    return all(-_LIMIT <= v.min() and v.max() < _LIMIT for v in values)


def _least(graph: Graph, op: Op) -> int:
    """Where an op's output is clamped from below."""
    return graph.tensor(op.output).zero_point if op.relu else -128


def find_product(graph: Graph, op: Op) -> ProductForm | None:
    """The form of a MUL: held against all 65,536 pairs."""
    if op.inputs[0] == op.inputs[1]:
        return None
    zero_a, zero_b = (graph.tensor(i).zero_point for i in op.inputs)
    product = (_A - zero_a) * (_B - zero_b)
    if np.abs(product).max() >= PRODUCT_LIMIT:
        return None
    y, least = run_op(graph, op, {op.inputs[0]: _A, op.inputs[1]: _B}).astype(np.int64), _least(graph, op)
    by = mul_rescaling(graph, op)
    real = by.multiplier * 2.0 ** (by.shift - 31)
    for shift in SHIFTS:
        for factor in _factors(real * 2.0 ** (shift + 16)):
            value = product * factor >> 16
            adds = _rooms(value, y, least, shift)
            if adds is not None and _fits(value, value + adds[0], value + adds[1]):
                return ProductForm(factor, *adds, shift)
    return None


def _factors(real: float) -> list[int]:
    """Whole numbers near a real one, the nearest first, a few thousandths of a millionth apart where it is large."""
    step = max(1, round(real / (1 << 28)))
    return [f for d in (0, 1, -1, 2, -2, 3, -3) if 0 < (f := round(real) + d * step) < _LIMIT]


def largest_sum(graph: Graph, op: Op) -> int:
    """The largest |accumulator| of a FULLY_CONNECTED, biases and zero point included, whatever its int8 input."""
    weights = graph.tensor(op.inputs[1]).values.astype(np.int64)
    zero = graph.tensor(op.inputs[0]).zero_point
    most = np.maximum(np.abs(weights * (-128 - zero)), np.abs(weights * (127 - zero))).sum(axis=1)
    if op.inputs[2] >= 0:
        most = most + np.abs(graph.tensor(op.inputs[2]).values.astype(np.int64)).ravel()
    return int(max(most.max(), 1))


def find_rescale(graph: Graph, op: Op) -> RescaleForm | None:
    """The form of a FULLY_CONNECTED's output: held against both sides of each of its steps."""
    by, limit = fully_connected_rescaling(graph, op), largest_sum(graph, op)
    if limit << max(by.shift, 0) >= _LIMIT or by.multiplier == 0 or limit >= SUM_LIMIT:
        return None  # a left shift may wrap; or an AVR takes three bytes of a sum

    def exact(sums: np.ndarray) -> np.ndarray:
        return requantize(graph, op, sums).astype(np.int64)

    edges, y = _edges(exact, limit)
    least = _least(graph, op)
    real = by.multiplier * 2.0 ** (by.shift - 31)
    most = 31 - limit.bit_length()
    for left, shift in ((8, 16), *((most, shift) for shift in RESCALE_SHIFTS)):  # whole bytes first
        for factor in _rescale_factors(real * 2.0 ** (32 + shift - left), left):
            value = ((edges << left) * factor) >> 32
            adds = _rooms(value, y, least, shift)
            if adds is not None and _fits(value, value + adds[0], value + adds[1]):
                return RescaleForm(factor, *adds, shift, left, limit)
    return None


def _rescale_factors(real: float, left: int) -> list[int]:
    """Those whose product with 2^(left - 8), or 2^(left - 16), has five bytes at most, the first or the last of them zero."""
    up = left - (16 if left >= 16 else 8)
    unit = 1 if real * (1 << up) < 1 << 32 else 1 << max(8 - up, 0)
    factors = [f * unit for f in _factors(real / unit)]
    return [f for f in factors if f < _LIMIT and f << up < 1 << 40]


def _edges(exact: Callable[[np.ndarray], np.ndarray], limit: int) -> tuple[np.ndarray, np.ndarray]:
    """The sums on both sides of each step of a rising staircase over -limit..limit, the ends too; and what they answer."""
    lowest, highest = (int(exact(np.array([end]))[0]) for end in (-limit, limit))
    levels = np.arange(lowest + 1, highest + 1)
    low, high = np.full(len(levels), -limit), np.full(len(levels), limit)
    while (high - low > 1).any():  # exact(low) < level <= exact(high)
        middle = (low + high) // 2
        reached = exact(middle) >= levels
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    sums = np.concatenate([[-limit], low, high, [limit]])
    return sums, exact(sums)
