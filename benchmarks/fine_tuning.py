#!/usr/bin/env python3
"""What `tinylm train --from` is worth: each user's first lines are learned, the last ones measured; and what is forgotten.

Writes JSON into benchmarks/results and the table of benchmarks/fine_tuning.md. Figures are of the int8 artifacts, without
learning on the device. What is forgotten is measured on the dev sets, which no user wrote.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
from report import replace_between
from trigram import DEV

from tinylm.catalogue import choose_folder
from tinylm.evaluate import evaluate_model
from tinylm.model import load_model, write_whole

HERE = Path(__file__).parent
TINYLM = (sys.executable, "-c", "from tinylm.cli import main; main()")
BEGIN, END = "<!-- table: python benchmarks/fine_tuning.py -->", "<!-- end of table -->"


def fine_tune(lines: Sequence[str], base: str, run: Path) -> tuple[Path, float]:
    """The run folder of the tuned model, and the seconds that it took."""
    text = run.with_suffix(".txt")
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    began = time.monotonic()
    subprocess.run(
        [*TINYLM, "train", str(text), "--from", base, "-o", str(run), "--json"], check=True, capture_output=True
    )
    return run, time.monotonic() - began


def mean_savings(folder: Path, texts: Sequence[Path], most_lines: int | None) -> float:
    """Mean KSS@3 in % of the model in `folder`."""
    return evaluate_model(load_model(folder), 0, texts, most_lines=most_lines).mean_kss


def render_table(found: Sequence[dict]) -> str:
    """Markdown, a row a base."""
    out = [
        "| base | users | lines learned, measured | KSS@3 before | after | gain | dev sets before | after | seconds a user |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        users = one["users"]
        counts = sorted({user["measured_lines"] for user in users})
        measured = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        before, after, dev, seconds = (
            sum(user[key] for user in users) / len(users) for key in ("before", "after", "dev_after", "seconds")
        )
        out.append(
            f"| {one['base']} | {len(users)} | {one['learned_lines']}, {measured} | {before:.2f} | {after:.2f} | "
            f"{after - before:+.2f} | {one['dev_before']:.2f} | {dev:.2f} | {seconds:.0f} |"
        )
    return "\n".join(out) + "\n"


@click.command(context_settings={"show_default": True})
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path), help="Folder of the texts.")
@click.option("--base", default="en-64k", help="The model to start from.")
@click.option("--learned", default=400, help="Lines of each user that are learned.")
@click.option("--users", default=11, help="How many users, the first ones.")
@click.option("--dev-lines", default=200, help="Lines of each dev set.")
def command(data: Path, base: str, learned: int, users: int, dev_lines: int) -> None:
    """Fine-tune BASE to every user's first lines."""
    dev = [data / "dev" / "en" / f"{name}.txt" for name in DEV]
    folder, found, streams = choose_folder(base), [], data / "dev" / "en" / "user_streams"
    paths = sorted(streams.glob("*.txt"))[:users]
    if not paths:
        raise click.ClickException(f"No stream of a user is in '{streams}'; give --data the folder that has them.")
    with tempfile.TemporaryDirectory() as scratch:
        for path in paths:
            lines = path.read_text(encoding="utf-8").splitlines()
            rest = Path(scratch) / f"{path.stem}-rest.txt"
            rest.write_text("\n".join(lines[learned:]) + "\n", encoding="utf-8")
            tuned, seconds = fine_tune(lines[:learned], base, Path(scratch) / path.stem)
            found.append(
                {
                    "user": path.stem,
                    "measured_lines": len(lines) - learned,
                    "before": mean_savings(folder, [rest], None),
                    "after": mean_savings(tuned, [rest], None),
                    "dev_after": mean_savings(tuned, dev, dev_lines),
                    "seconds": round(seconds, 1),
                }
            )
            click.echo(json.dumps(found[-1]))
    result = {
        "base": base,
        "learned_lines": learned,
        "dev_before": mean_savings(folder, dev, dev_lines),
        "users": found,
    }
    write_whole(HERE / "results" / f"fine-tuning-{base}.json", (json.dumps(result, indent=2) + "\n").encode())
    results = [json.loads(p.read_text("utf-8")) for p in sorted((HERE / "results").glob("fine-tuning-*.json"))]
    page = HERE / "fine_tuning.md"
    write_whole(page, replace_between(page.read_text("utf-8"), render_table(results), BEGIN, END).encode())


if __name__ == "__main__":
    command()
