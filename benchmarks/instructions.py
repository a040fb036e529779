#!/usr/bin/env python3
"""Counts what networks of random weights cost each chip and writes JSON: instructions, or cycles of an AVR.

    python benchmarks/instructions.py --json benchmarks/results/instructions.json
    python benchmarks/instructions.py --board qemu-cortex-m4 --model gru-128 --profile

The weights are random because a count does not depend on them; the models are made in a second, without TensorFlow.
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np

from tinylm.board import board_names, load_board
from tinylm.corpus import ENGLISH_ALPHABET, read_lines, word_finder
from tinylm.counting import Counts, count_model
from tinylm.errors import TinylmError
from tinylm.flatbuffer import write_tflite
from tinylm.model import FIRST_WORD_ROW, Model, ModelInfo, write_whole
from tinylm.network import NetworkShape, initial_weights
from tinylm.preparation import encode_words
from tinylm.quantize import quantize
from tinylm.run import calibration_rows
from tinylm.vocabulary import choose_vocabulary, count_words

HERE = Path(__file__).parent
TEXTS = HERE.parent / "examples" / "texts" / "en"
TYPED = ("we need the ladder on the north side ", "can you call me when the doctor is back ")
SYMBOLS, ROWS = 96, 4000
TOOLCHAINS = (("qemu-cortex-m4", "gcc"), ("qemu-cortex-m4", "zig"), ("qemu-cortex-m0", "gcc"),
              ("qemu-cortex-m3", "gcc"), ("esp32c3", "gcc"), ("esp32c3", "zig"), ("arduino-mega", "gcc"))  # fmt: skip


def make_character_model(hidden: int) -> Model:
    """A GRU over 96 symbols; its alphabet is only counted."""
    shape = NetworkShape("character", SYMBOLS, 0, hidden)
    weights = initial_weights(shape, 1, np.zeros(SYMBOLS))
    ids = np.random.default_rng(1).integers(1, SYMBOLS, (20, 20))
    alphabet = "".join(chr(0x100 + i) for i in range(SYMBOLS - FIRST_WORD_ROW))
    info = ModelInfo(f"gru-{hidden}", "character", "xx", "CC0-1.0", alphabet)
    return Model(info, (), (), write_tflite(quantize(shape, weights, ids)))


def make_word_model(embedding: int, hidden: int) -> Model:
    """4,000 rows of the example texts' words, and a lexicon of the rest."""
    words_of = word_finder(ENGLISH_ALPHABET)
    lines = [words_of(line) for path in sorted(TEXTS.glob("*.txt")) for line in read_lines(path)]
    counts = count_words([words for words in lines if words])
    vocabulary = choose_vocabulary(counts, rows=ROWS - FIRST_WORD_ROW, lexicon_words=100_000)
    row_ids, frequency = vocabulary.row_ids(), np.ones(ROWS)
    for word, row in row_ids.items():
        frequency[row] = counts[word]
    shape = NetworkShape("word", ROWS, embedding, hidden)
    weights = initial_weights(shape, 1, np.log(frequency / frequency.sum()))
    ids = [encode_words(vocabulary)(words) for words in lines[:200] if words]
    info = ModelInfo(f"word-{embedding}-{hidden}", "word", "en", "CC0-1.0", ENGLISH_ALPHABET,
                     top_millinats=vocabulary.top_millinats)  # fmt: skip
    graph = quantize(shape, weights, calibration_rows(ids, steps=20))
    return Model(info, vocabulary.words, vocabulary.levels, write_tflite(graph))


MODELS = {
    "gru-128": (functools.partial(make_character_model, 128), ()),
    "gru-256": (functools.partial(make_character_model, 256), ()),
    "word-36-128": (functools.partial(make_word_model, 36, 128), TYPED),
}


def row_of(name: str, counts: Counts) -> dict:
    """What is kept of a measurement."""
    groups = {g.name: [g.flash_bytes, g.ram_bytes] for g in counts.memory.groups}
    row = asdict(counts) | {"model": name, "whole_step": counts.whole_step, "per_mac": round(counts.per_mac, 3)}
    row["intervals"] = {k: round(v) for k, v in counts.intervals.items()}
    return {k: v for k, v in row.items() if k != "memory"} | {"flash_and_ram": groups}


@click.command(context_settings={"show_default": True})
@click.option("--board", "boards", multiple=True, help="Only these boards; may be given more than once.")
@click.option("--toolchain", type=click.Choice(["gcc", "zig"]), help="Only this compiler.")
@click.option("--model", "models", multiple=True, type=click.Choice(list(MODELS)), help="Only these networks.")
@click.option("--profile", is_flag=True, help="Show the share of each C function.")
@click.option("--json", "output", type=click.Path(dir_okay=False, path_type=Path), help="Write all results there.")
def command(
    boards: tuple[str, ...], toolchain: str | None, models: tuple[str, ...], profile: bool, output: Path | None
) -> None:
    """Count instructions of networks on emulated boards."""
    if unknown := set(boards) - set(board_names()):
        raise click.BadParameter(f"There is no board '{unknown.pop()}'; there are: {', '.join(board_names())}.")
    rows = []
    for name in models or MODELS:
        make, texts = MODELS[name]
        model = make()
        for board, tools in TOOLCHAINS:
            if (boards and board not in boards) or (toolchain and tools != toolchain):
                continue
            try:
                counts = count_model(model, load_board(board), tools, texts)
            except TinylmError as error:  # too big for the board, or a tool is missing
                click.echo(f"{name} {board} {tools}: {error.message}")
                continue
            rows.append(row_of(name, counts))
            _show(name, counts, profile)
    if output:
        write_whole(output, (json.dumps({"measured": rows}, indent=1) + "\n").encode())


def _show(name: str, counts: Counts, profile: bool) -> None:
    groups = {g.name: g for g in counts.memory.groups}
    code = {part: groups[part].flash_bytes for part in ("runtime", "predict", "model", "port") if part in groups}
    means = {k: round(v) for k, v in counts.intervals.items()}
    click.echo(f"{name} {counts.board} {counts.toolchain}: {counts.whole_step:,.0f} {counts.unit} a step, "
               f"{counts.per_mac:.3f} a MAC; {means}; flash {code}; scratch {counts.scratch_bytes}")  # fmt: skip
    total = sum(counts.profile.values()) or 1
    for function, share in list(counts.profile.items())[:12] if profile else ():
        click.echo(f"    {100 * share / total:5.1f} %  {function}")


if __name__ == "__main__":
    command()
