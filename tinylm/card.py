"""metrics.json and the model card: what a person should know before using a model. Knows wording; measures nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tinylm.model import ModelInfo, write_whole

if TYPE_CHECKING:
    from tinylm.evaluate import Evaluation


def write_metrics(folder: Path, info: ModelInfo, metrics: dict) -> None:
    """Write metrics.json and README.md of a model folder."""
    write_whole(folder / "metrics.json", (json.dumps(metrics, indent=2, ensure_ascii=False) + "\n").encode())
    write_whole(folder / "README.md", render_card(info, metrics).encode())


def record_evaluation(folder: Path, info: ModelInfo, found: Evaluation) -> None:
    """Put an evaluation's savings into a model folder's metrics and card."""
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    metrics["evaluation"] = {
        "shown": found.shown,
        "mean_kss": round(found.mean_kss, 2),
        "texts": {t.text: round(t.figures.kss, 2) for t in found.texts},
        "lines": {t.text: t.figures.lines for t in found.texts},
    }
    write_metrics(folder, info, metrics)


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
        measured = metrics["evaluation"]
        lines += [f"| text | lines | KSS@{measured['shown']} % |", "|---|--:|--:|"]
        lines += [f"| {name} | {measured['lines'][name]:,} | {kss:.2f} |" for name, kss in measured["texts"].items()]
        lines += [f"| mean | | {measured['mean_kss']:.2f} |", ""]
    if info.attribution:
        lines += ["Attribution:", "", *(f"- {a}" for a in info.attribution), ""]
    lines += [
        "It predicts lower-case words from the words before them in the same line. It learned from what people wrote, "
        "rude words and prejudices included; look at what it suggests before you put it into somebody's hands.",
        "",
    ]
    return "\n".join(lines)


def _show(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
