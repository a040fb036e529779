#!/usr/bin/env python3
"""What int8 arithmetic and weights of 4 bits cost in keystroke savings: the same lines typed with a network in floating point.

    python benchmarks/float_loss.py --data DATA --run runs/en-256k --lines 300 --json benchmarks/results/float-loss-en-256k.json

Three predictors of one run folder (`tinylm train` leaves it): the float weights of the last step of training, the same
rounded to their 4 bits, both with float arithmetic, and the model that it made, through the device's C. Words, levels and
n-gram are the model's in all three, so that a difference is the network's. Knows a network in NumPy; trains nothing.
"""

from __future__ import annotations

import bisect
import json
import math
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from trigram import DEV

from tinylm.cli.console import progress_bars
from tinylm.engine import Engine, HostEngine
from tinylm.evaluate import load_lines
from tinylm.measure import interval_of, resample, savings_of, type_lines
from tinylm.model import BOUNDARY_ROW, UNKNOWN_ROW, Model, load_model, nats_of_level, write_whole
from tinylm.ngram import UNITS_PER_NAT, parse_ngram, read_ngram

HERE = Path(__file__).parent
SHOWN = 3
PASSED_WORDS, PASSED_NATS = 16, 2  # tlm_list.h: how many words that were passed over are known, and what they lose
_AFTER_ALL_LETTERS = "\uffff"


class FloatEngine:
    """Follows a line with a word network (or a mixture's) in float32. `arrays`: network.NetworkShape.weight_shapes."""

    def __init__(self, model: Model, arrays: dict[str, np.ndarray]) -> None:
        self.w, self.words, self.numbers = arrays, list(model.words), model.numbers
        self.rows = np.array([self._row(word) for word in self.words])
        alone = [nats_of_level(model.info, level) if level else 0.0 for level in model.levels]
        self.nats = np.array(alone, np.float64)  # of a word beside its row
        self.ngram = read_ngram(parse_ngram(model.ngram)) if model.ngram else None
        self.share = math.exp(model.info.share_millinats / 1000) if model.ngram else 0.0
        self.place = {self.numbers[word]: i for i, word in enumerate(self.words)}
        self.reset()

    def _row(self, word: str) -> int:
        number = self.numbers.get(word, UNKNOWN_ROW)
        return number if number < len(self.w["output_bias"]) else UNKNOWN_ROW

    def reset(self) -> None:
        """Empty the line."""
        self.line, self.known = "", {}
        self.passed: dict[int, int] = {}  # words that were shown for the word being typed: how long the line was then

    def feed(self, text: str) -> None:
        """Type characters."""
        self.line += text

    def backspace(self) -> None:
        """Take back one character."""
        self.line = self.line[:-1]

    def accept(self, rank: int) -> None:
        """Take a suggestion of the last `suggest`."""
        self.line = self.line[: self.line.rfind(" ") + 1] + self.shown[rank] + " "

    def suggest(self, count: int) -> list[str]:
        """The best `count` words for what is typed."""
        *before, typed = self.line.split(" ")
        chances = self._follow(tuple(before))[1]
        first = bisect.bisect_left(self.words, typed)
        end = bisect.bisect_left(self.words, typed + _AFTER_ALL_LETTERS)
        first += first < end and self.words[first] == typed
        start = len(self.line) - len(typed)
        self.passed = {word: seen for word, seen in self.passed.items() if start <= seen < len(self.line)}
        chances = chances.copy()
        chances[list(self.passed)] *= math.exp(-PASSED_NATS)
        best = first + np.argsort(-chances[first:end], kind="stable")[:count]
        for word in best.tolist():
            if len(self.passed) < PASSED_WORDS:
                self.passed.setdefault(word, len(self.line))
        self.shown = [self.words[i] for i in best]
        return self.shown

    def _follow(self, words: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """State and the chance of every word after `words`, which begin the line."""
        if words not in self.known:
            hidden = len(self.w["candidate_bias"])
            state = self._follow(words[:-1])[0] if words else np.zeros(hidden, np.float32)
            state = self._step(self._row(words[-1]) if words else BOUNDARY_ROW, state)
            self.known[words] = state, self._chances(state, words)
        return self.known[words]

    def _step(self, row: int, h: np.ndarray) -> np.ndarray:
        """network.py's cell."""
        w, n = self.w, len(h)
        a, u = w["embedding"][row] @ w["input"] + w["input_bias"], h @ w["recurrent"]
        z, r = np.split(1 / (1 + np.exp(-(a[: 2 * n] + u[: 2 * n]))), 2)
        c = np.tanh(a[2 * n :] + r * (u[2 * n :] + w["candidate_bias"]))
        return c + z * (h - c)

    def _chances(self, state: np.ndarray, words: tuple[str, ...]) -> np.ndarray:
        w = self.w
        logits = (state @ w["project"] + w["project_bias"]) @ w["embedding"].T + w["output_bias"]
        chance = np.exp(logits.astype(np.float64) - logits.max())
        chance /= chance.sum()
        each = chance[self.rows] * np.exp(self.nats)
        if self.ngram:
            before, last = ([BOUNDARY_ROW] * 2 + [self.numbers.get(word, UNKNOWN_ROW) for word in words])[-2:]
            for number, cost in self.ngram.followers(before, last).items():
                if number in self.place:
                    each[self.place[number]] += self.share * math.exp(-cost / UNITS_PER_NAT)
        return each


def load_arrays(run: Path) -> dict[str, dict[str, np.ndarray]]:
    """The weights of a run: as trained, and rounded."""
    with np.load(run / "checkpoint.npz") as trained, np.load(run / "weights.npz") as rounded:
        names = rounded.files
        return {
            "float": {name: trained[f"w_{name}"] for name in names},
            "rounded": {name: rounded[name] for name in names},
        }


def measure(engine: Engine, lines: dict[str, list[Sequence[str]]]) -> dict[str, list[tuple[int, int]]]:
    """(characters, keys) of every line of every set."""
    return {name: type_lines(engine, rows, SHOWN, lambda _: True, False).lines for name, rows in lines.items()}


def mean_kss(found: dict[str, list[tuple[int, int]]]) -> float:
    """Of the sets."""
    return float(np.mean([savings_of(lines) for lines in found.values()]))


def difference(one: dict, other: dict) -> dict:
    """How much more `one` saves, in points of the mean, and the interval of that: lines are drawn in pairs."""
    drawn = [resample(one[name], name_seed) - resample(other[name], name_seed) for name_seed, name in enumerate(one)]
    low, high = interval_of(np.mean(drawn, axis=0))
    return {"kss": round(mean_kss(one) - mean_kss(other), 3), "interval": [round(low, 3), round(high, 3)]}


@click.command(context_settings={"show_default": True})
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="Has dev/en."
)
@click.option(
    "--run", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="A run folder."
)
@click.option("--lines", "most", default=300, type=click.IntRange(1), help="At most so many lines of each set.")
@click.option("--json", "output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The result.")
def command(data: Path, run: Path, most: int, output: Path) -> None:
    """Type the dev texts with a run's float weights, its rounded ones, and its model."""
    model = load_model(run)
    lines = {name: load_lines(data / "dev" / "en" / f"{name}.txt", model.info.alphabet, most) for name in DEV}
    engines = {name: FloatEngine(model, arrays) for name, arrays in load_arrays(run).items()}
    engines["device"] = HostEngine(model)
    found = {}
    with progress_bars() as report:
        for done, (name, engine) in enumerate(engines.items()):
            report("typing", done, len(engines), name)
            found[name] = measure(engine, lines)
    result = {
        "model": model.info.name,
        "lines": {name: len(rows) for name, rows in lines.items()},
        "mean_kss": {name: round(mean_kss(kept), 3) for name, kept in found.items()},
        "loss_of_rounding": difference(found["float"], found["rounded"]),
        "loss_in_all": difference(found["float"], found["device"]),
    }
    write_whole(output, (json.dumps(result, indent=1) + "\n").encode())
    click.echo(json.dumps(result))


if __name__ == "__main__":
    command()
