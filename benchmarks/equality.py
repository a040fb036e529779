#!/usr/bin/env python3
"""The proof that all compute the same: random step graphs in TensorFlow Lite Micro, in the reference and in generated C.

And that a damaged .tflite is refused with a sentence, or is a graph that TensorFlow Lite Micro computes as we do.
The graphs and the damage are those of the tests (tests/step_graphs.py, tests/mutants.py), only many more of them.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import click
import numpy as np

from tinylm.cli.console import progress_bars
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite, write_tflite
from tinylm.graph import Step, understand_step
from tinylm.model import write_whole
from tinylm.reference import StepResult, run_step

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))

import foreign_files  # noqa: E402
import step_graphs  # noqa: E402
from models import tiny_character_model  # noqa: E402
from mutants import mutate, use_graph  # noqa: E402
from oracle import Oracle  # noqa: E402
from runtime_rig import build_program  # noqa: E402

MAKERS = {
    "any ops": step_graphs.make_step,
    "window of ids": step_graphs.make_window,
    "LSTM": step_graphs.make_lstm,
    "per channel": step_graphs.make_channels,
    "4 bits": step_graphs.make_int4,
    "word": step_graphs.make_word,
    "character": step_graphs.make_character,
    "word, 4 bits": step_graphs.make_word_int4,
    "character, 4 bits": step_graphs.make_character_int4,
}
LARGEST, MOST_ROWS, STEPS = 300, 250, 6  # sizes of vectors; rows, which are letters of a model in C; steps fed back
GRAPHS, FILES = 70, 250  # in one piece of work; a piece's C is one program
LIMIT_S = 10  # for one damaged file
ROWS = 29  # of a damaged file's network: what tests/mutants.py builds


def draw_step(kind: str, seed: int) -> Step:
    """A random step of sizes up to a random one, written to a .tflite and read again."""
    draw = random.Random(seed)
    step = step_graphs.random_step(seed, draw.randint(1, LARGEST), draw.randint(3, MOST_ROWS), MAKERS[kind])
    return understand_step(read_tflite(write_tflite(step.graph)))


def first_state(step: Step, seed: int) -> np.ndarray:
    """Any bytes as states; ids there are."""
    rng = np.random.default_rng(seed)
    state = rng.integers(-128, 128, step.state_bytes).astype(np.int8)
    ids = rng.integers(0, step.rows, step.window_bytes // 2)
    state[: step.window_bytes] = ids.astype("<u2").view(np.int8)
    return state


def ids_of(step: Step, seed: int) -> list[int]:
    return [(seed + 5 * i) % step.rows for i in range(STEPS)]


def reference_steps(step: Step, seed: int) -> list[StepResult]:
    """What the reference leaves, step for step."""
    state, found = first_state(step, seed), []
    for row in ids_of(step, seed):
        found.append(run_step(step, row, state))
        state = found[-1].state
    return found


def oracle_agrees(step: Step, seed: int) -> bool:
    """Whether TensorFlow Lite Micro leaves the same states and logits."""
    oracle, state = Oracle(step.graph), first_state(step, seed)
    for row, expected in zip(ids_of(step, seed), reference_steps(step, seed)):
        judged = oracle.run_step(step, row, state)
        if not (np.array_equal(judged.state, expected.state) and np.array_equal(judged.logits, expected.logits)):
            return False
        state = judged.state
    return True


def compare_c(steps: list[tuple[str, int, Step]]) -> list[tuple[str, int]]:
    """Kind and seed of those whose C, compiled with sanitizers, leaves another byte than the reference."""
    with tempfile.TemporaryDirectory(prefix="tinylm-equality-") as folder:
        program = build_program([step for _, _, step in steps], Path(folder))
        differ = []
        for number, (kind, seed, step) in enumerate(steps):
            answers = program.run(number, first_state(step, seed), ids_of(step, seed))
            if not all(
                np.array_equal(getattr(answer, part), np.ravel(getattr(expected, part)))
                for answer, expected in zip(answers, reference_steps(step, seed), strict=True)
                for part in ("state", "context", "scores", "logits")
            ):
                differ.append((kind, seed))
        return differ


def prove_graphs(numbers: range, c_every: int, seed: int) -> tuple[dict[str, Counter], list[str]]:
    """Some random graphs, the kinds in turn, the C of every `c_every`-th of a kind: counts by kind, and what differs."""
    kinds, rows, failed, in_c = list(MAKERS), {}, [], []
    for i in numbers:
        kind, number = kinds[i % len(kinds)], seed * 1_000_000 + i
        step = draw_step(kind, number)
        row = rows.setdefault(kind, Counter(graphs=0, in_c=0, differences=0))
        row["graphs"] += 1
        if not oracle_agrees(step, number):
            row["differences"] += 1
            failed.append(f"{kind}, seed {number}: TensorFlow Lite Micro")
        if i // len(kinds) % c_every == 0:
            row["in_c"] += 1
            in_c.append((kind, number, step))
    for kind, number in compare_c(in_c) if in_c else ():
        rows[kind]["differences"] += 1
        failed.append(f"{kind}, seed {number}: generated C")
    return rows, failed


def sound_files() -> dict[str, bytes]:
    """The files that are damaged: small random ones of each kind, converters' and our own."""
    made = {kind: step_graphs.random_step(2, 4, ROWS, make) for kind, make in MAKERS.items()}
    files = {kind: write_tflite(step.graph) for kind, step in made.items()}
    files |= {f"foreign {name}": foreign_files.content(name) for name in foreign_files.NAMES}
    return files | {"tiny-character": tiny_character_model().tflite}


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judge_file(content: bytes, seed: int) -> str:
    """`refused`, `equal` to TensorFlow Lite Micro, or what went wrong."""
    try:
        with time_limit(LIMIT_S):
            step = use_graph(content)
            return "equal" if oracle_agrees(step, seed) else "differs from TensorFlow Lite Micro"
    except TinylmError as error:
        return "refused" if error.message else "refused without a word"
    except Exception as error:  # whatever it is: that is what is looked for
        return f"{type(error).__name__}: {error}"


def prove_damage(numbers: range, seed: int) -> tuple[dict[str, Counter], list[str]]:
    """Some damaged files, the sound ones in turn: counts by file, and what went wrong. Sound, each must be equal."""
    files, draw, rows, failed = sound_files(), random.Random(seed * 1_000_000 + numbers.start), {}, []
    names = list(files)
    for i in numbers:
        name = names[i % len(names)]
        row = rows.setdefault(name, Counter(refused=0, equal=0, failed=0))
        ended = judge_file(mutate(files[name], draw), i)
        row[ended if ended in ("refused", "equal") else "failed"] += 1
        if ended not in ("refused", "equal"):
            failed.append(f"{name}, {i} of those from {numbers.start} on: {ended}")
    if numbers.start == 0:
        sound = {name: judge_file(content, seed) for name, content in files.items()}
        failed += [f"{name}, not damaged: {ended}" for name, ended in sound.items() if ended != "equal"]
    return rows, failed


def prove(what: Callable, count: int, each: int, told: Callable[[int], None], *arguments: int) -> dict:
    """`what` over 0..count in pieces, on two cores; the pieces do not depend on how many cores there are."""
    pieces = [range(i, min(i + each, count)) for i in range(0, count, each)]
    rows: dict[str, Counter] = {}
    failed, done = [], 0
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for piece, (found, wrong) in zip(pieces, pool.map(what, pieces, *map(repeat, arguments))):
            for name, row in found.items():
                rows.setdefault(name, Counter()).update(row)
            failed += wrong
            done += len(piece)
            told(done)
    return {"counts": rows, "failed": failed}


@click.command(context_settings={"show_default": True})
@click.option("--graphs", default=2000, type=click.IntRange(1), help="How many random graphs.")
@click.option("--c-every", default=10, type=click.IntRange(1), help="Of each kind every n-th graph runs in C too.")
@click.option("--mutations", default=10_000, type=click.IntRange(1), help="How many damaged files.")
@click.option("--seed", default=1, help="Another seed, other graphs and damage.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the results here.")
def command(graphs: int, c_every: int, mutations: int, seed: int, json_path: Path | None) -> None:
    """Run random graphs everywhere and read damaged files; fail at any difference."""
    with progress_bars() as report:
        proved = prove(prove_graphs, graphs, GRAPHS, lambda done: report("graphs", done, graphs), c_every, seed)
        damage = prove(prove_damage, mutations, FILES, lambda done: report("damage", done, mutations), seed)
    asked = f"--graphs {graphs} --c-every {c_every} --mutations {mutations} --seed {seed}"
    content = {
        "command": f"python benchmarks/equality.py {asked}",
        "steps_of_a_graph": STEPS,
        "graphs": proved,
        "damaged": damage,
    }
    if json_path:
        write_whole(json_path, (json.dumps(content, indent=2) + "\n").encode())
    kinds, files = proved["counts"].values(), damage["counts"].values()
    in_c, refused = sum(row["in_c"] for row in kinds), sum(row["refused"] for row in files)
    differences = sum(row["differences"] for row in kinds)
    click.echo(f"{graphs:,} graphs, {in_c:,} of them in C too: {differences} differences")
    click.echo(f"{mutations:,} damaged files: {refused:,} refused, {sum(row['equal'] for row in files):,} computed "
               f"alike, {len(damage['failed'])} failures")  # fmt: skip
    if failed := proved["failed"] + damage["failed"]:
        raise click.ClickException("\n".join(failed[:20]))


if __name__ == "__main__":
    command()
