"""The bar of a network: a packed n-gram of the same text and bytes, in the folder `baseline` of its model folder.

Knows where it stands, which of both is better on lines that neither learned, and what a card says; counts and packs nothing (ngram_run.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tinylm.budget import Split
from tinylm.card import write_metrics
from tinylm.choice import Table, judges_of
from tinylm.errors import TinylmError
from tinylm.language import build_language
from tinylm.model import KINDS, LONGEST_NAME, Model, ModelInfo, write_model
from tinylm.ngram_run import train_ngram
from tinylm.preparation import LearnedPart
from tinylm.progress import Report

FOLDER = "baseline"
# Of the network's metrics, what is true of an n-gram in its place.
OF_THE_TEXT = ("text_words", "text_distinct_words", "texts", "lines_left_out", "weights_found_on_lines", "trials")


def baseline_folder(folder: Path) -> Path | None:
    """Where the n-gram beside a model is, if there is one."""
    beside = folder / FOLDER
    return beside if (beside / "model.ngram").is_file() else None


def train_baseline(
    source: LearnedPart,
    info: ModelInfo,
    language_bytes: int,
    folder: Path,
    report: Report,
    reading: Callable[[int], None],
    capitals: Mapping[str, int],
) -> Model | None:
    """Write the n-gram of `language_bytes` beside the model in `folder`; none where no n-gram is so small."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    named = replace(info, name=f"{info.name[: LONGEST_NAME - 6]}-ngram", kind="ngram")
    try:
        model, made = train_ngram(source, named, language_bytes, report, reading, capitals)
    except TinylmError as error:
        report("fitting", 1, 1, f"no n-gram to compare with: {error.message}")
        return None
    write_model(folder / FOLDER, model)
    write_metrics(folder / FOLDER, model.info, {"language_bytes": len(build_language(model).content), **made})
    return model


def choose_kind(
    folder: Path,
    network: Model,
    ngram: Model,
    split: Split,
    held: Sequence[Sequence[str]],
    may_replace: bool,
    report: Report,
) -> Model:
    """Type the held-out lines with both and say so in the metrics. An n-gram that surely saves more takes the network's place
    (`may_replace`), which is then in the folder `network`.
    """
    table = Table(judges_of(held))
    try:
        table.judge("network", network, split)
        table.judge("n-gram", ngram)
    except TinylmError as error:  # no compiler for this computer
        report("comparing", 1, 1, f"not done: {error.message}")
        return network
    best = table.choose(surely=True)
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    if best.kind != "ngram" or not may_replace:
        write_metrics(folder, network.info, metrics | {"kinds": table.as_json(), "judges": len(table.judges)})
        return network
    shutil.rmtree(folder / "network", ignore_errors=True)
    write_model(folder / "network", network)
    write_metrics(folder / "network", network.info, metrics)
    model = replace(ngram, info=replace(ngram.info, name=network.info.name))
    for name in set(KINDS[network.info.kind]) - set(KINDS["ngram"]):
        (folder / name).unlink()
    write_model(folder, model)
    told = json.loads((folder / FOLDER / "metrics.json").read_text("utf-8"))
    told |= {name: metrics[name] for name in OF_THE_TEXT if name in metrics}
    shutil.rmtree(folder / FOLDER)
    write_metrics(folder, model.info, told | {"kinds": table.as_json(), "judges": len(table.judges)})
    return model


def describe_baseline(folder: Path, language_bytes: int) -> str:
    """For a model without an n-gram beside it: what its card says of one, and how to get one."""
    how = f"tinylm train TEXT --kind ngram --budget {language_bytes} --output runs/ngram; then add --against runs/ngram"
    try:
        measured = json.loads((folder / "metrics.json").read_text("utf-8"))["evaluation"]
        ngram = measured["packed_ngram"]
        said = (
            f"Its card: KSS@{measured['shown']} {measured['mean_kss']:.2f}, where a packed n-gram of "
            f"{ngram['language_bytes']:,} bytes of the same text has {ngram['mean_kss']:.2f} ({', '.join(ngram['texts'])})."
        )
    except (OSError, ValueError, KeyError, TypeError):
        said = "What a packed n-gram of as many bytes saves was not measured."
    return f"{said}\nTo compare with one: {how}"
