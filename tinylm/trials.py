"""Short trainings that choose a split: a few networks of one budget learn from a part of the text and type other lines of it.

Knows how long a trial is. All of it is counted in words, so that the same text and seed choose the same split.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinylm.budget import Proportions, Split, split_budget
from tinylm.calibration import first_lines
from tinylm.choice import Table, candidates, judges_of
from tinylm.errors import TinylmError
from tinylm.model import Model
from tinylm.preparation import LearnedPart, Source, encode_words, held_out_part, row_frequency, write_tokens
from tinylm.progress import Report
from tinylm.quantize import grid_of
from tinylm.training import TrainingPlan, train

SAMPLE_WORDS = 200_000  # of the text that a trial learns from
TRIAL_WORDS = 400_000  # that it reads: two passes or more
TRIAL_BATCH = 32

Quantize = Callable[[Split, dict[str, np.ndarray], list[list[int]]], Model]


def trial_plan(plan: TrainingPlan, sample_words: int) -> TrainingPlan:
    """The plan of a trial: small batches, so that it takes enough steps."""
    return replace(
        plan,
        epochs=min(plan.epochs, TRIAL_WORDS / max(1, sample_words)),
        batch=min(plan.batch, TRIAL_BATCH),
        checkpoint_s=float("inf"),
    )


def choose_split(
    source: Source,
    counts: Counter[str],
    capitals: Mapping[str, int],
    budget: int,
    rule: Proportions,
    plan: TrainingPlan,
    quantize: Quantize,
    would_do: Callable[[Split], bool],
    report: Report,
) -> tuple[Split, Table]:
    """The best split of a budget for a text, and the table that shows it: `rule`'s, which has to do, and its neighbours that do.

    Raises TinylmError when the rule's cannot be made.
    """
    table, splits = Table(judges_of(held_out_part(source))), {}
    sample = LearnedPart(source, max(1, int(counts.total() // SAMPLE_WORDS)))
    named = candidates(budget, rule)
    for number, (what, proportions) in enumerate(named.items()):
        try:
            split = split_budget(
                "word", counts, source.alphabet, budget, proportions.weight_bits, None, capitals, proportions
            )
        except TinylmError:
            if number == 0:
                raise
            continue
        if split in splits.values() or not would_do(split):
            continue
        model = _try(split, sample, min(counts.total(), SAMPLE_WORDS), plan, quantize, number, len(named), report)
        splits[what] = split
        table.judge(what, model, split)
    return splits[table.choose(surely=False).what], table


def _try(
    split: Split,
    sample: LearnedPart,
    words: int,
    plan: TrainingPlan,
    quantize: Quantize,
    number: int,
    trials: int,
    report: Report,
) -> Model:
    """A network of that split after a short training."""
    encode = encode_words(split.vocabulary)
    with tempfile.TemporaryDirectory(prefix="tinylm-trial-") as scratch:
        tokens, held = write_tokens(sample, encode, Path(scratch))
        trained = train(
            split.shape,
            tokens,
            row_frequency(tokens, split.shape.rows),
            trial_plan(plan, words),
            Path(scratch),
            lambda step, steps, loss: report(
                "trying", number * steps + step, trials * steps, f"trial {number + 1} of {trials}, loss {loss:.2f} nats"
            ),
            grid=grid_of(split.shape),
        )
        return quantize(split, trained.weights, [list(encode(line)) for line in held] or first_lines(tokens.ids))
