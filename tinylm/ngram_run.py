"""The stages of an n-gram's training run: texts -> vocabulary_counts.tsv -> model.ngram, vocabulary.tsv, model.json.

Knows their order. There is nothing to resume: it takes about a minute for 7 million words, which are held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tinylm.kneser_ney import encode_text
from tinylm.model import Model, ModelInfo
from tinylm.ngram_fit import NgramFit, fit_ngram
from tinylm.preparation import LearnedPart, Source, repeated_lines
from tinylm.progress import Report
from tinylm.vocabulary import typing_worth


def train_ngram(
    source: Source | LearnedPart,
    info: ModelInfo,
    budget: int,
    report: Report,
    reading: Callable[[int], None],
    capitals: Mapping[str, int] | None = None,
) -> tuple[Model, dict]:
    """The model and what metrics.json says of its making. `info` lacks only the levels.

    Raises TinylmError when the text or the budget is too small.
    """
    text = encode_text(repeated_lines(source.lines(reading)), typing_worth)
    fit = fit_ngram(text, source.alphabet, budget, lambda done, total: report("fitting", done, total, ""), capitals)
    report("fitting", 1, 1, _describe(fit))
    levels = {"top_millinats": fit.top_millinats, "level_millinats": fit.level_millinats}
    model = Model(replace(info, **levels), fit.words, fit.levels, ngram=fit.packed.render(), capitals=fit.capitals)
    metrics = {
        "lexicon_bytes": fit.lexicon_bytes,
        "lexicon_words": len(fit.words),
        "ngram_bytes": fit.ngram_bytes,
        "pairs": fit.pairs,
        "triples": fit.triples,
        "bits_an_entry": round(8 * fit.ngram_bytes / max(1, fit.pairs + fit.triples), 2),
    }
    return model, metrics


def _describe(fit: NgramFit) -> str:
    return (
        f"{len(fit.words):,} words: {fit.lexicon_bytes:,} bytes; {fit.pairs:,} pairs and {fit.triples:,} triples: "
        f"{fit.ngram_bytes:,} bytes"
    )
