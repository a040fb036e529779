#!/usr/bin/env python3
"""What it is worth that words which were passed over lose score, to people who look at every list and to others.

    python benchmarks/passed.py --data DATA --json benchmarks/results/passed.json

A person of the measure who looks at a list with a given chance, by the toss of a coin: at each key, or once a word. Types the same
lines with the engine as it is, and with one whose lists know of none before them. Then rewrites docs/SPEC-passed.md's table.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
from float_loss import difference, mean_kss, measure
from report import replace_between
from trigram import DEV

from tinylm.catalogue import choose_model
from tinylm.engine import Engine, HostEngine
from tinylm.evaluate import load_lines
from tinylm.model import write_whole

PAGE = Path(__file__).parents[1] / "docs" / "SPEC-passed.md"
BEGIN, END = "<!-- passed: python benchmarks/passed.py -->", "<!-- end of table -->"
LOOKS = (("key", 1.0), ("key", 0.9), ("key", 0.8), ("key", 0.6), ("key", 0.3), ("word", 0.8), ("word", 0.5))


class Forgetful:
    """An engine whose lists know of none before: what was typed of a word is typed again at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._typed = engine, ""

    def reset(self) -> None:
        """Empty the line."""
        self._engine.reset()
        self._typed = ""

    def feed(self, text: str) -> None:
        """Type characters."""
        self._engine.feed(text)
        self._typed = (self._typed + text).rpartition(" ")[2]

    def backspace(self) -> None:
        """Take back one character; nobody does here."""
        raise NotImplementedError

    def accept(self, rank: int) -> None:
        """Take a suggestion of the last `suggest`."""
        self._engine.accept(rank)
        self._typed = ""

    def suggest(self, count: int) -> list[str]:
        """The best `count` words for what is typed."""
        for _ in self._typed:
            self._engine.backspace()
        if self._typed:
            self._engine.feed(self._typed)
        return self._engine.suggest(count)


class Glancing:
    """An engine as a person sees it who looks at a list with the chance `looks`, tossed at each `each` (key or word)."""

    def __init__(self, engine: Engine, each: str, looks: float) -> None:
        self._engine, self._each, self._looks, self._coins = engine, each, looks, random.Random(7)
        self.reset, self.backspace = engine.reset, engine.backspace
        self._tossed = self._toss()

    def _toss(self) -> bool:
        return self._coins.random() < self._looks

    def feed(self, text: str) -> None:
        """Type characters."""
        self._engine.feed(text)
        if self._each == "key" or text == " ":
            self._tossed = self._toss()

    def accept(self, rank: int) -> None:
        """Take a suggestion of the last `suggest`."""
        self._engine.accept(rank)
        self._tossed = self._toss()

    def suggest(self, count: int) -> list[str]:
        """What is seen of the best `count` words."""
        shown = self._engine.suggest(count)
        return shown if self._tossed else []


def compare(name: str, lines: dict, each: str, looks: float) -> dict:
    """One person with one model."""
    engine = HostEngine(choose_model(name))
    make: dict[str, Callable[[], Engine]] = {"alone": lambda: Forgetful(engine), "passed": lambda: engine}
    typed = {how: measure(Glancing(start(), each, looks), lines) for how, start in make.items()}
    kss = {how: round(mean_kss(found), 2) for how, found in typed.items()}
    return {
        "model": name,
        "each": each,
        "looks": looks,
        "kss": kss,
        "gain": difference(typed["passed"], typed["alone"]),
    }


def render_table(measured: list[dict]) -> str:
    """Markdown: a row for each person and model."""
    out = ["| model | looks at | each list for itself | as it is | gain |", "|---|---|--:|--:|--:|"]
    for row in measured:
        what = "lists" if row["each"] == "key" else "words"
        share = "every list" if row["looks"] == 1 else f"{100 * row['looks']:.0f} % of the {what}"
        low, high = row["gain"]["interval"]
        gain = f"**{row['gain']['kss']:+.2f}** ({low:+.2f} to {high:+.2f})"
        out.append(f"| {row['model']} | {share} | {row['kss']['alone']:.2f} | {row['kss']['passed']:.2f} | {gain} |")
    return "\n".join(out)


@click.command(context_settings={"show_default": True})
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="Has dev/en."
)
@click.option("--models", default="en-24k,en-256k", help="Shipped models, or folders.")
@click.option("--lines", default=300, type=click.IntRange(1), help="Of each text, at most.")
@click.option(
    "--json", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where the figures go."
)
def main(data: Path, models: str, lines: int, out: Path) -> None:
    """Type as people do who look at more or fewer lists."""
    names = models.split(",")
    alphabet = choose_model(names[0]).info.alphabet
    texts = {name: load_lines(data / "dev" / "en" / f"{name}.txt", alphabet, lines) for name in DEV}
    with ProcessPoolExecutor() as pool:
        waiting = [pool.submit(compare, name, texts, each, looks) for name in names for each, looks in LOOKS]
        measured = [one.result() for one in waiting]
    write_whole(out, (json.dumps({"lines": lines, "measured": measured}, indent=2) + "\n").encode())
    write_whole(PAGE, replace_between(PAGE.read_text("utf-8"), render_table(measured), BEGIN, END).encode())


if __name__ == "__main__":
    main()
