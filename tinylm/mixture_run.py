"""The n-gram of a mixture: fitted when its network is trained. texts -> numbers.bin -> model.ngram.

Knows the order of these stages. There is nothing to resume: it takes a few minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinylm.base_ngram import CarriedNgram
from tinylm.kneser_ney import count_numbered, encode_text
from tinylm.language import build_language
from tinylm.mixture import Choice, choices_of
from tinylm.mixture_fit import fit_beside, places_of
from tinylm.model import BOUNDARY_ROW, Model
from tinylm.ngram import ReadNgram, read_ngram
from tinylm.ngram_fit import EntriesFit, fit_followers
from tinylm.preparation import LearnedPart, Source, repeated_lines, write_tokens
from tinylm.progress import Report, byte_counter
from tinylm.reading import read_chances
from tinylm.training import TokenFile
from tinylm.vocabulary import encode

SHARES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)  # weights beside the network's 1 that are tried, or of the base's
WORDS_TO_CHOOSE = 6000  # held-out words that decide


@dataclass(frozen=True)
class NumberedText:
    """A text in the numbers of a mixture (`model.numbers`): what is learned of `source`, and the held-out lines as words."""

    source: Source
    text: TokenFile
    held: list[list[str]]

    @classmethod
    def write(cls, source: Source, model: Model, folder: Path, report: Report) -> NumberedText:
        """Write `numbers.bin`. Raises TinylmError when the text has no line."""
        numbers, reading = model.numbers, byte_counter("numbering", source.file_bytes, report)
        return cls(source, *write_tokens(source, lambda words: encode(words, numbers), folder, reading, "numbers.bin"))

    def lines(self, model: Model) -> list[list[str]]:
        """Lines to weigh by; a text of under 50 lines has none held out, so its first words."""
        if self.held:
            return self.held
        spelled = {number: word for word, number in model.numbers.items()} | {BOUNDARY_ROW: "\n"}
        words = [spelled.get(number, "?") for number in self.text.ids[1 : WORDS_TO_CHOOSE + 1].tolist()]
        return [line.split() for line in " ".join(words).split("\n")]


@dataclass(frozen=True)
class Weighed:
    """An n-gram, whether it was fitted to the network, its weight beside the network's 1, and the mean log P of held-out words then."""

    fit: EntriesFit
    is_fitted: bool
    share: float
    nats: float


@dataclass(frozen=True)
class NgramRun:
    """The n-gram of `model`, which lacks it, in `room` language bytes: made of a text, weighed on its held-out lines."""

    model: Model
    numbered: NumberedText
    room: int
    report: Report

    def choose(self) -> Weighed:
        """The one of two, counted and fitted to the network, beside which held-out words are likelier."""
        counted, beside = self.count(), self.fit_beside()
        told = f"held-out words: {-counted.nats:.3f} nats counted, {-beside.nats:.3f} beside the network"
        self.report("weighing", 1, 1, told)
        return max(counted, beside, key=lambda made: made.nats)

    def count(self, carried: CarriedNgram | None = None) -> Weighed:
        """Of what the text says (ngram_fit.py).

        `carried`: fine-tune this n-gram; the last text of the source is then what the base said, which it knows without counting.
        """
        source, usual = self.numbered.source, 1.0
        if carried:
            weights = [*(text.weight / carried.weight for text in source.texts[:-1]), 0.0]
            source = replace(source, texts=tuple(replace(t, weight=w) for t, w in zip(source.texts, weights)))
            usual = carried.base.share
        lines = LearnedPart(source).lines(byte_counter("counting", source.file_bytes, self.report))
        counts = count_numbered(encode_text(repeated_lines(lines)), self.model.numbers, self.model.ngram_rows)
        counts = carried.join(counts, self.model.numbers) if carried else counts
        fit = fit_followers(counts, self.room, self._fitting)
        return self._weigh(fit, [usual * share for share in SHARES], is_fitted=False)

    def fit_beside(self) -> Weighed:
        """Of what the network leaves of the text (mixture_fit.py)."""
        text, model = self.numbered.text, self.model
        chances = read_chances(model, text, lambda done: self.report("reading again", done, len(text.ids), ""))
        places = places_of(text, chances, model.ngram_rows)
        return self._weigh(fit_beside(places, model.numbers, self.room, self._fitting), SHARES, is_fitted=True)

    def _fitting(self, done: int, total: int) -> None:
        self.report("fitting", done, total, "")

    def _weigh(self, fit: EntriesFit, shares: Sequence[float], is_fitted: bool) -> Weighed:
        def weighing(done: int) -> None:
            self.report("weighing", done, WORDS_TO_CHOOSE, "")

        lines = self.numbered.lines(self.model)
        return Weighed(fit, is_fitted, *choose_share(self.model, read_ngram(fit.packed), lines, shares, weighing))


def add_ngram(
    model: Model, numbered: NumberedText, budget: int, report: Report, carried: CarriedNgram | None = None
) -> tuple[Model, dict]:
    """The mixture of `model` (which lacks its n-gram) that fills `budget` language bytes, and what metrics.json says of it.

    Two n-grams are made, of what the text says and of what the network leaves of it, and the one is kept beside which held-out words
    are likelier (docs/EXPERIMENTS.md, "An n-gram fitted to what its network leaves"). `carried`: as for NgramRun.count; this one is kept.
    Raises TinylmError when there is no room.
    """
    room = budget - len(build_language(replace(model, info=replace(model.info, kind="word"))).content)
    making = NgramRun(model, numbered, room, report)
    if carried:
        made = making.count(carried)
        report("weighing", 1, 1, f"the n-gram counts {made.share:.3g} beside the network's 1")
    else:
        made = making.choose()
    fit, how = made.fit, "beside the network" if made.is_fitted else "counted"
    report("fitting", 1, 1, f"{fit.pairs:,} pairs and {fit.triples:,} triples, {how}: {fit.packed.size:,} bytes")
    info = replace(model.info, share_millinats=round(1000 * float(np.log(made.share))))
    metrics = {
        "ngram_bytes": fit.packed.size,
        "ngram_fitted": how,
        "pairs": fit.pairs,
        "triples": fit.triples,
        "bits_an_entry": round(8 * fit.packed.size / max(1, fit.pairs + fit.triples), 2),
        "ngram_share": round(made.share, 3),
    }
    return replace(model, info=info, ngram=fit.packed.render()), metrics


def choose_share(
    model: Model,
    ngram: ReadNgram,
    lines: Sequence[Sequence[str]],
    shares: Sequence[float],
    progress: Callable[[int], None] | None = None,
) -> tuple[float, float]:
    """The weight of `shares` at which held-out words are likeliest, and their mean log P; the lines are taken evenly from all."""
    stride = max(1, sum(map(len, lines)) // WORDS_TO_CHOOSE)
    seen: list[Choice] = []
    for choice in choices_of(model, ngram, lines[::stride]):
        seen.append(choice)
        if progress and len(seen) % 100 == 0:
            progress(min(len(seen), WORDS_TO_CHOOSE - 1))  # the stage goes on
    nats = {share: sum(choice.nats(share) for choice in seen) / max(1, len(seen)) for share in shares}
    best = max(shares, key=nats.__getitem__)
    return best, nats[best]
