"""Every layout holds every weight once, and says where."""

from __future__ import annotations

import numpy as np
import pytest

from tinylm.layout import LAYOUTS, arrange, places, read_arranged


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (5, 3), (3, 5), (9, 16), (66, 37)])
def test_what_is_arranged_reads_back_and_no_weight_lies_on_another(layout: str, shape: tuple[int, int]) -> None:
    weights = np.random.default_rng(1).integers(-128, 128, shape).astype(np.int8)
    content = arrange(weights, layout)
    at, _, size = places(*shape, layout)
    assert len(content) == size and len(np.unique(at)) == weights.size and at.max() < size
    assert np.array_equal(read_arranged(content, *shape, layout), weights)


def test_the_bytes_of_each_layout_are_these() -> None:
    weights = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [-1, -2, -3, -4], [-5, -6, -7, -8]], np.int8)
    assert arrange(weights, "rows") == weights.tobytes()
    assert arrange(weights, "quads")[:8] == bytes([129, 133, 127, 123, 130, 134, 126, 122])
    # Eight rows of one input side by side; rows that are not there are zeros.
    assert arrange(weights, "octets")[:16] == bytes(
        [129, 133, 127, 123, 128, 128, 128, 128, 130, 134, 126, 122, 128, 128, 128, 128]
    )
    assert arrange(weights, "pairs") == bytes([129, 5, 131, 7, 130, 6, 132, 8, 127, 251, 125, 249, 126, 250, 124, 248])
