"""The tokens that a network is calibrated on when it is quantized, and watched on while it learns: lines laid out in rows. Knows ids."""

from __future__ import annotations

import numpy as np

CALIBRATION_TOKENS = 8_000


def first_lines(ids: np.ndarray) -> list[list[int]]:
    """A text (its ids, each line led by id 0) of under 50 lines has none held out: calibrate on its beginning."""
    return [list(ids[1 : CALIBRATION_TOKENS + 1])]


def calibration_rows(lines: list[list[int]], steps: int = 40) -> np.ndarray:
    """Held-out lines as rows of `steps` tokens, int [B, steps], each line led by id 0."""
    flat: list[int] = []
    for line in lines:
        flat += [0, *line]
        if len(flat) >= CALIBRATION_TOKENS:
            break
    rows = max(1, len(flat) // steps)
    flat = (flat * (steps // len(flat) + 1))[: rows * steps]
    return np.array(flat, np.int64).reshape(rows, steps)
