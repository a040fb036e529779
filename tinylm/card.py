"""metrics.json and the model card: what a person should know before using a model. Knows wording; measures nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinylm.model import ModelInfo, load_model, write_whole

if TYPE_CHECKING:
    from tinylm.evaluate import Evaluation

EQUAL_BYTES = 1.01  # so much larger an n-gram still stands beside a network


def write_metrics(folder: Path, info: ModelInfo, metrics: dict) -> None:
    """Write metrics.json and README.md of a model folder."""
    write_whole(folder / "metrics.json", (json.dumps(metrics, indent=2, ensure_ascii=False) + "\n").encode())
    write_whole(folder / "README.md", render_card(info, metrics).encode())


def record_evaluation(folder: Path, found: Evaluation, ngrams: Sequence[Evaluation] = ()) -> None:
    """Put an evaluation's savings into a model folder's metrics and card, beside the largest n-gram of as many bytes."""
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    metrics["evaluation"] = _savings(found) | {
        "shown": found.shown,
        "lines": {t.text: t.figures.lines for t in found.texts},
    }
    fitting = [n for n in ngrams if n.language_bytes <= EQUAL_BYTES * found.language_bytes]
    if fitting:
        best = max(fitting, key=lambda n: n.language_bytes)
        metrics["evaluation"]["packed_ngram"] = {"language_bytes": best.language_bytes} | _savings(best)
    write_metrics(folder, load_model(folder).info, metrics)


def _savings(found: Evaluation) -> dict:
    return {"mean_kss": round(found.mean_kss, 2), "texts": {t.text: round(t.figures.kss, 2) for t in found.texts}}


def render_card(info: ModelInfo, metrics: dict) -> str:
    """README.md of a model folder, from model.json's facts and metrics.json's figures."""
    figures = {k: v for k, v in metrics.items() if not isinstance(v, (dict, list))}
    lines = [
        f"# {info.name}",
        "",
        f"A {info.kind} model for predictive text in '{info.language}', made with tinylm: "
        f"{metrics['language_bytes']:,} language bytes.",
        "",
        "| what | value |",
        "|---|---|",
        f"| licence | {info.licence} |",
        *(f"| {name.replace('_', ' ')} | {_show(value)} |" for name, value in figures.items()),
        "",
        "Trained on: " + ", ".join(metrics.get("texts", ["a text that its metrics.json does not name"])) + ".",
        "",
    ]
    if "evaluation" in metrics:
        lines += _render_savings(metrics["evaluation"])
    if info.attribution:
        lines += ["Attribution:", "", *(f"- {a}" for a in info.attribution), ""]
    lines += [
        "It predicts words from the words before them in the same line. It learned from what people wrote, "
        "rude words and prejudices included; look at what it suggests before you put it into somebody's hands.",
        "",
    ]
    return "\n".join(lines)


def _render_savings(measured: dict) -> list[str]:
    """A table of the texts, with the n-gram's column where one was measured."""
    ngram = measured.get("packed_ngram")
    columns = ["text", "lines", f"KSS@{measured['shown']} %"]
    rows = [[name, f"{measured['lines'][name]:,}", f"{kss:.2f}"] for name, kss in measured["texts"].items()]
    rows.append(["mean", "", f"{measured['mean_kss']:.2f}"])
    if ngram:
        columns.append(f"packed n-gram of {ngram['language_bytes']:,} bytes")
        for row, kss in zip(rows, [*ngram["texts"].values(), ngram["mean_kss"]]):
            row.append(f"{kss:.2f}")
    return [_row(columns), "|---|" + "--:|" * (len(columns) - 1), *map(_row, rows), ""]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _show(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
