#!/usr/bin/env python3
"""Rewrites the tables of benchmarks/README.md from every JSON in benchmarks/results, and draws kss_by_bytes.svg.

Knows what `tinylm evaluate --json` prints, a file with several such objects under `sizes` (trigram.py's), and the results of
serial_proof.py, throughput.py and boards.py. One table for each set of texts that was measured, so that a row compares with every
other of its table.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import click
from boards import render_boards

from tinylm.curve import check_drawing, draw_curve, make_curve, rows_of
from tinylm.model import write_whole

HERE = Path(__file__).parent
BEGIN, END = "<!-- results: python benchmarks/report.py -->", "<!-- end of results -->"
PROOFS_BEGIN, PROOFS_END = "<!-- proofs: python benchmarks/report.py -->", "<!-- end of proofs -->"
BOARDS_BEGIN, BOARDS_END = "<!-- boards: python benchmarks/report.py -->", "<!-- end of boards -->"
FIGURES_BEGIN, FIGURES_END = "<!-- figures: python benchmarks/report.py -->", "<!-- end of figures -->"


def load_rows(folder: Path) -> list[dict]:
    """Every measured predictor: an evaluation with the name of its file as `source`."""
    rows = []
    for path in sorted(folder.glob("*.json")):
        for row in rows_of(json.loads(path.read_text(encoding="utf-8"))):
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


def render_figures(rows: list[dict]) -> str:
    """The README's table: each shipped model (evaluate-NAME.json) beside the n-grams of the same budget and lines."""
    out = [
        "| model | language bytes | KSS@3 | packed n-gram | trigram by count | trigram by gain |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    shipped = _shipped(rows)
    all_lines = _lines(shipped[0]) if shipped else {}
    for row in shipped:
        others = (_packed(row), *(_bar(row, by, rows) for by in ("count", "gain")))
        bars = [f"{other['mean_kss']:.1f}" if other else "" for other in others]
        most = "" if _lines(row) == all_lines else f" (at most {max(_lines(row).values())} lines of each)"
        out.append(
            f"| {row['model']}{most} | {row['language_bytes']:,} | **{row['mean_kss']:.1f}** | {' | '.join(bars)} |"
        )
    return "\n".join(out) + "\n"


def _shipped(rows: list[dict]) -> list[dict]:
    """The shipped models' rows that were measured on the texts of the smallest, it first."""
    networks = [r for r in rows if r["source"].startswith("evaluate-") and r["kind"] != "ngram"]
    ranked = sorted(networks, key=lambda r: r["language_bytes"])
    return [r for r in ranked if set(_lines(r)) == set(_lines(ranked[0]))]


def _lines(row: dict) -> dict[str, int]:
    return {name: t["lines"] for name, t in row["texts"].items()}


def _packed(row: dict) -> dict | None:
    """The packed n-gram of as many bytes that was trained on the same texts and measured beside it."""
    return next((other for other in row.get("against", ()) if other["kind"] == "ngram"), None)


def _bar(row: dict, by: str, rows: list[dict]) -> dict | None:
    """The trigram pruned `by` count or gain with the smallest budget that is not below the row's bytes; same lines."""
    alike = [
        r
        for r in rows
        if r["source"].startswith("trigram")
        and r["model"].endswith(by)
        and _lines(r) == _lines(row)
        and r["budget_bytes"] >= row["language_bytes"]
    ]
    return min(alike, key=lambda r: r["budget_bytes"], default=None)


def render_proofs(folder: Path) -> str:
    """What serial_proof.py (serial-*.json) and throughput.py (throughput-*.json) found: a table each, once they ran."""
    serial = ["| model | board, emulator, compiler | lines | keys | KSS@3 on the board | on the host | keys a second |",
              "|---|---|--:|--:|--:|--:|--:|"]  # fmt: skip
    for path in sorted(folder.glob("serial-*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        board, host = found["board_figures"], found["host_figures"]
        where = f"{found['board']}, {found['emulator']}, {found['toolchain']}"
        if "memory_bytes" in found:
            where += f"; learning in {found['memory_bytes']:,} bytes"
        serial.append(f"| {found['model']} | {where} | {board['lines']:,} | {board['keystrokes']:,} | {board['kss']:.4f} | "
                      f"{host['kss']:.4f} | {found['keys_a_second']:.0f} |")  # fmt: skip
    rates = ["| model | queries | CPUs | queries a second | CPU time of a query, us |", "|---|---|--:|--:|--:|"]
    for path in sorted(folder.glob("throughput-*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        for name, stream in found["streams"].items():
            rate, cost = stream["queries_a_second"], stream["cpu_microseconds_a_query"]
            rates.append(f"| {found['model']} | {name} | {found['cpus']} | {rate:,} | {cost:.0f} |")
    return "\n".join("\n".join(table) + "\n" for table in (serial, rates) if len(table) > 2)


def replace_between(text: str, inside: str, begin: str = BEGIN, end: str = END) -> str:
    """Put `inside` between the markers. Raises click.ClickException when they are not there."""
    head, has_begin, rest = text.partition(begin)
    _, has_end, tail = rest.partition(end)
    if not has_begin or not has_end:
        raise click.ClickException(f"The two markers '{begin}' and '{end}' must be where the tables go.")
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
    help="The file with all tables.",
)
@click.option(
    "--front",
    default=HERE.parent / "README.md",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The project's README, with the shipped models' figures.",
)
@click.option(
    "--picture", default=HERE / "kss_by_bytes.svg", type=click.Path(dir_okay=False, path_type=Path), help="The curve."
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not up to date.")
def command(results: Path, readme: Path, front: Path, picture: Path, check: bool) -> None:
    """Rewrite the tables between the markers, and draw the curve."""
    rows = load_rows(results)
    for path, inside, markers in (
        (readme, render_tables(rows), (BEGIN, END)),
        (readme, render_proofs(results), (PROOFS_BEGIN, PROOFS_END)),
        (front, render_figures(rows), (FIGURES_BEGIN, FIGURES_END)),
        (front, render_boards(json.loads((results / "boards.json").read_text("utf-8"))), (BOARDS_BEGIN, BOARDS_END)),
    ):
        before = path.read_text(encoding="utf-8")
        after = replace_between(before, inside, *markers)
        if check and after != before:
            raise click.ClickException(f"'{path}' is not what the results say; run: python benchmarks/report.py")
        if not check:
            write_whole(path, after.encode())
    shipped = _shipped(rows)
    if shipped and not check:
        check_drawing(picture)
        draw_curve(make_curve([*shipped, *rows]), picture)


if __name__ == "__main__":
    command()
