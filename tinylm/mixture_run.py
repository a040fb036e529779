"""The n-gram of a mixture: fitted when its network is trained. texts -> model.ngram and its weight beside the network.

Knows the order of these stages. There is nothing to resume: it takes a minute or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from tinylm.base_ngram import CarriedNgram
from tinylm.kneser_ney import EncodedText, count_numbered, encode_text
from tinylm.language import build_language
from tinylm.mixture import Choice, choices_of
from tinylm.model import Model
from tinylm.ngram import ReadNgram, read_ngram
from tinylm.ngram_fit import fit_followers
from tinylm.preparation import Source, is_held_out, repeated_lines
from tinylm.progress import Report

SHARES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)  # weights of the n-gram beside the network's 1 that are tried
WORDS_TO_CHOOSE = 6000  # held-out words that decide


def add_ngram(
    model: Model,
    source: Source,
    budget: int,
    report: Report,
    reading: Callable[[int], None],
    carried: CarriedNgram | None = None,
) -> tuple[Model, dict]:
    """The mixture of `model` (which lacks its n-gram) that fills `budget` language bytes, and what metrics.json says of it.

    `carried`: fine-tune this n-gram; the last text of `source` is then what the base said, which it knows without counting.
    Raises TinylmError when there is no room.
    """
    held: list[list[str]] = []
    weights = [text.weight for text in source.texts]
    if carried:
        weights = [*(weight / carried.weight for weight in weights[:-1]), 0.0]
    text = encode_text(_read_lines(source, weights, held, reading))
    counts = count_numbered(text, model.numbers, model.ngram_rows)
    if carried:
        counts = carried.join(counts, model.numbers)
    room = budget - len(build_language(replace(model, info=replace(model.info, kind="word"))).content)
    fit = fit_followers(counts, room, lambda done, total: report("fitting", done, total, ""))
    report("fitting", 1, 1, f"{fit.pairs:,} pairs and {fit.triples:,} triples: {fit.packed.size:,} bytes")
    lines = held or _first_lines(text)
    share = choose_share(
        model, read_ngram(fit.packed), lines, lambda done: report("weighing", done, WORDS_TO_CHOOSE, "")
    )
    report("weighing", 1, 1, f"the n-gram counts {share:g} beside the network's 1")
    info = replace(model.info, share_millinats=round(1000 * float(np.log(share))))
    metrics = {
        "ngram_bytes": fit.packed.size,
        "pairs": fit.pairs,
        "triples": fit.triples,
        "bits_an_entry": round(8 * fit.packed.size / max(1, fit.pairs + fit.triples), 2),
        "ngram_share": share,
    }
    return replace(model, info=info, ngram=fit.packed.render()), metrics


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
    model: Model, ngram: ReadNgram, lines: Sequence[Sequence[str]], progress: Callable[[int], None] | None = None
) -> float:
    """The weight of SHARES at which the held-out words are likeliest; the lines are taken evenly from all."""
    stride = max(1, sum(map(len, lines)) // WORDS_TO_CHOOSE)
    seen: list[Choice] = []
    for choice in choices_of(model, ngram, lines[::stride]):
        seen.append(choice)
        if progress and len(seen) % 100 == 0:
            progress(min(len(seen), WORDS_TO_CHOOSE))
    return max(SHARES, key=lambda share: sum(choice.nats(share) for choice in seen))
