"""What a budget is best spent on, by typing lines of the text that nothing learned. Knows models, lines and how sure a difference
is; trains nothing (trials.py does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from tinylm.budget import Proportions, Split, usual_proportions
from tinylm.engine import HOST_SIZES, HostEngine
from tinylm.language import build_language
from tinylm.measure import interval_of, resample, savings_of, split_line, type_lines
from tinylm.model import Model
from tinylm.vocabulary import SHOWN

MOST_JUDGES = 1_000  # held-out lines that are typed
# A share of the budget, a width, a state: what was seen to matter, each a step away from the rule.
_STEPS = {
    "the rule": (1.0, 1.0, 1.0),
    "more words": (1.25, 1.0, 1.0),
    "fewer words": (0.75, 1.0, 1.0),
    "wider rows": (1.0, 1.5, 1.0),
    "larger state": (1.0, 1.0, 1.5),
    "smaller state": (1.0, 1.0, 0.67),
}
_MOST_SHARE = 0.8


@dataclass(frozen=True)
class Judged:
    """A candidate and what it saved. `interval`: 95 % of how much more (paired) than the first of its table."""

    what: str
    kind: str
    words: int
    rows: int
    embedding: int
    hidden: int
    language_bytes: int
    kss: float
    interval: tuple[float, float]
    chosen: bool = False


def candidates(budget: int, rule: Proportions) -> dict[str, Proportions]:
    """The rule's proportions (as small as the board asks) and their neighbours, each different from those before it."""
    found: dict[str, Proportions] = {}
    for name, (share, width, state) in _STEPS.items():
        made = Proportions(
            max(16, 8 * round(rule.hidden * state / 8)),
            max(8, 4 * round(rule.embedding * width / 4)),
            min(_MOST_SHARE, rule.lexicon_share * share),
            rule.weight_bits,
        )
        if made not in found.values():
            found[name] = made
    other = 12 - rule.weight_bits
    return found | {f"weights of {other} bits": usual_proportions(budget, other)}


def judges_of(held_out: Sequence[Sequence[str]]) -> list[list[str]]:
    """Held-out lines, evenly from the text, that an engine can hold."""
    chosen = held_out[:: -(-len(held_out) // MOST_JUDGES) or 1]
    return [piece for words in chosen for piece in split_line(words, HOST_SIZES.line_bytes)]


def type_judges(model: Model, judges: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """(characters, keystrokes) of each line."""
    return type_lines(HostEngine(model), judges, SHOWN, lambda _: True, probe=False).lines


class Table:
    """Candidates as they are judged; the first one stands unless another is better."""

    def __init__(self, judges: Sequence[Sequence[str]]) -> None:
        self.judges, self.rows, self._first = judges, [], []

    def judge(self, what: str, model: Model, split: Split | None = None) -> Judged:
        """Type the lines with a model and put it into the table."""
        typed = type_judges(model, self.judges)
        self._first = self._first or typed
        shape = split.shape if split else None
        row = Judged(
            what,
            model.info.kind,
            len(model.words),
            shape.rows if shape else 0,
            shape.embedding if shape else 0,
            shape.hidden if shape else 0,
            len(build_language(model).content),
            savings_of(typed),
            interval_of(resample(typed) - resample(self._first)),
        )
        self.rows.append(row)
        return row

    def choose(self, surely: bool) -> Judged:
        """The best one; `surely`: the first one unless the interval of another is above 0. It is marked in the table."""
        able = [row for row in self.rows[1:] if not surely or row.interval[0] > 0]
        best = max([self.rows[0], *able], key=lambda row: row.kss)
        self.rows = [replace(row, chosen=row is best) for row in self.rows]
        return next(row for row in self.rows if row.chosen)

    def as_json(self) -> list[dict]:
        """For metrics.json."""
        return [asdict(row) for row in self.rows]
