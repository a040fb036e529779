"""Two models on the same lines: which one saves more, and how sure that is. Knows evaluations; types nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinylm.errors import TinylmError
from tinylm.evaluate import Evaluation
from tinylm.measure import interval_of, resample
from tinylm.model import Model


@dataclass(frozen=True)
class Difference:
    """Points of KSS that one model saves more than the other; `interval`: 95 % of paired bootstrap resamples of lines."""

    kss: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """`one` beside `other`: a difference for each text, and that of the means."""

    one: Evaluation
    other: Evaluation
    texts: dict[str, Difference]
    mean: Difference

    def as_json(self) -> dict:
        """The other's evaluation, with what `one` has more."""
        texts = {name: {"kss": d.kss, "interval": d.interval} for name, d in self.texts.items()}
        mean = {"kss": self.mean.kss, "interval": self.mean.interval}
        return self.other.as_json() | {"less_than_first": {"mean": mean, "texts": texts}}


def check_letters(models: Sequence[Model]) -> None:
    """Raises TinylmError where the letters of models make other words of one text."""
    first = models[0].info
    for info in (model.info for model in models):
        if info.alphabet != first.alphabet:
            raise TinylmError(
                f"'{first.name}' and '{info.name}' type other words: their letters are {first.alphabet} and {info.alphabet}.",
                "Compare models of one language.",
            )


def compare(one: Evaluation, other: Evaluation) -> Comparison:
    """Both were evaluated on the same lines of the same texts."""
    texts = {
        a.text: _difference(a.figures.kss, b.figures.kss, resample(a.lines) - resample(b.lines))
        for a, b in zip(one.texts, other.texts)
    }
    return Comparison(one, other, texts, _difference(one.mean_kss, other.mean_kss, one.resamples() - other.resamples()))


def _difference(one: float, other: float, resamples: np.ndarray) -> Difference:
    return Difference(one - other, interval_of(resamples))
