"""`tinylm evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinylm.cli.console import progress_bars, show_json, show_table

if TYPE_CHECKING:
    from tinylm.evaluate import Evaluation
    from tinylm.measure import Figures


@click.command("evaluate", context_settings={"show_default": True})
@click.argument("text", nargs=-1, type=click.Path(path_type=Path))
@click.option("--model", "-m", help="Model name or folder.  [default: the project's, else the largest shipped]")
@click.option("--shown", default=3, type=click.IntRange(1, 5), help="How many suggestions the person sees.")
@click.option("--lines", type=click.IntRange(1), help="At most so many lines of each text.")
@click.option("--learn", is_flag=True, help="Learn as it goes, as a board does; each text is another user's.")
@click.option("--memory", default="4K", help="With --learn: bytes of the user's memory.")
@click.option("--record", is_flag=True, help="Write the figures into the model folder: metrics.json and its card.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    text: tuple[Path, ...],
    model: str | None,
    shown: int,
    lines: int | None,
    learn: bool,
    memory: str,
    record: bool,
    as_json: bool,
) -> None:
    """Type TEXT (files or folders of .txt) on this computer's engine and count the keystrokes saved.

    KSS@3 = (characters - keystrokes) / characters, for a person who takes the word as soon as it is among the three
    shown. Without TEXT, the project's held_out is typed. With --learn it is typed twice, with the user's memory and without.
    """
    from tinylm.budget import parse_bytes
    from tinylm.card import record_evaluation
    from tinylm.catalogue import choose_folder, read_entry
    from tinylm.engine import LEAST_MEMORY, MOST_MEMORY
    from tinylm.evaluate import evaluate_model
    from tinylm.language import build_language
    from tinylm.model import load_model
    from tinylm.project import find_project

    project = find_project()
    texts = text or tuple(project.folder / t for t in (project.held_out if project else ()))
    if not texts:
        raise click.UsageError("No text was given: tinylm evaluate TEXT [TEXT...], or held_out = [...] in tinylm.toml.")
    if record and learn:
        raise click.UsageError("--record keeps figures without learning; leave --learn out.")
    memory_bytes = parse_bytes(memory, "memory", LEAST_MEMORY, MOST_MEMORY) if learn else 0
    folder = choose_folder(model)
    chosen = load_model(folder)
    if record:
        read_entry(folder)  # refuses a folder without metrics before the long work
    with progress_bars() as report:
        size = len(build_language(chosen).content)
        found = evaluate_model(
            chosen, size, texts, shown, lines, lambda name, done, all_: report(name, done, all_, ""), memory_bytes
        )
    if record:
        record_evaluation(folder, chosen.info, found)
    if as_json:
        show_json(found.as_json())
    else:
        _show(found)


def _show(found: Evaluation) -> None:
    rows = [_row(t.text, t.figures) for t in found.texts] + [["mean", f"{found.mean_kss:.2f}"]]
    columns = ["text", f"KSS@{found.shown} %", "95 %", "next word top 1", "top 3", "top 3 after 1 / 2 / 3 letters",
               "unknown words %", "bits/char", "lines"]  # fmt: skip
    if found.memory_bytes:
        columns.insert(2, "without learning")
        for row, t in zip(rows, found.unlearned):
            row.insert(2, f"{t.figures.kss:.2f}")
        rows[-1].append(f"{found.mean_kss - found.gain:.2f}")
    rows[-1] += [""] * (len(columns) - len(rows[-1]))
    learning = f", learning in {found.memory_bytes:,} bytes: {found.gain:+.2f}" if found.memory_bytes else ""
    show_table(f"{found.model}: {found.language_bytes:,} language bytes{learning}", columns, rows,
               right=tuple(range(1, len(columns))))  # fmt: skip


def _row(text: str, f: Figures) -> list[str]:
    after = " / ".join(f"{v:.1f}" for v in f.top3_after_letters)
    bits = "" if f.bits_per_character is None else f"{f.bits_per_character:.3f}"
    interval = f"{f.interval[0]:.2f}..{f.interval[1]:.2f}"
    return [text, f"{f.kss:.2f}", interval, f"{f.next_word_top1:.1f}", f"{f.next_word_top3:.1f}", after,
            f"{f.out_of_vocabulary:.1f}", bits, f"{f.lines:,}"]  # fmt: skip
