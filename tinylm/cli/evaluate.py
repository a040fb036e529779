"""`tinylm evaluate`."""

from __future__ import annotations

from pathlib import Path

import click

from tinylm.cli.console import progress_bars, show_json, show_table


@click.command("evaluate", context_settings={"show_default": True})
@click.argument("text", nargs=-1, type=click.Path(path_type=Path))
@click.option("--model", "-m", help="Model name or folder.  [default: the project's, else the largest shipped]")
@click.option("--shown", default=3, type=click.IntRange(1, 5), help="How many suggestions the person sees.")
@click.option("--lines", type=click.IntRange(1), help="At most so many lines of each text.")
@click.option("--record", is_flag=True, help="Write the figures into the model folder: metrics.json and its card.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    text: tuple[Path, ...], model: str | None, shown: int, lines: int | None, record: bool, as_json: bool
) -> None:
    """Type TEXT (files or folders of .txt) on this computer's engine and count the keystrokes saved.

    KSS@3 = (characters - keystrokes) / characters, for a person who takes the word as soon as it is among the three
    shown. Without TEXT, the project's held_out is typed.
    """
    from tinylm.card import record_evaluation
    from tinylm.catalogue import choose_folder, read_entry
    from tinylm.evaluate import evaluate_model
    from tinylm.language import build_language
    from tinylm.model import load_model
    from tinylm.project import find_project

    project = find_project()
    texts = text or tuple(project.folder / t for t in (project.held_out if project else ()))
    if not texts:
        raise click.UsageError("No text was given: tinylm evaluate TEXT [TEXT...], or held_out = [...] in tinylm.toml.")
    folder = choose_folder(model)
    chosen = load_model(folder)
    if record:
        read_entry(folder)  # refuses a folder without metrics before the long work
    with progress_bars() as report:
        size = len(build_language(chosen).content)
        found = evaluate_model(chosen, size, texts, shown, lines, lambda name, done, all_: report(name, done, all_, ""))
    if record:
        record_evaluation(folder, chosen.info, found)
    if as_json:
        show_json(found.as_json())
        return
    rows = []
    for t in found.texts:
        f = t.figures
        after = " / ".join(f"{v:.1f}" for v in f.top3_after_letters)
        bits = "" if f.bits_per_character is None else f"{f.bits_per_character:.3f}"
        interval = f"{f.interval[0]:.2f}..{f.interval[1]:.2f}"
        rows.append([t.text, f"{f.kss:.2f}", interval, f"{f.next_word_top1:.1f}", f"{f.next_word_top3:.1f}", after,
                     f"{f.out_of_vocabulary:.1f}", bits, f"{f.lines:,}"])  # fmt: skip
    rows.append(["mean", f"{found.mean_kss:.2f}", *[""] * 7])
    columns = ["text", f"KSS@{shown} %", "95 %", "next word top 1", "top 3", "top 3 after 1 / 2 / 3 letters", "unknown words %",
               "bits/char", "lines"]  # fmt: skip
    show_table(f"{found.model}: {found.language_bytes:,} language bytes", columns, rows, right=tuple(range(1, 9)))
