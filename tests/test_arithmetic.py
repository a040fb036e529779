"""TensorFlow Lite's integer arithmetic: tables for every scale as the oracle has them, roundings as gemmlowp's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle import Oracle
from step_graphs import LOOKUPS

from tinylm.arithmetic import (
    INT32_MAX,
    INT32_MIN,
    high_multiply,
    lookup_table,
    quantize_multiplier,
    rescale,
    rounding_shift,
)
from tinylm.graph import Graph, Op, Tensor

EVERY_INPUT = np.arange(-128, 128).astype(np.int8)


def table_of_oracle(kind: str, scale: float, zero: int) -> np.ndarray:
    tensors = (Tensor("x", (1, 256), "int8", scale, zero), Tensor("y", (1, 256), "int8", *LOOKUPS[kind]))
    graph = Graph(tensors, (Op(kind, (0,), 1),), (0,), (1,))
    return Oracle(graph).run({0: EVERY_INPUT})[0]


@pytest.mark.needs("tflite_micro")
@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
@given(exponent=st.floats(-28, 12), zero=st.integers(-128, 127))
@example(exponent=3.0, zero=0)  # from scale 8 on not even the middle fits the fixed point
@example(exponent=-28.0, zero=-128)
@settings(deadline=None, max_examples=60)
def test_a_table_is_the_oracles_at_every_scale_and_zero_point(kind: str, exponent: float, zero: int) -> None:
    scale = float(np.float32(2.0**exponent))
    assert np.array_equal(lookup_table(kind, scale, zero), table_of_oracle(kind, scale, zero))


@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
def test_a_table_is_within_one_of_the_function(kind: str) -> None:
    unit, zero = LOOKUPS[kind]
    for scale in np.float32(np.linspace(0.004, 0.2, 12)):
        x = np.arange(-128, 128) * float(scale)
        real = 1 / (1 + np.exp(-x)) if kind == "LOGISTIC" else np.tanh(x)
        wanted = np.clip(np.round(real / unit) + zero, -128, 127)
        assert np.abs(lookup_table(kind, float(scale), 0) - wanted).max() <= 1


@given(st.integers(INT32_MIN, INT32_MAX), st.integers(0, INT32_MAX))
def test_high_multiply_rounds_the_doubled_product_half_up(a: int, b: int) -> None:
    assert int(high_multiply(np.int64(a), b)) == math.floor(a * b / 2**31 + 0.5) or abs(a * b) > 2**52
    assert int(high_multiply(np.int64(a), b)) == (2 * a * b + 2**31) // 2**32


@given(st.integers(INT32_MIN, INT32_MAX), st.integers(0, 31))
def test_rounding_shift_takes_halves_away_from_zero(x: int, exponent: int) -> None:
    whole, rest = divmod(abs(x), 1 << exponent)
    nearest = whole + (2 * rest >= 1 << exponent and exponent > 0)
    assert int(rounding_shift(np.int64(x), exponent)) == (nearest if x >= 0 else -nearest)


@given(st.floats(2.0**-30, 2.0**30))
def test_a_multiplier_says_its_number_to_31_bits(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 1 << 30 <= multiplier <= INT32_MAX
    assert multiplier * 2.0 ** (shift - 31) == pytest.approx(real, rel=2.0**-30)


def test_numbers_too_small_for_a_multiplier_are_zero() -> None:
    assert quantize_multiplier(0.0) == quantize_multiplier(2.0**-33) == (0, 0)
    assert int(rescale(np.int64(INT32_MAX), 0, 0)) == 0
