"""Every layout of 4-bit weights holds every weight once, and says where."""

from __future__ import annotations

import numpy as np
import pytest

from tinylm.layout_int4 import INT4_LAYOUTS, arrange_int4, places_int4, read_int4


@pytest.mark.parametrize("layout", INT4_LAYOUTS)
@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (5, 3), (3, 5), (9, 16), (66, 37)])
def test_what_is_arranged_reads_back_and_no_weight_lies_on_another(layout: str, shape: tuple[int, int]) -> None:
    weights = np.random.default_rng(1).integers(-8, 8, shape).astype(np.int8)
    content, places = arrange_int4(weights, layout), places_int4(*shape, layout)
    assert 2 * len(content) == places.count and len(np.unique(places.at)) == weights.size
    assert places.at.max() < places.count and places.count % len(places.turned) == 0
    assert np.array_equal(read_int4(content, *shape, layout), weights)


def test_the_bytes_of_each_layout_are_these() -> None:
    weights = np.array([[1, 2, 3], [-1, -2, -8]], np.int8)
    assert arrange_int4(weights, "halves") == bytes([0x31, 0x02, 0x8F, 0x0E])
    assert arrange_int4(weights, "eights")[:8] == bytes([0x79, 0x88, 0x88, 0x88, 0x6A, 0x88, 0x88, 0x88])
    assert arrange_int4(weights, "quads") == bytes([0x79, 0x88, 0x6A, 0x88, 0x0B, 0x88])
    assert arrange_int4(weights, "fours") == bytes([0x79, 0x08, 0x0B, 0x08, 0x6A, 0x08, 0x88, 0x08])
