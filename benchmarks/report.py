#!/usr/bin/env python3
"""Rewrites the tables of benchmarks/README.md from every JSON in benchmarks/results.

Knows two kinds of JSON: what `tinylm evaluate --json` prints, and a file with several such objects under `sizes`
(trigram.py's). One table for each set of texts that was measured, so that a row compares with every other of its table.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import click

from tinylm.model import write_whole

HERE = Path(__file__).parent
BEGIN, END = "<!-- results: python benchmarks/report.py -->", "<!-- end of results -->"


def load_rows(folder: Path) -> list[dict]:
    """Every measured predictor: an evaluation with the name of its file as `source`."""
    rows = []
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for row in content.get("sizes", [content]):
            if "texts" in row and "language_bytes" in row:
                rows.append(row | {"source": path.stem})
    return rows


def render_tables(rows: list[dict]) -> str:
    """Markdown: a table for each (texts, lines of each, suggestions shown), the smallest predictor first."""
    groups: defaultdict[tuple, list[dict]] = defaultdict(list)
    for row in rows:
        groups[row["shown"], *((name, t["lines"]) for name, t in row["texts"].items())].append(row)
    return "\n".join(render_table(group) for _, group in sorted(groups.items(), key=lambda g: (g[0][0], str(g[0]))))


def render_table(rows: list[dict]) -> str:
    """One table, smallest predictor first; all rows have the same texts."""
    texts = rows[0]["texts"]
    lines = ", ".join(f"{name} {t['lines']:,}" for name, t in texts.items())
    out = [
        f"KSS@{rows[0]['shown']} in %; lines measured: {lines}.",
        "",
        "| predictor | language bytes | words | mean | " + " | ".join(texts) + " |",
        "|---|--:|--:|--:|" + "--:|" * len(texts),
    ]
    for row in sorted(rows, key=lambda r: (r["language_bytes"], r["mean_kss"], r["model"])):
        each = " | ".join(f"{row['texts'][name]['kss']:.1f}" for name in texts)
        words = f"{row['vocabulary_words']:,}" if "vocabulary_words" in row else ""
        name = row["model"] if row["source"].startswith("trigram") else f"{row['model']} ({row['source']})"
        out.append(f"| {name} | {row['language_bytes']:,} | {words} | {row['mean_kss']:.2f} | {each} |")
    return "\n".join(out) + "\n"


def replace_between(text: str, inside: str) -> str:
    """Put `inside` between the markers. Raises click.ClickException when they are not there."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise click.ClickException(f"The two markers '{BEGIN}' and '{END}' must be where the tables go.")
    return f"{head}{begin}\n\n{inside}\n{end}{tail}"


@click.command(context_settings={"show_default": True})
@click.option(
    "--results",
    default=HERE / "results",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the JSON files.",
)
@click.option(
    "--readme",
    default=HERE / "README.md",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file to rewrite.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the file is not up to date.")
def command(results: Path, readme: Path, check: bool) -> None:
    """Rewrite the tables between the markers."""
    before = readme.read_text(encoding="utf-8")
    after = replace_between(before, render_tables(load_rows(results)))
    if check and after != before:
        raise click.ClickException(f"'{readme}' is not what the results say; run: python benchmarks/report.py")
    if not check:
        write_whole(readme, after.encode())


if __name__ == "__main__":
    command()
