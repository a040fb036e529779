"""The model card: what a person should know before using a model. Knows wording; measures nothing."""

from __future__ import annotations

from tinylm.model import ModelInfo


def render_card(info: ModelInfo, metrics: dict, texts: list[str]) -> str:
    """README.md of a model folder, from model.json's facts and metrics.json's figures."""
    lines = [
        f"# {info.name}",
        "",
        f"A {info.kind} model for predictive text in '{info.language}', {metrics['language_bytes']:,} language bytes, made with tinylm.",
        "",
        "| what | value |",
        "|---|---|",
        f"| licence | {info.licence} |",
        *(
            f"| {name.replace('_', ' ')} | {_show(value)} |"
            for name, value in metrics.items()
            if not isinstance(value, dict)
        ),
        "",
        "Trained on: " + ", ".join(texts) + ".",
        "",
    ]
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
