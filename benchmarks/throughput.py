#!/usr/bin/env python3
"""How many queries a second `tinylm predict --jsonl` answers, and what one costs. Queries are made from the dev texts.

Three streams: `typing`, every key of whole lines, as a keyboard asks; `shuffled`, the same in any order; `scattered`, each
query from another place of another line, so that hardly two have a beginning in common.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click
from trigram import DEV

from tinylm.catalogue import choose_folder
from tinylm.corpus import ENGLISH_ALPHABET
from tinylm.errors import TinylmError
from tinylm.evaluate import load_lines
from tinylm.model import load_model, write_whole

MOST_WORDS = 20  # of a context
MOST_LETTERS = 3  # of a scattered query's prefix
PREDICT = (sys.executable, "-c", "from tinylm.cli import main; main()", "predict", "--jsonl", "--model")


def query(words: Sequence[str], prefix: str) -> bytes:
    """One JSON line."""
    return json.dumps({"context": " ".join(words), "prefix": prefix}).encode() + b"\n"


def type_queries(lines: Sequence[Sequence[str]], rng: random.Random) -> Iterator[bytes]:
    """A query before each letter of each word, of lines in random order."""
    for line in rng.sample(lines, len(lines)):
        for i, word in enumerate(line[: MOST_WORDS + 1]):
            for letters in range(len(word)):
                yield query(line[:i], word[:letters])


def scatter_queries(lines: Sequence[Sequence[str]], rng: random.Random) -> Iterator[bytes]:
    """A random line, a random word of it, a random number of its letters."""
    while True:
        line = rng.choice(lines)
        i = rng.randrange(min(len(line), MOST_WORDS + 1))
        yield query(line[:i], line[i][: rng.randrange(min(len(line[i]), MOST_LETTERS + 1))])


def make_streams(lines: Sequence[Sequence[str]], queries: int, seed: int) -> dict[str, list[bytes]]:
    """The three streams of `queries` each."""
    typing = list(islice(type_queries(lines, random.Random(seed)), queries))
    shuffled = random.Random(seed).sample(typing, len(typing))
    return {
        "typing": typing,
        "shuffled": shuffled,
        "scattered": list(islice(scatter_queries(lines, random.Random(seed)), queries)),
    }


def measure_stream(model: Path, queries: Sequence[bytes]) -> dict:
    """Rates of one program that is already up: its first answer is waited for, then the others are timed."""
    began = time.perf_counter()
    with subprocess.Popen([*PREDICT, str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        program.stdin.write(queries[0])
        program.stdin.flush()
        answers = [program.stdout.readline()]
        start_s, start_cpu_s = time.perf_counter() - began, cpu_seconds(program.pid)
        feeder = threading.Thread(target=_feed, args=(program.stdin, queries[1:]))
        up = time.perf_counter()
        feeder.start()
        for _ in queries[1:]:
            answers.append(program.stdout.readline())
        seconds, cpu_s = time.perf_counter() - up, cpu_seconds(program.pid) - start_cpu_s
        feeder.join()
        program.stdin.close()
    if (given := sum(a.startswith(b'{"suggestions": [') for a in answers)) != len(queries):
        raise click.ClickException(f"{given:,} answers for {len(queries):,} queries.")
    return {
        "queries": len(queries),
        "queries_a_second": round((len(queries) - 1) / seconds),
        "queries_a_second_start_included": round(len(queries) / (start_s + seconds)),
        "cpu_microseconds_a_query": round(1e6 * cpu_s / (len(queries) - 1), 1),
        "cpu_seconds_to_start": round(start_cpu_s, 2),
    }


def _feed(stream: BinaryIO, queries: Sequence[bytes]) -> None:
    for first in range(0, len(queries), 1000):
        stream.write(b"".join(queries[first : first + 1000]))
    stream.flush()


def cpu_seconds(process: int) -> float:
    """User and system seconds of a running process (Linux: proc(5), fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@click.command(context_settings={"show_default": True})
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="The texts: dev/en."
)
@click.option("--model", help="Model name or folder.  [default: the largest shipped]")
@click.option("--queries", default=100_000, type=click.IntRange(1000), help="Queries of each stream.")
@click.option("--seed", default=1, help="Chooses lines and places.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the results here.")
def command(data: Path, model: str | None, queries: int, seed: int, json_path: Path | None) -> None:
    """Time `tinylm predict --jsonl`."""
    try:
        folder = choose_folder(model)
        name = load_model(folder).info.name
        texts = [load_lines(data / "dev" / "en" / f"{text}.txt", ENGLISH_ALPHABET) for text in DEV]
    except TinylmError as error:
        raise click.ClickException(f"{error.message} {error.hint or ''}") from error
    cpus = len(os.sched_getaffinity(0))
    measured = {}
    for stream, asked in make_streams([line for text in texts for line in text], queries, seed).items():
        measured[stream] = found = measure_stream(folder.resolve(), asked)
        click.echo(f"{name}, {stream}: {found['queries_a_second']:,} queries a second on {cpus} CPUs, "
                   f"{found['cpu_microseconds_a_query']} us of CPU each")  # fmt: skip
    if json_path:
        asked = f"python benchmarks/throughput.py --data DATA --queries {queries} --seed {seed}"
        content = {"command": asked, "model": name, "cpus": cpus, "streams": measured}
        write_whole(json_path, (json.dumps(content, indent=2) + "\n").encode())


if __name__ == "__main__":
    command()
