#!/usr/bin/env python3
"""`make bench`: every benchmark, one after the other, into benchmarks/results; then the tables of benchmarks/README.md.

Each step is a command that can be typed alone; it is shown before it runs. Knows the steps; measures nothing itself.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from trigram import DEV

from tinylm.catalogue import MOST_BY_DEFAULT, shipped_entries
from tinylm.model import write_whole

HERE = Path(__file__).parent
TINYLM = (sys.executable, "-c", "from tinylm.cli import main; main()")
NETWORKS = ("gru-128.tflite", "gru-256.tflite", "word-36-128")  # of networks.py
SIZES = "24K,64K,256K,1M"


@dataclass(frozen=True)
class Step:
    """A command. `result`: the file in results/ that takes what it prints; empty where it writes its own."""

    name: str
    command: tuple[str, ...]
    result: str = ""


def script(name: str, file: str, *arguments: str, result: str = "") -> Step:
    """A script of this folder; `result`: what it writes with --json."""
    to = ("--json", str(HERE / "results" / result)) if result else ()
    return Step(name, (sys.executable, str(HERE / file), *arguments, *to))


def plan_steps(data: Path, board: str) -> list[Step]:
    """All steps, the quick ones first. A model that is not shipped (yet) has none."""
    entries = [entry for entry in shipped_entries() if entry.language == "en"]
    models = [entry.name for entry in entries]
    usual = [entry.name for entry in entries if entry.language_bytes <= MOST_BY_DEFAULT][-1:]
    texts = [str(data / "dev" / "en" / f"{name}.txt") for name in DEV]
    steps = [
        Step(f"evaluate-{name}", (*TINYLM, "evaluate", *texts, "--model", name, "--json"), f"evaluate-{name}.json")
        for name in models
    ]
    where = ("--data", str(data))
    steps += [
        script("throughput", "throughput.py", *where, "--model", name, result=f"throughput-{name}.json")
        for name in usual
    ]
    proofs = [(board, name, "200") for name in usual] + [("arduino-mega", name, "40") for name in models[:1]]
    steps += [
        script(f"serial-{chip}", "serial_proof.py", *where, "--board", chip, "--model", name, "--lines", lines,
               result=f"serial-{name}-{chip}.json")
        for chip, name, lines in proofs
    ]  # fmt: skip
    networks = HERE.parent / "build" / "networks"
    subjects = [f"--model={networks / name}" for name in NETWORKS]
    output = f"--output={HERE / 'results' / 'instructions.json'}"
    steps.append(script("networks", "networks.py", str(networks)))
    steps.append(Step("instructions", (*TINYLM, "bench", *subjects, "--toolchain=gcc", "--toolchain=zig", output)))
    steps.append(script("runtime", "runtime_table.py"))
    steps.append(script("boards", "boards.py"))
    steps.append(script("equality", "equality.py", result="equality.json"))
    steps.append(script("learning", "learning.py", "savings", *where, result="learning.json"))
    steps.append(script("passed", "passed.py", *where, result="passed.json"))
    steps.append(script("learning-cost", "learning.py", "cost", result="learning-cost.json"))
    steps.append(script("texts", "texts.py"))
    steps.append(script("text-worth", "text_worth.py", *where))
    models_of = str(HERE.parent / "build" / "small-budget")
    steps.append(script("small-budget", "small_budget.py", *where, "--work", models_of, result="small-budget.json"))
    steps.append(script("trigram", "trigram.py", *where, "--sizes", SIZES, result="trigram-all-lines.json"))
    steps.append(script("learning-tables", "learning.py", "tables"))
    steps.append(script("prediction", "prediction.py"))
    steps.append(script("report", "report.py"))
    return steps


def run_step(step: Step) -> bool:
    """Run one; its result replaces the old one only when it ends well. Returns whether it did."""
    click.echo(f"\n== {step.name}: {shlex.join(step.command)}")
    began = time.monotonic()
    done = subprocess.run(step.command, stdout=subprocess.PIPE if step.result else None, check=False)
    if done.returncode == 0 and step.result:
        write_whole(HERE / "results" / step.result, done.stdout)
    end = "done" if done.returncode == 0 else f"FAILED with exit code {done.returncode}"
    click.echo(f"== {step.name}: {end}, {time.monotonic() - began:.0f} s")
    return done.returncode == 0


def choose_steps(steps: Sequence[Step], only: Sequence[str]) -> list[Step]:
    """Those named, by name or by the beginning of it (`evaluate` is evaluate-en-24k and its like)."""
    for name in only:
        if not any(step.name == name or step.name.startswith(f"{name}-") for step in steps):
            raise click.BadParameter(f"There is no step '{name}'; there are: {', '.join(s.name for s in steps)}.")
    return [s for s in steps if not only or any(s.name == name or s.name.startswith(f"{name}-") for name in only)]


@click.command(context_settings={"show_default": True})
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The texts: train/en, dev/en.",
)
@click.option(
    "--board", default="qemu-cortex-m4", help="The board that types the largest model; arduino-mega types the smallest."
)
@click.option("--only", "-o", multiple=True, metavar="STEP", help="Only this step; may be given more than once.")
@click.option("--list", "list_only", is_flag=True, help="Show the commands and run none.")
def command(data: Path, board: str, only: tuple[str, ...], list_only: bool) -> None:
    """Run the benchmarks; the tables are written last."""
    steps = choose_steps(plan_steps(data, board), only)
    if list_only:
        for step in steps:
            click.echo(f"{step.name}: {shlex.join(step.command)}{f' > {step.result}' if step.result else ''}")
        return
    failed = []
    for number, step in enumerate(steps, 1):
        click.echo(f"\n[{number}/{len(steps)}]", nl=False)
        if not run_step(step):
            failed.append(step.name)
    if failed:
        raise click.ClickException(f"Failed: {', '.join(failed)}. Run one alone with --only NAME.")


if __name__ == "__main__":
    command()
