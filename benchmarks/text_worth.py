#!/usr/bin/env python3
"""What each text is worth: models with and without it, on the dev sets; writes the tables of benchmarks/text.md.

Knows which texts a case is made of, and how two cases compare line by line. Training and typing are tinylm's own.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from report import replace_between
from trigram import DEV

from tinylm.budget import parse_bytes
from tinylm.corpus import ENGLISH_ALPHABET, clean_lines, held_out_lines, word_finder
from tinylm.engine import HostEngine
from tinylm.evaluate import load_lines
from tinylm.language import build_language
from tinylm.measure import BOOTSTRAP, type_lines
from tinylm.model import Model, ModelInfo, write_whole
from tinylm.ngram_run import train_ngram
from tinylm.preparation import WeightedText
from tinylm.run import WEIGHT_BITS, RunOptions, default_plan, train_model
from tinylm.weighting import find_weights

HERE = Path(__file__).resolve().parent
OWN = HERE.parent / "examples" / "texts" / "en"
CHECK = HERE.parent / "examples" / "radio" / "check.txt"  # short messages by another hand; in no mean
PAGE, RESULTS = HERE / "text.md", HERE / "results" / "text-worth.json"
BUDGET = parse_bytes("256K")
SHOWN = 3
REGISTERS = tuple(sorted(path.stem for path in OWN.glob("*.txt")))
STEP_LINES = 2000  # is a register worth another so many lines?
KEYS = ("dev", "check")  # the mean of the dev sets; the short messages
WHOLE, NONE = "all", "none of our own"
OWN_FIRST = "our own text"
# As in shipped_models.sh.
BY_HAND = {"tatoeba": 1.5, "common_voice": 1.0, "clinc150": 2.0, "taskmaster4": 0.5, "topical_chat": 1.0,
           "self_dialogue": 0.15, "goemotions": 2.5}  # fmt: skip
OWN_BY_HAND = 4.0


@dataclass(frozen=True)
class Case:
    """A set of texts to learn from. `parts`: of each file of our own every so many lines (1 = all; not named = none)."""

    name: str
    others: tuple[WeightedText, ...]
    parts: tuple[tuple[str, int], ...]
    own_weight: float
    first: str = ""  # the text that weights are found on (OWN_FIRST or the name of another); empty: they are given

    @property
    def own_lines(self) -> int:
        """How many of our own lines it reads."""
        return sum(len(read_part(register, every)) for register, every in self.parts)


def read_part(register: str, every: int) -> list[str]:
    """Every so-many-th line of a file of our own."""
    return (OWN / f"{register}.txt").read_text("utf-8").splitlines()[::every]


def shipped_texts(data: Path) -> tuple[tuple[WeightedText, ...], float]:
    """The texts and weights by hand: others, then the weight of our own."""
    others = tuple(WeightedText(data / "train" / "en" / f"{name}.txt", weight) for name, weight in BY_HAND.items())
    return others, OWN_BY_HAND


def unweighted(text: WeightedText) -> WeightedText:
    """The text with weight 1."""
    return WeightedText(text.path)


def with_found_weights(case: Case, held_out: tuple[Path, ...]) -> Case:
    """The case with the weights that `tinylm train` finds when its `first` text is named first."""
    if not case.first:
        return case
    named = {OWN_FIRST: sorted(OWN.glob("*.txt"))} | {text.path.stem: [text.path] for text in case.others}
    order = [case.first, *(name for name in named if name != case.first)]
    found = dict(zip(order, find_weights([named[name] for name in order], ENGLISH_ALPHABET, held_out).weights))
    others = tuple(WeightedText(text.path, found[text.path.stem]) for text in case.others)
    return replace(case, others=others, own_weight=found[OWN_FIRST])


def plan_cases(data: Path) -> list[Case]:
    """All first: every other one is compared with it."""
    others, weight = shipped_texts(data)
    whole = Case(WHOLE, others, tuple((register, 1) for register in REGISTERS), weight)

    def with_part(name: str, every: int) -> Case:
        return replace(whole, name=name, parts=tuple((register, every) for register in REGISTERS))

    cases = [whole, replace(whole, name=NONE, parts=()), with_part("a quarter", 4), with_part("a half", 2)]
    cases += [
        replace(whole, name=f"without {text.path.stem}", others=tuple(t for t in others if t != text))
        for text in others
    ]
    cases.append(replace(whole, name="every weight 1", others=tuple(map(unweighted, others)), own_weight=1.0))
    cases += [replace(whole, name=f"found on {first}", first=first) for first in (OWN_FIRST, "clinc150")]
    for register in REGISTERS:
        rest = tuple(part for part in whole.parts if part[0] != register)
        cases.append(replace(whole, name=f"without own {register}", parts=rest))
        cases.append(replace(whole, name=f"half of own {register}", parts=(*rest, (register, 2))))
    return cases


class ReadTexts:
    """The others, read and cleaned once for all cases; a line that two texts have is the first one's in every case."""

    def __init__(self, others: tuple[WeightedText, ...], held_out: tuple[Path, ...]) -> None:
        self.hidden, self.known = held_out_lines(held_out, word_finder(ENGLISH_ALPHABET)), set()
        self.lines = {t.path: list(self._words(t.path, self.known)) for t in others}

    def _words(self, text: Path, known: set[int]) -> Iterator[list[str]]:
        return (words for _, words in clean_lines(text, ENGLISH_ALPHABET, known, self.hidden))

    def lines_of(self, texts: tuple[WeightedText, ...]) -> Iterator[tuple[float, list[str]]]:
        """As Source.lines; a text that is not among the others is read now."""
        known = set(self.known)
        for text in texts:
            there = self.lines.get(text.path) or self._words(text.path, known)
            yield from ((text.weight, words) for words in there)


@dataclass(frozen=True)
class ReadSource:
    """A Source whose texts were read before."""

    texts: tuple[WeightedText, ...]
    read: ReadTexts
    alphabet: str = ENGLISH_ALPHABET

    def lines(self, _: object = None) -> Iterator[tuple[float, list[str]]]:
        """(weight, words) of every line."""
        return self.read.lines_of(self.texts)


def write_parts(case: Case, folder: Path) -> tuple[WeightedText, ...]:
    """The case's texts; its parts of our own are files in `folder`."""
    own = []
    for register, every in case.parts:
        path = folder / f"{register}.txt"
        path.write_text("\n".join(read_part(register, every)) + "\n", "utf-8")
        own.append(WeightedText(path, case.own_weight))
    return (*case.others, *own)


def train_ngram_case(case: Case, read: ReadTexts, folder: Path) -> Model:
    """The packed n-gram of a case's texts at BUDGET bytes."""
    info = ModelInfo("case", "ngram", "en", "not stated", ENGLISH_ALPHABET)
    source = ReadSource(write_parts(case, folder), read)
    return train_ngram(source, info, BUDGET, lambda *_: None, lambda _: None)[0]


def options_of(
    texts: tuple[WeightedText, ...],
    held_out: tuple[Path, ...],
    kind: str,
    budget: int,
    epochs: float,
    left_out: tuple[str, ...] = (),
) -> RunOptions:
    """A run on English texts, as `tinylm train` with these options makes it."""
    plan = default_plan(kind, sum(text.path.stat().st_size for text in texts) // 6, epochs, 1)
    named = tuple((str(text.path), text.weight) for text in texts)
    hidden, bits = tuple(map(str, held_out)), WEIGHT_BITS.get(kind, 8)
    return RunOptions("case", kind, "en", budget, named, hidden, left_out, epochs, plan, bits)


def train_network_case(case: Case, held_out: tuple[Path, ...], epochs: float, folder: Path) -> Model:
    """The network of a case's texts at BUDGET bytes with its n-gram, as `tinylm train` makes en-256k."""
    options = options_of(write_parts(case, folder), held_out, "mixture", BUDGET, epochs)
    return train_model(options, folder / "run", lambda *_: None)


def measure_case(model: Model, data: Path, most: int) -> dict[str, list[tuple[int, int]]]:
    """(characters, keystrokes) of every line of every set."""
    engine, found = HostEngine(model), {}
    for path in (*(data / "dev" / "en" / f"{name}.txt" for name in DEV), CHECK):
        lines = load_lines(path, ENGLISH_ALPHABET, most)
        found[path.stem] = type_lines(engine, lines, SHOWN, lambda _: True, probe=False).lines
    return found


def savings(lines: np.ndarray) -> float:
    """KSS in % of lines [n, 2] of characters and keystrokes."""
    characters, keys = lines.sum(axis=0)
    return 100.0 * (characters - keys) / characters


def compare(
    case: dict[str, np.ndarray], whole: dict[str, np.ndarray], sets: tuple[str, ...], seed: int = 1
) -> tuple[float, float]:
    """Mean difference of the sets' KSS, and half the width of its 95 % interval (lines drawn in pairs)."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros(BOOTSTRAP)
    for name in sets:
        a, b = case[name], whole[name]
        for i in range(BOOTSTRAP):
            rows = rng.integers(0, len(a), len(a))
            drawn[i] += (savings(a[rows]) - savings(b[rows])) / len(sets)
    low, high = np.percentile(drawn, [2.5, 97.5])
    mean = float(np.mean([savings(case[name]) - savings(whole[name]) for name in sets]))
    return mean, float(high - low) / 2


def result_path(work: Path, case: str, network: bool) -> Path:
    """Where a case's keystrokes are kept."""
    return work / f"{'network-' if network else ''}{case.replace(' ', '-')}.json"


def run_cases(cases: list[Case], data: Path, work: Path, network: bool, epochs: float, most: int) -> None:
    """Train and type the cases that `work` does not have; each leaves one JSON there."""
    held_out, read = (data / "dev" / "en", CHECK), None
    for case in cases:
        path = result_path(work, case.name, network)
        if path.is_file():
            continue
        case = with_found_weights(case, held_out)
        with tempfile.TemporaryDirectory(dir=work) as folder:
            if network:
                model = train_network_case(case, held_out, epochs, Path(folder))
            else:
                read = read or ReadTexts(shipped_texts(data)[0], held_out)
                model = train_ngram_case(case, read, Path(folder))
        found = {"case": case.name, "network": network, "epochs": epochs if network else None}
        found["weights"] = {OWN_FIRST: case.own_weight} | {text.path.stem: text.weight for text in case.others}
        found |= {"own_lines": case.own_lines, "language_bytes": len(build_language(model).content)}
        write_whole(path, json.dumps(found | {"lines": measure_case(model, data, most)}).encode())
        click.echo(f"{case.name}: done")


def gather(cases: list[Case], work: Path) -> dict:
    """What is committed: KSS by set and the difference from `all`, of every case that was run."""
    rows = []
    for network in (False, True):
        there = {c.name: result_path(work, c.name, network) for c in cases}
        runs = {name: json.loads(path.read_text("utf-8")) for name, path in there.items() if path.is_file()}
        lines = {name: {s: np.array(v) for s, v in run["lines"].items()} for name, run in runs.items()}
        for name, run in runs.items():
            row = {key: value for key, value in run.items() if key != "lines"}
            row["kss"] = {s: round(savings(v), 3) for s, v in lines[name].items()}
            row["mean_kss"] = round(float(np.mean([savings(lines[name][s]) for s in DEV])), 3)
            row["lines_a_set"] = {s: len(v) for s, v in lines[name].items()}
            for key, sets in (("dev", DEV), (CHECK.stem, (CHECK.stem,))):
                difference = compare(lines[name], lines[WHOLE], sets) if WHOLE in lines else (0.0, 0.0)
                row[f"{key}_beside_all"] = [round(value, 3) for value in difference]
            rows.append(row)
    return {"budget_bytes": BUDGET, "shown": SHOWN, "cases": rows}


def beside(row: dict, key: str) -> str:
    """How much better than `all`, with half the width of the interval."""
    difference, margin = row[f"{key}_beside_all"]
    return "" if row["case"] == WHOLE else f"{difference:+.2f} ± {margin:.2f}"


def render_rows(rows: list[dict], head: str, cells: list[str] | None = None) -> str:
    """A table: `cells` (the case's name) under `head`, our own lines, then the figures."""
    columns = [head, "own lines", "mean of five", f"beside {WHOLE}", CHECK.stem, f"beside {WHOLE}", *DEV]
    out = ["| " + " | ".join(columns) + " |", "|---" + "|--:" * (len(columns) - 1) + "|"]
    for row, name in zip(rows, cells or [row["case"] for row in rows]):
        each = [f"{row['kss'][s]:.1f}" for s in DEV]
        figures = [
            f"{row['mean_kss']:.2f}",
            beside(row, "dev"),
            f"{row['kss'][CHECK.stem]:.1f}",
            beside(row, CHECK.stem),
        ]
        out.append("| " + " | ".join([name, f"{row['own_lines']:,}", *figures, *each]) + " |")
    return "\n".join(out)


def render_own(rows: dict[str, dict]) -> str:
    """None, a quarter, a half, all of our own text."""
    return render_rows([rows[n] for n in (NONE, "a quarter", "a half", WHOLE) if n in rows], "own text")


def render_others(rows: dict[str, dict]) -> str:
    """Each text left out."""
    return render_rows([rows[n] for n in rows if n.startswith("without ") and " own " not in n] + [rows[NONE]], "texts")


def render_weights(rows: dict[str, dict]) -> str:
    """By hand, 1 for each, and found."""
    chosen = [rows[n] for n in rows if n == "every weight 1" or n.startswith("found on ")]
    cells = [f"{r['case']}: " + ", ".join(f"{n} {w:g}" for n, w in r["weights"].items()) for r in chosen]
    cells = [cell if cell.startswith("found") else cell.partition(":")[0] for cell in cells]
    return render_rows([rows[WHOLE], *chosen], "weights", ["by hand (shipped_models.sh)", *cells])


def gain_a_step(half: dict, whole: dict, key: str) -> tuple[float, float]:
    """What the last half gave for each STEP_LINES lines, points, and the half width of its interval."""
    scale = STEP_LINES / (whole["own_lines"] - half["own_lines"])
    difference, margin = half[f"{key}_beside_all"]
    return -difference * scale, margin * scale


def render_registers(rows: dict[str, dict]) -> str:
    """Each file: what it is worth, and what its last half gave."""
    whole, names = rows[WHOLE], (*REGISTERS, "all six")
    halves = [rows[f"half of own {register}"] for register in REGISTERS] + [rows["a half"]]
    without = [rows[f"without own {register}"] for register in REGISTERS] + [rows[NONE]]
    out = ["| file | lines | worth, five sets | worth, check | its last half for 2,000 lines, five sets | check |",
           "|---|--:|--:|--:|--:|--:|"]  # fmt: skip
    for name, half, less in zip(names, halves, without):
        worth = [f"{-less[f'{key}_beside_all'][0]:+.2f} ± {less[f'{key}_beside_all'][1]:.2f}" for key in KEYS]
        gains = ["{:+.2f} ± {:.2f}".format(*gain_a_step(half, whole, key)) for key in KEYS]
        lines = f"{whole['own_lines'] - less['own_lines']:,}"
        out.append("| " + " | ".join([name, lines, *worth, *gains]) + " |")
    return "\n".join(out)


TABLES = {"own": render_own, "others": render_others, "weights": render_weights, "registers": render_registers}


def render_page(page: str, results: dict) -> str:
    """The page with every table that the results can fill."""
    for network, names in ((False, tuple(TABLES)), (True, ("own",))):
        rows = {row["case"]: row for row in results["cases"] if row["network"] == network}
        for name in names if rows else ():
            begin = f"<!-- {'network-' if network else ''}{name}: python benchmarks/text_worth.py -->"
            if begin in page:
                page = replace_between(page, TABLES[name](rows) + "\n", begin, "<!-- end of table -->")
    return page


@click.command(context_settings={"show_default": True})
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The texts: train/en, dev/en."
)
@click.option(
    "--work", default=Path("runs/text-worth"), type=click.Path(path_type=Path), help="Keeps what was measured."
)
@click.option("--only", "-o", multiple=True, metavar="CASE", help="Only this case; may be repeated.")
@click.option(
    "--network", is_flag=True, help="A network with its n-gram, as en-256k is, in place of the packed n-gram."
)
@click.option("--epochs", default=1.0, type=click.FloatRange(0.01, 100), help="Of the network.")
@click.option("--lines", "most", default=1500, type=click.IntRange(1), help="At most so many lines of each set.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the page is not what the results say.")
def command(
    data: Path | None, work: Path, only: tuple[str, ...], network: bool, epochs: float, most: int, check: bool
) -> None:
    """Train and measure the cases (with --data), then write the tables of benchmarks/text.md."""
    if data:
        work.mkdir(parents=True, exist_ok=True)
        cases = plan_cases(data)
        run_cases([c for c in cases if not only or c.name in only], data, work, network, epochs, most)
        write_whole(RESULTS, (json.dumps(gather(cases, work), indent=1) + "\n").encode())
    before = PAGE.read_text("utf-8")
    after = render_page(before, json.loads(RESULTS.read_text("utf-8")))
    if check and after != before:
        raise click.ClickException(f"'{PAGE.name}' is not what the results say; run: python benchmarks/text_worth.py")
    if not check:
        write_whole(PAGE, after.encode())


if __name__ == "__main__":
    command()
