"""`tinylm evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinylm.cli.console import progress_bars, show_json, show_table

if TYPE_CHECKING:
    from tinylm.comparison import Comparison
    from tinylm.evaluate import Evaluation
    from tinylm.measure import Figures


@click.command("evaluate", context_settings={"show_default": True})
@click.argument("text", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--model", "-m", help="Model name or folder.  [default: the project's, else the largest shipped, up to 256 KB]"
)
@click.option("--against", "-a", multiple=True, help="Another model to type the same lines with; may be repeated.")
@click.option("--shown", default=3, type=click.IntRange(1, 5), help="How many suggestions the person sees.")
@click.option("--lines", type=click.IntRange(1), help="At most so many lines of each text.")
@click.option("--learn", is_flag=True, help="Learn as it goes, as a board does; each text is another user's.")
@click.option("--memory", default="4K", help="With --learn: bytes of the user's memory.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw KSS against bytes into this .png or .svg.")
@click.option(
    "--points",
    multiple=True,
    type=click.Path(path_type=Path),
    help="With --plot: further points, JSON that --json printed (or a folder of it); may be repeated.",
)
@click.option("--record", is_flag=True, help="Write the figures into the model folder: metrics.json and its card.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    text: tuple[Path, ...],
    model: str | None,
    against: tuple[str, ...],
    shown: int,
    lines: int | None,
    learn: bool,
    memory: str,
    plot: Path | None,
    points: tuple[Path, ...],
    record: bool,
    as_json: bool,
) -> None:
    """Type TEXT (files or folders of .txt) on this computer's engine and count the keystrokes saved.

    KSS@3 = (characters - keystrokes) / characters, for a person who takes the word as soon as it is among the three
    shown. Without TEXT, the project's held_out is typed. With --learn it is typed twice, with the user's memory and without.

    Beside it: KSS with other numbers shown (@1, @5); how often the next word is the first, or among three, before its first
    letter (top 1, top 3) and after 1 to 3 letters (+1 +2 +3); words unknown to the model in %; bits a character.

    The packed n-gram of the same bytes, which `tinylm train` leaves beside its model, types the same lines.
    """
    from tinylm.card import record_evaluation
    from tinylm.catalogue import choose_folder, read_entry
    from tinylm.comparison import compare

    texts = text or _held_out()
    if record and learn:
        raise click.UsageError("--record keeps figures without learning; leave --learn out.")
    if points and not plot:
        raise click.UsageError("--points go with --plot FILE.")
    folder = choose_folder(model)
    if record:
        read_entry(folder)  # refuses a folder without metrics before the long work
    records = _check_plot(plot, points)
    folders = [folder, *_others(folder, against)]
    found, *others = _evaluate(folders, texts, shown, lines, _memory_bytes(memory) if learn else 0)
    comparisons = [compare(found, other) for other in others]
    if record:
        record_evaluation(folder, found, [other for other in others if other.kind == "ngram"])
    told = found.as_json() | ({"against": [c.as_json() for c in comparisons]} if comparisons else {})
    if as_json:
        show_json(told)
    else:
        _show(found, comparisons)
        _tell_baseline(folder, found, comparisons)
    if plot:
        _plot(plot, [told, *told.get("against", []), *records])


def _held_out() -> tuple[Path, ...]:
    from tinylm.project import find_project

    project = find_project()
    texts = tuple(project.folder / t for t in project.held_out) if project else ()
    if not texts:
        raise click.UsageError("No text was given: tinylm evaluate TEXT [TEXT...], or held_out = [...] in tinylm.toml.")
    return texts


def _memory_bytes(text: str) -> int:
    from tinylm.budget import parse_bytes
    from tinylm.engine import LEAST_MEMORY, MOST_MEMORY

    return parse_bytes(text, "memory", LEAST_MEMORY, MOST_MEMORY)


def _others(folder: Path, against: Sequence[str]) -> list[Path]:
    """The folders of the models to compare with: those named, and the packed n-gram that stands beside the model."""
    from tinylm.baseline import baseline_folder
    from tinylm.catalogue import find_folder

    beside = baseline_folder(folder)
    return [find_folder(name) for name in against] + ([beside] if beside else [])


def _evaluate(
    folders: Sequence[Path], texts: Sequence[Path], shown: int, lines: int | None, memory_bytes: int
) -> list[Evaluation]:
    from tinylm.comparison import check_letters
    from tinylm.evaluate import evaluate_model
    from tinylm.language import build_language
    from tinylm.model import load_model

    models = [load_model(folder) for folder in folders]
    check_letters(models)
    found = []
    with progress_bars() as report:
        for model in models:
            before = f"{model.info.name}: " if len(models) > 1 else ""
            size = len(build_language(model).content)
            found.append(
                evaluate_model(
                    model,
                    size,
                    texts,
                    shown,
                    lines,
                    lambda name, done, all_, before=before: report(before + name, done, all_, ""),
                    memory_bytes,
                )
            )
    return found


def _check_plot(plot: Path | None, points: Sequence[Path]) -> list[dict]:
    """What --points say; refuses what could not be drawn before the long work."""
    from tinylm.curve import check_drawing, read_records

    if not plot:
        return []
    check_drawing(plot)
    return read_records(points)


def _plot(plot: Path, records: Sequence[dict]) -> None:
    from tinylm.curve import draw_curve, make_curve

    curve = make_curve(records)
    draw_curve(curve, plot)
    click.echo(f"'{plot}' shows {len(curve.points)} points.", err=True)
    if curve.left_out:
        click.echo(f"Not on it, since measured on other texts or lines: {', '.join(curve.left_out)}.", err=True)


def _show(found: Evaluation, comparisons: Sequence[Comparison]) -> None:
    for evaluation in (found, *(c.other for c in comparisons)):
        _show_figures(evaluation)
        click.echo()
    if comparisons:
        _show_comparison(found, comparisons)


def _show_figures(found: Evaluation) -> None:
    from tinylm.evaluate import SHOWN_TOO

    others = [n for n in SHOWN_TOO if n != found.shown]
    columns = ["text", f"KSS@{found.shown} %", "95 %", *(f"@{n}" for n in others), "top 1", "top 3",
               "+1", "+2", "+3", "unknown", "bits", "lines"]  # fmt: skip
    rows = [[t.text, *_cells(t.figures, others)] for t in found.texts]
    if len(rows) > 1:
        rows.append(["mean", *_cells(found.mean_figures(), others)])
    if found.memory_bytes:
        columns.insert(2, "unlearned")
        without = [t.figures.kss for t in found.unlearned]
        for row, kss in zip(rows, [*without, found.mean_kss - found.gain]):
            row.insert(2, f"{kss:.2f}")
    learning = f", learning in {found.memory_bytes:,} bytes: {found.gain:+.2f}" if found.memory_bytes else ""
    show_table(f"{found.model}: {found.language_bytes:,} language bytes{learning}", columns, rows,
               right=tuple(range(1, len(columns))))  # fmt: skip


def _cells(f: Figures, others: Sequence[int]) -> list[str]:
    bits = "" if f.bits_per_character is None else f"{f.bits_per_character:.3f}"
    shares = [*(f.kss_at[n] for n in others), f.next_word_top1, f.next_word_top3, *f.top3_after_letters]
    return [f"{f.kss:.2f}", f"{f.interval[0]:.2f}..{f.interval[1]:.2f}", *(f"{share:.1f}" for share in shares),
            f"{f.out_of_vocabulary:.1f}", bits, f"{f.lines:,}"]  # fmt: skip


def _show_comparison(found: Evaluation, comparisons: Sequence[Comparison]) -> None:
    columns = ["text", found.model]
    rows = [[t.text, f"{t.figures.kss:.2f}"] for t in found.texts] + [["mean", f"{found.mean_kss:.2f}"]]
    for c in comparisons:
        columns += [c.other.model, "more", "95 %"]
        savings = [*(t.figures.kss for t in c.other.texts), c.other.mean_kss]
        for row, kss, d in zip(rows, savings, [*c.texts.values(), c.mean]):
            row += [f"{kss:.2f}", f"{d.kss:+.2f}", f"{d.interval[0]:+.2f}..{d.interval[1]:+.2f}"]
    sizes = ", ".join(f"{e.model} {e.language_bytes:,} bytes" for e in (found, *(c.other for c in comparisons)))
    rows = rows[:-1] if len(rows) == 2 else rows
    show_table(f"KSS@{found.shown} %, and how much more {found.model} saves, with 95 % of paired resamples ({sizes})",
               columns, rows, right=tuple(range(1, len(columns))))  # fmt: skip


def _tell_baseline(folder: Path, found: Evaluation, comparisons: Sequence[Comparison]) -> None:
    """A network stands beside the packed n-gram of its bytes: where that is not at hand, what its card says of it."""
    from tinylm.baseline import describe_baseline

    if found.kind != "ngram" and not any(c.other.kind == "ngram" for c in comparisons):
        click.echo(describe_baseline(folder, found.language_bytes))
