"""The n-gram of a mixture: fitted when its network is trained. texts -> numbers.bin -> model.ngram.

Knows the order of these stages. There is nothing to resume: it takes a few minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinylm.base_ngram import CarriedNgram
from tinylm.kneser_ney import Counts, EncodedText, count_numbered, encode_text
from tinylm.language import build_language
from tinylm.mixture import Choice, choices_of
from tinylm.mixture_fit import fit_beside, places_of
from tinylm.model import Model
from tinylm.ngram import ReadNgram, read_ngram
from tinylm.ngram_fit import EntriesFit, fit_followers
from tinylm.preparation import Source, is_held_out, repeated_lines, write_tokens
from tinylm.progress import Report, byte_counter
from tinylm.reading import read_chances
from tinylm.vocabulary import encode

SHARES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)  # weights beside the network's 1 that are tried, or of the base's
WORDS_TO_CHOOSE = 6000  # held-out words that decide


@dataclass(frozen=True)
class _Weighed:
    """An n-gram, its weight beside the network's 1, and the mean log P of held-out words then."""

    fit: EntriesFit
    share: float
    nats: float


def add_ngram(
    model: Model,
    source: Source,
    budget: int,
    run: Path,
    report: Report,
    text_bytes: int,
    carried: CarriedNgram | None = None,
) -> tuple[Model, dict]:
    """The mixture of `model` (which lacks its n-gram) that fills `budget` language bytes, and what metrics.json says of it.

    Two n-grams are made, of what the text says (ngram_fit.py) and of what the network leaves of it (mixture_fit.py), and the one is kept
    beside which held-out words are likelier (docs/EXPERIMENTS.md, "An n-gram fitted to what its network leaves").

    `text_bytes`: of all texts of `source`. `carried`: fine-tune this n-gram; the last text is then what the base said, which it knows
    without counting.
    Raises TinylmError when there is no room, or the disk is full.
    """
    room = budget - len(build_language(replace(model, info=replace(model.info, kind="word"))).content)
    lines, counts = _count(model, source, byte_counter("counting", text_bytes, report), carried)

    def fitting(done: int, total: int) -> None:
        report("fitting", done, total, "")

    def weighing(done: int) -> None:
        report("weighing", done, WORDS_TO_CHOOSE, "")

    def weighed(fit: EntriesFit, shares: Sequence[float]) -> _Weighed:
        return _Weighed(fit, *choose_share(model, read_ngram(fit.packed), lines, shares, weighing))

    usual = carried.base.share if carried else 1.0
    best, how = weighed(fit_followers(counts, room, fitting), [usual * share for share in SHARES]), "counted"
    if not carried:
        numbers = model.numbers
        numbering = byte_counter("numbering", text_bytes, report)
        text, _ = write_tokens(source, lambda words: encode(words, numbers), run, numbering, "numbers.bin")
        chances = read_chances(model, text, lambda done: report("reading again", done, len(text.ids), ""))
        places = places_of(text, chances, model.ngram_rows)
        beside = weighed(fit_beside(places, numbers, room, fitting), SHARES)
        told = f"held-out words: {-best.nats:.3f} nats counted, {-beside.nats:.3f} beside the network"
        if beside.nats > best.nats:
            best, how = beside, "beside the network"
    else:
        told = f"the n-gram counts {best.share:.3g} beside the network's 1"
    report("weighing", 1, 1, told)
    fit = best.fit
    report("fitting", 1, 1, f"{fit.pairs:,} pairs and {fit.triples:,} triples, {how}: {fit.packed.size:,} bytes")
    info = replace(model.info, share_millinats=round(1000 * float(np.log(best.share))))
    metrics = {
        "ngram_bytes": fit.packed.size,
        "ngram_fitted": how,
        "pairs": fit.pairs,
        "triples": fit.triples,
        "bits_an_entry": round(8 * fit.packed.size / max(1, fit.pairs + fit.triples), 2),
        "ngram_share": round(best.share, 3),
    }
    return replace(model, info=info, ngram=fit.packed.render()), metrics


def _count(
    model: Model, source: Source, reading: Callable[[int], None], carried: CarriedNgram | None
) -> tuple[list[list[str]], Counts]:
    """Lines to weigh by, which are not counted where the text has enough, and what the text says, with the base where there is one."""
    held: list[list[str]] = []
    weights = [text.weight for text in source.texts]
    if carried:
        weights = [*(weight / carried.weight for weight in weights[:-1]), 0.0]
    text = encode_text(_read_lines(source, weights, held, reading))
    counts = count_numbered(text, model.numbers, model.ngram_rows)
    return held or _first_lines(text), carried.join(counts, model.numbers) if carried else counts


def _read_lines(
    source: Source, weights: Sequence[float], held: list[list[str]], reading: Callable[[int], None]
) -> Iterator[list[str]]:
    """The lines to count, as often as the `weights` of their texts say; those that the network did not see either go to
    `held`."""

    def counted() -> Iterator[tuple[float, list[str]]]:
        for number, (text, words) in enumerate(source.numbered_lines(reading)):
            if is_held_out(number):
                held.append(words)
            else:
                yield weights[text], words

    return repeated_lines(counted())


def _first_lines(text: EncodedText) -> list[list[str]]:
    """A text of under 50 lines has none held out."""
    tokens = text.tokens[:WORDS_TO_CHOOSE].tolist()
    lines: list[list[str]] = []
    for token in tokens:
        if token == 0:
            lines.append([])
        else:
            lines[-1].append(text.words[token - 1])
    return lines


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
