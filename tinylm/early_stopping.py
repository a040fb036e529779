"""When a run has learned enough: the loss on lines that it does not learn, looked at as it goes. Trains nothing.

A small text is read many times, and a network that is large for it learns it by heart after some of them. So when the held-out loss
has risen clearly, the last part of the run (training.py) begins from the weights that were best. The loss is that of the network alone,
also where it learns beside an n-gram.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tinylm.calibration import calibration_rows
from tinylm.network import NetworkShape
from tinylm.quantize import float_step

LOOKS = 40  # in a run as long as planned
LEAST_WORDS = 200  # held out; fewer say nothing
RISE_NATS = 0.03  # a word above the best look: where a text is still learned, a look was up to 0.017 above it (docs/EXPERIMENTS.md)
PATIENCE = 2  # looks in a row


@dataclass
class Watch:
    """The held-out loss of a run so far. `rows` int [B,T]; `weights`: those of the best look."""

    shape: NetworkShape
    rows: np.ndarray
    best: float = np.inf
    risen: int = 0
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    def look(self, weights: Mapping[str, np.ndarray]) -> bool:
        """Measure the weights; whether the loss has risen for long enough."""
        loss = held_out_loss(self.shape, weights, self.rows)
        if loss < self.best:
            self.best, self.weights = loss, {name: np.array(value) for name, value in weights.items()}
        self.risen = self.risen + 1 if loss > self.best + RISE_NATS else 0
        return self.risen >= PATIENCE

    def saved(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps of it."""
        return {"held_out": np.array([self.best, self.risen])} | {f"b_{k}": v for k, v in self.weights.items()}

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """As it was when a checkpoint was written."""
        if "held_out" in saved:
            self.best, self.risen = float(saved["held_out"][0]), int(saved["held_out"][1])
            self.weights = {name[2:]: value for name, value in saved.items() if name.startswith("b_")}


def watch(shape: NetworkShape, lines: list[list[int]]) -> Watch | None:
    """Of a run whose held-out `lines` are these ids; None where they are too few to tell anything."""
    return Watch(shape, calibration_rows(lines)) if sum(map(len, lines)) >= LEAST_WORDS else None


def held_out_loss(shape: NetworkShape, weights: Mapping[str, np.ndarray], rows: np.ndarray) -> float:
    """Mean -log P of the rows' next ids, nats; those of line boundaries are not counted."""
    h, lost, counted = np.zeros((len(rows), shape.hidden), np.float32), 0.0, 0
    for ids, targets in zip(rows.T[:-1], rows.T[1:]):
        values = float_step(shape, weights, ids, h * (ids != 0)[:, None])
        h, logits = values["h_next"], values["logits"]
        most = logits.max(axis=1)
        total = most + np.log(np.exp(logits - most[:, None]).sum(axis=1))
        lost += float(((total - logits[np.arange(len(ids)), targets]) * (targets != 0)).sum())
        counted += np.count_nonzero(targets)
    return lost / max(1, counted)
