#!/usr/bin/env python3
"""What any split of 24 KB between words and a network can save at most, beside the packed n-gram of 24 KB.

    python benchmarks/small_budget.py --data DATA --work runs/small-budget

Networks of growing size are trained, up to one that fills the budget alone. Each then gets all the words that would fit beside the
network before it (the first: the whole budget). Of the splits whose network is larger than the one before and no larger than this one,
none has more words or a larger network, so none can be expected to save more than this pair, which is too large for the budget.
A mixture of the budget, which does fit, is measured too. Knows how such pairs are made; training and typing are tinylm's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click
from text_worth import OWN, OWN_BY_HAND, options_of, shipped_texts
from trigram import DEV

from tinylm.budget import Split, network_bytes, split_budget, usual_proportions, with_lexicon
from tinylm.cli.console import progress_bars
from tinylm.corpus import ENGLISH_ALPHABET
from tinylm.evaluate import Evaluation, evaluate_model
from tinylm.language import HEADER_BYTES, build_language
from tinylm.measure import interval_of
from tinylm.model import Model, write_whole
from tinylm.network_run import words_of
from tinylm.preparation import CountedWords, Source, WeightedText, count_source
from tinylm.progress import Report
from tinylm.run import WEIGHT_BITS, train_model

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "small-budget.json"
BUDGET = 24_576
NETWORKS = (24_100, 32_768, 40_000, 48_000)  # word models of so many bytes; the network of the last fills BUDGET alone
LEFT_OUT = ("Tom",)  # as in shipped_models.sh


@dataclass(frozen=True)
class Bench:
    """The texts that all learn from, the sets that all are typed on, and where models are kept."""

    texts: tuple[WeightedText, ...]
    held_out: tuple[Path, ...]
    sets: tuple[Path, ...]
    lines: int
    epochs: float
    work: Path
    report: Report

    @property
    def source(self) -> Source:
        """The texts as a run reads them."""
        left_out = frozenset(map(str.lower, LEFT_OUT))
        return Source(self.texts, ENGLISH_ALPHABET, self.held_out, left_out)

    def train(self, kind: str, budget: int) -> Model:
        """A model as `tinylm train` makes it."""
        options = options_of(self.texts, self.held_out, kind, budget, self.epochs, LEFT_OUT)
        return train_model(options, self.work / f"{kind}-{budget}", self.report)

    def type_with(self, model: Model) -> Evaluation:
        """What it saves."""
        size = len(build_language(model).content)

        def typing(text: str, done: int, lines: int) -> None:
            self.report(f"typing {text}", done, lines, "")

        return evaluate_model(model, size, self.sets, most_lines=self.lines, report=typing)


def split_of(budget: int, counted: CountedWords) -> Split:
    """How the rule shares out the bytes of a word model."""
    bits = WEIGHT_BITS["word"]
    shared = usual_proportions(budget, bits)
    return split_budget("word", counted.weighted, ENGLISH_ALPHABET, budget, bits, None, counted.capitals, shared)


def with_words(model: Model, split: Split, counted: CountedWords, room: int) -> tuple[Model, Split]:
    """`model`, which `split` made, with as many words as `room` bytes hold in place of its own; its rows stay the same words."""
    wide = with_lexicon(split.shape, counted.weighted, ENGLISH_ALPHABET, room, counted.capitals)
    if wide.vocabulary.row_ids() != split.vocabulary.row_ids():
        raise click.ClickException("The words with a row are others when there are more words: this measures nothing.")
    return replace(words_of(model.info, wide), tflite=model.tflite), wide


def row_of(what: str, typed: Evaluation, split: Split | None, beside: Evaluation | None) -> dict:
    """A line of the results; `beside` is the n-gram."""
    row = {"what": what, "kind": typed.kind, "language_bytes": typed.language_bytes, "mean_kss": typed.mean_kss}
    if split:
        shape = split.shape
        row |= {"rows": shape.rows, "embedding": shape.embedding, "hidden": shape.hidden}
        row |= {"words": len(split.vocabulary.words), "lexicon_bytes": split.lexicon_bytes}
        row |= {"network_bytes": split.network_bytes}
    if beside:
        more = interval_of(typed.resamples() - beside.resamples())
        row |= {"gain": typed.mean_kss - beside.mean_kss, "interval": more}
    return row


def measure(bench: Bench, budget: int, networks: tuple[int, ...], told: Callable[[dict], None]) -> dict:
    """All rows; each is `told` when it is there."""
    rows: list[dict] = []

    def keep(row: dict) -> None:
        rows.append(row)
        told(row)

    counted = count_source(bench.source, bench.work)
    ngram = bench.type_with(bench.train("ngram", budget))
    keep(row_of("the packed n-gram", ngram, None, None))
    keep(row_of("a mixture", bench.type_with(bench.train("mixture", budget)), None, ngram))
    before = 0
    for i, size in enumerate(networks):
        split, model = split_of(size, counted), bench.train("word", size)
        if i == 0:
            keep(row_of("a network that fits", bench.type_with(model), split, ngram))
        wide, made = with_words(model, split, counted, budget - before)
        keep(row_of("at most", bench.type_with(wide), made, ngram) | {"larger_than": before})
        before = network_bytes(split.shape)
    least_words = budget - before - HEADER_BYTES  # what the last one leaves for words
    return {"budget": budget, "epochs": bench.epochs, "lines": bench.lines, "left_for_words": least_words, "rows": rows}


@click.command(context_settings={"show_default": True})
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path), help="Folder of the texts.")
@click.option(
    "--work", required=True, type=click.Path(path_type=Path), help="Folder of the models; a run goes on there."
)
@click.option("--lines", default=500, help="Lines of each dev set.")
@click.option("--epochs", default=3.0, help="Passes over the text, as many as en-24k has.")
@click.option("--json", "results", default=RESULTS, type=click.Path(path_type=Path), help="Where results go.")
def command(data: Path, work: Path, lines: int, epochs: float, results: Path) -> None:
    """Measure what 24 KB can save at most; then run benchmarks/prediction.py for the table."""
    work.mkdir(parents=True, exist_ok=True)
    own = tuple(WeightedText(path, OWN_BY_HAND) for path in sorted(OWN.glob("*.txt")))
    dev = data / "dev" / "en"
    sets = tuple(dev / f"{name}.txt" for name in DEV)
    with progress_bars() as report:
        bench = Bench((*shipped_texts(data)[0], *own), (dev,), sets, lines, epochs, work, report)
        found = measure(bench, BUDGET, NETWORKS, lambda row: click.echo(json.dumps(row)))
    write_whole(results, (json.dumps(found, indent=2) + "\n").encode())


if __name__ == "__main__":
    command()
