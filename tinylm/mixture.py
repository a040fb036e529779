"""A network and an n-gram side by side: probabilities of words, and what both answer to a walk. No bytes, no texts.

docs/SPEC-mixture.md has the rule; firmware/predict/tlm_suggest_mixture.c follows it on the device, in integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinylm.flatbuffer import read_tflite
from tinylm.graph import Step, understand_step
from tinylm.model import BOUNDARY_ROW, UNKNOWN_ROW, Model, nats_of_level
from tinylm.ngram import UNITS_PER_NAT, ReadNgram, hash_followers
from tinylm.reference import FNV_BASIS, hash_bytes, run_step


@dataclass(frozen=True)
class Choice:
    """What network and n-gram each give one word, and what the n-gram gives all followers."""

    network: float
    ngram: float
    followers: float

    def nats(self, share: float) -> float:
        """log P of the word when the n-gram weighs `share` beside the network's 1."""
        return math.log((self.network + share * self.ngram) / (1 + share * self.followers))


def choices_of(model: Model, ngram: ReadNgram, lines: Iterable[Sequence[str]]) -> Iterator[Choice]:
    """Of each word of the lines that the model knows."""
    step, numbers, info = understand_step(read_tflite(model.tflite)), model.numbers, model.info
    share_of = {w: math.exp(nats_of_level(info, level)) for w, level in zip(model.words, model.levels)}
    for words in lines:
        state, before, last = step.start(), BOUNDARY_ROW, BOUNDARY_ROW
        for word in words:
            result = run_step(step, last if last < step.rows else UNKNOWN_ROW, state)
            number = numbers.get(word, UNKNOWN_ROW)
            if number != UNKNOWN_ROW:
                chances = np.exp((result.scores - result.scores.max()) / step.units_per_nat)
                row = number if number < step.rows else UNKNOWN_ROW
                network = share_of[word] * float(chances[row] / chances.sum())
                costs = ngram.followers(before, last)
                followers = sum(math.exp(-cost / UNITS_PER_NAT) for cost in costs.values())
                own = math.exp(-costs[number] / UNITS_PER_NAT) if number in costs else 0.0
                yield Choice(network, own, followers)
            state, before, last = result.state, last, number


def hash_mixture(step: Step, ngram: ReadNgram, start: int, stride: int, steps: int, run: object = run_step) -> int:
    """What `tlm_network_hash` answers: after each row of the walk the network's state and logits, then the followers.

    `run` as for hash_steps.
    """
    state, value, before = step.start(), FNV_BASIS, BOUNDARY_ROW
    for i in range(steps):
        row = (start + i * stride) % step.rows
        result = run(step, row, state)
        value = hash_bytes(result.state.tobytes() + result.logits.tobytes(), value)
        value = hash_followers(ngram, before, row, value)
        state, before = result.state, row
    return value
