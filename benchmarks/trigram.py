#!/usr/bin/env python3
"""The bar: a pruned word trigram, typed by the rule and the code of `tinylm evaluate`. A network has to save more
keystrokes at equal bytes. Knows the texts, the search for the best vocabulary and the results; tinylm/kneser_ney.py counts.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
from kneser_ney import Trigram, TrigramEngine, prune, word_list_bits

from tinylm.budget import parse_bytes
from tinylm.corpus import ENGLISH_ALPHABET
from tinylm.errors import TinylmError
from tinylm.evaluate import load_lines
from tinylm.kneser_ney import PRUNINGS, EncodedText, count_text, encode_text, rank_entries
from tinylm.measure import Figures, figures_of, type_lines
from tinylm.model import write_whole
from tinylm.preparation import Source, WeightedText

# What the shipped English model learns from and what it is measured on.
TRAIN = ("tatoeba", "common_voice", "clinc150", "taskmaster4", "topical_chat", "self_dialogue", "goemotions")
DEV = ("ewt_answers", "ewt_reviews", "ewt_newsgroup", "mackenzie_soukoreff", "clinc150_heldout")
VOCABULARIES = (2000, 3000, 4000, 5000, 7000, 9000, 12_000, 15_000, 20_000, 30_000, 40_000, 50_000)
WORD_LIST_SHARE = (0.06, 0.9)  # of the budget; a vocabulary whose list takes less or more is not tried
SHOWN = 3
# The part of Figures that typing without probes measures.
MEASURED = ("kss", "interval", "out_of_vocabulary", "lines", "words", "characters", "keystrokes")


def measure(model: Trigram, texts: dict[str, list[list[str]]]) -> dict[str, Figures]:
    """Type every text (name -> lines)."""
    engine = TrigramEngine(model)
    return {
        name: figures_of(type_lines(engine, lines, SHOWN, engine.row.__contains__, probe=False))
        for name, lines in texts.items()
    }


def mean_kss(figures: dict[str, Figures]) -> float:
    """Each text counted once."""
    return float(np.mean([f.kss for f in figures.values()]))


@dataclass
class Choice:
    """The best model so far of one budget and pruning; `tried`: vocabulary -> mean KSS of the lines that choose."""

    budget: int
    pruning: str
    tried: dict[int, float]
    model: Trigram | None = None

    def offer(self, vocabulary: int, model: Trigram, mean: float) -> None:
        """Take the model if it is better."""
        if mean > max(self.tried.values(), default=-math.inf):
            self.model = model
        self.tried[vocabulary] = round(mean, 3)

    def as_json(self, figures: dict[str, Figures]) -> dict:
        """One size of the results; its `texts` as `tinylm evaluate --json` has them, less what was not measured."""
        assert self.model
        return {
            "model": f"Kneser-Ney trigram, pruned by {self.pruning}",
            "budget_bytes": self.budget,
            "language_bytes": self.model.language_bytes,
            "shown": SHOWN,
            "vocabulary_words": len(self.model.words),
            "pairs": len(self.model.pair_keys),
            "triples": len(self.model.triple_keys),
            "vocabularies_tried": self.tried,
            "mean_kss": mean_kss(figures),
            "texts": {name: {key: asdict(f)[key] for key in MEASURED} for name, f in figures.items()},
        }


def choose_trigrams(
    text: EncodedText,
    budgets: Sequence[int],
    vocabularies: Sequence[int],
    texts: dict[str, list[list[str]]],
    report: Callable[[str], None],
) -> list[Choice]:
    """For each budget and pruning the vocabulary that is best on `texts`; a budget too small for any is left out."""
    choices = [Choice(budget, pruning, {}) for budget in sorted(budgets) for pruning in PRUNINGS]
    for vocabulary in vocabularies:
        counts = count_text(text, vocabulary)
        list_bytes = word_list_bits(counts.words) / 8
        for pruning in PRUNINGS:
            ranking = rank_entries(counts, pruning)
            for choice in (c for c in choices if c.pruning == pruning):
                if WORD_LIST_SHARE[0] <= list_bytes / choice.budget <= WORD_LIST_SHARE[1]:
                    model = prune(counts, choice.budget, ranking)
                    mean = mean_kss(measure(model, texts))
                    choice.offer(vocabulary, model, mean)
                    report(f"{choice.budget:>9,} bytes, {vocabulary:>6,} words, by {pruning}: {mean:.2f}")
    return [c for c in choices if c.model]


def render_command(sizes: str, lines: int | None, json_path: Path | None) -> str:
    """The command that gives these results again; DATA is the texts' folder."""
    parts = [f"python benchmarks/trigram.py --data DATA --sizes {sizes}"]
    parts += [f"--lines {lines}"] if lines else []
    parts += [f"--json benchmarks/results/{json_path.name}"] if json_path else []
    return " ".join(parts)


@click.command(context_settings={"show_default": True})
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The texts: train/en, dev/en.",
)
@click.option("--sizes", default="24K,64K,256K,1M", help="Budgets in language bytes.")
@click.option("--lines", type=click.IntRange(1), help="At most so many lines of each dev text.")
@click.option(
    "--search-lines", default=150, type=click.IntRange(1), help="Lines of a dev text that choose the vocabulary."
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the results here.")
def command(data: Path, sizes: str, lines: int | None, search_lines: int, json_path: Path | None) -> None:
    """Train the trigram, prune it to each size, measure what it is worth."""
    began = time.monotonic()
    try:
        budgets = [parse_bytes(size) for size in sizes.split(",")]
        texts = {name: load_lines(data / "dev" / "en" / f"{name}.txt", ENGLISH_ALPHABET, lines) for name in DEV}
        paths = tuple(WeightedText(data / "train" / "en" / f"{name}.txt") for name in TRAIN)
        source = Source(paths, ENGLISH_ALPHABET, (data / "dev" / "en",))
        text = encode_text(words for _, words in source.lines())
    except TinylmError as error:
        raise click.ClickException(f"{error.message} {error.hint or ''}") from error
    words = int(np.count_nonzero(text.tokens))
    click.echo(f"{words:,} words, {len(text.words):,} different, read in {time.monotonic() - began:.0f} s")
    few = {name: typed[:search_lines] for name, typed in texts.items()}
    found = []
    for choice in choose_trigrams(text, budgets, VOCABULARIES, few, click.echo):
        size = choice.as_json(measure(choice.model, texts))
        found.append(size)
        each = ", ".join(f"{name} {f['kss']:.2f}" for name, f in size["texts"].items())
        click.echo(f"{size['language_bytes']:,} bytes, {size['vocabulary_words']:,} words, by {choice.pruning}: "
                   f"mean {size['mean_kss']:.2f} ({each})")  # fmt: skip
    result = {
        "command": render_command(sizes, lines, json_path),
        "trained_on": list(TRAIN),
        "trained_words": words,
        "lines_a_text": lines,
        "sizes": found,
    }
    if json_path:
        write_whole(json_path, (json.dumps(result, indent=2) + "\n").encode())
    click.echo(f"{time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    command()
