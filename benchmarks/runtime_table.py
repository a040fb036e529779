#!/usr/bin/env python3
"""Rewrites the tables of benchmarks/runtime.md from what is in results/: instructions.json (and the figures before it), -int4, tflm."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tinylm.bench import PARTS
from tinylm.model import write_whole

HERE = Path(__file__).parent
BEGIN, END = "<!-- results: python benchmarks/runtime_table.py -->", "<!-- end of results -->"
KEYS = ("word", "letter 1", "letter 2", "letter 3", "keystroke")


def load(name: str) -> dict[tuple[str, str, str], dict]:
    """(model, board, toolchain) -> measurement."""
    rows = json.loads((HERE / "results" / f"{name}.json").read_text("utf-8"))["measured"]
    return {(row["model"], row["board"], row["toolchain"]): row for row in rows}


def render(now: dict, before: dict) -> str:
    """Three Markdown tables: steps, keystrokes, memory."""
    steps = [
        "| network | board | compiler | a step | a MAC | before | scratch | before |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    keys = [
        "| network | board | compiler | a step | " + " | ".join(KEYS) + " | a keystroke of a step |",
        "|---|---|---|" + "--:|" * (len(KEYS) + 2),
    ]
    flash = ["| network | board | compiler | " + " | ".join(PARTS) + " |", "|---|---|---|" + "--:|" * len(PARTS)]
    for key, row in now.items():
        name, old, cost = " | ".join(key), before.get(key), row["cost"]
        was = (f"{old['per_mac']:.2f}", f"{old['scratch_bytes']:,}") if old else ("", "")
        step = f"{cost['step']:,}" + (" cycles" if row["unit"] == "cycles" else "")
        steps.append(f"| {name} | {step} | {row['per_mac']:.2f} | {was[0]} | {row['scratch_bytes']:,} | {was[1]} |")
        if "word" in cost:
            cells = " | ".join(f"{cost[k]:,}" for k in KEYS)
            keys.append(f"| {name} | {step} | {cells} | {cost['keystroke'] / cost['step']:.2f} |")
        parts = row["flash_bytes"]["parts"]
        flash.append(f"| {name} | " + " | ".join(f"{parts[k]:,}" if k in parts else "" for k in PARTS) + " |")
    heads = ("### A step with all its logits", "### A keystroke of the word network", "### Flash, bytes")
    return "\n\n".join(f"{head}\n\n" + "\n".join(table) for head, table in zip(heads, (steps, keys, flash)))


def render_tflm(rows: list[dict]) -> str:
    """A Markdown table: each runtime beside the generated C."""
    table = [
        "| network | runtime | a step | a MAC | times | model flash | runtime flash | times | RAM | times |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    ours = {row["model"]: row for row in rows if row["runtime"] == "generated"}
    for row in rows:
        base = ours[row["model"]]
        flash, code = row["flash_bytes"]["parts"], base["flash_bytes"]["parts"]["runtime"]
        times = [row["cost"]["step"] / base["cost"]["step"], flash["runtime"] / code,
                 row["network_ram_bytes"] / base["network_ram_bytes"]]  # fmt: skip
        table.append(f"| {row['model']} | {row['runtime']} | {row['cost']['step']:,} | {row['per_mac']:.2f} | {times[0]:.2f} "
                     f"| {flash['model']:,} | {flash['runtime']:,} | {times[1]:.1f} | {row['network_ram_bytes']:,} "
                     f"| {times[2]:.1f} |")  # fmt: skip
    return "### Beside TensorFlow Lite Micro, on the qemu-cortex-m4\n\n" + "\n".join(table)


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the file is not up to date.")
def command(check: bool) -> None:
    """Rewrite the tables between the markers."""
    path = HERE / "runtime.md"
    before = path.read_text("utf-8")
    head, _, rest = before.partition(BEGIN)
    tail = rest.partition(END)[2]
    tflm = json.loads((HERE / "results" / "tflm.json").read_text("utf-8"))["measured"]
    tables = f"{render(load('instructions') | load('instructions-int4'), load('instructions-issue2'))}\n\n{render_tflm(tflm)}"
    after = f"{head}{BEGIN}\n\n{tables}\n\n{END}{tail}"
    if check and after != before:
        raise click.ClickException(f"'{path}' is not what the results say; run: python benchmarks/runtime_table.py")
    if not check:
        write_whole(path, after.encode())


if __name__ == "__main__":
    command()
