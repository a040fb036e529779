"""The bar of a network: a packed n-gram of the same text and bytes, in the folder `baseline` of its model folder.

Knows where it stands and what a card says of it; counts and packs nothing (ngram_run.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from tinylm.card import write_metrics
from tinylm.errors import TinylmError
from tinylm.language import build_language
from tinylm.model import ModelInfo, write_model
from tinylm.ngram_run import train_ngram
from tinylm.preparation import Source
from tinylm.progress import Report

FOLDER = "baseline"
LONGEST_NAME = 31


def baseline_folder(folder: Path) -> Path | None:
    """Where the n-gram beside a model is, if there is one."""
    beside = folder / FOLDER
    return beside if (beside / "model.ngram").is_file() else None


def train_baseline(
    source: Source,
    info: ModelInfo,
    language_bytes: int,
    folder: Path,
    report: Report,
    reading: Callable[[int], None],
    capitals: Mapping[str, int],
) -> None:
    """Write the n-gram of `language_bytes` beside the model in `folder`; none where no n-gram is so small."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    named = replace(info, name=f"{info.name[: LONGEST_NAME - 6]}-ngram", kind="ngram")
    try:
        model, made = train_ngram(source, named, language_bytes, report, reading, capitals)
    except TinylmError as error:
        report("fitting", 1, 1, f"no n-gram to compare with: {error.message}")
        return
    write_model(folder / FOLDER, model)
    write_metrics(folder / FOLDER, model.info, {"language_bytes": len(build_language(model).content), **made})


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
