#!/usr/bin/env python3
"""The golden hash of a model, 200 steps with the state fed back, from TensorFlow Lite Micro, Python, the host and each chip.

A network's of states and logits, an n-gram's of followers and costs, a mixture's of both; TensorFlow Lite Micro runs the network of a
mixture, and nothing of an n-gram. Fails unless all are equal. A board that the model does not fit is named and left out.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from tinylm.board import board_names, load_board
from tinylm.building import build
from tinylm.catalogue import find_folder, shipped_entries
from tinylm.emulator import start
from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite
from tinylm.graph import Step, understand_step
from tinylm.link import Device
from tinylm.mixture import hash_mixture
from tinylm.model import Model, load_model, write_whole
from tinylm.ngram import hash_walk, parse_ngram, read_ngram
from tinylm.reference import hash_steps, run_step

ORACLE = "TensorFlow Lite Micro"
STEPS = (1, 7, 200)  # the first row, the distance to the next, how many steps


@dataclass(frozen=True)
class OracleStep:
    """What hash_steps reads of a step."""

    state: np.ndarray
    logits: np.ndarray


def run_in_oracle(model: Model) -> Callable[[Step, int, np.ndarray], OracleStep]:
    """run_step by TensorFlow Lite Micro's own interpreter."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model.tflite)

    def run(step: Step, row: int, state: np.ndarray) -> OracleStep:
        inputs = step.feed(row, state)
        for position, index in enumerate(step.graph.inputs):
            interpreter.set_input(inputs[index].reshape(step.graph.tensor(index).shape), position)
        interpreter.invoke()
        found = {index: interpreter.get_output(i).copy() for i, index in enumerate(step.graph.outputs)}
        return OracleStep(step.carry(inputs[step.ids], found), found[step.logits].ravel())

    return run


def expected_hashes(model: Model) -> dict[str, int]:
    """Of the implementations that are not ours in C."""
    if not model.tflite:
        return {"Python": hash_walk(read_ngram(parse_ngram(model.ngram)), *STEPS)}
    step, runs = understand_step(read_tflite(model.tflite)), {ORACLE: run_in_oracle(model), "Python": run_step}
    if not model.ngram:
        return {name: hash_steps(step, *STEPS, run) for name, run in runs.items()}
    ngram = read_ngram(parse_ngram(model.ngram))
    return {name: hash_mixture(step, ngram, *STEPS, run) for name, run in runs.items()}


def board_hashes(model: Model, name: str) -> dict[str, int]:
    """`board/emulator` -> hash, in every emulator of the board. Raises TinylmError when the model does not fit."""
    board, found = load_board(name), {}
    with tempfile.TemporaryDirectory(prefix="tinylm-") as folder:
        output = Path(folder) / "build"
        build(model, board, output, None, lambda *_: None)
        for emulator in board.emulators:
            with start(board, output, emulator.name) as running, Device.open(running.url) as device:
                found[f"{name}/{emulator.name}"] = device.hash(*STEPS)
    return found


@click.command(context_settings={"show_default": True})
@click.option("--model", "models", multiple=True, help="Model name or folder.  [default: all that are shipped]")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the results here.")
def command(models: tuple[str, ...], json_path: Path | None) -> None:
    """Compare the golden hash of each model everywhere that it runs."""
    results = {}
    for name in models or [entry.name for entry in shipped_entries()]:
        model = load_model(find_folder(name))
        found = expected_hashes(model) | {"host": HostEngine(model).hash(*STEPS)}
        for board in board_names():
            try:
                found |= board_hashes(model, board)
            except TinylmError as refusal:
                click.echo(f"{model.info.name}: {refusal.message}")
        click.echo(f"{model.info.name}: {len(found)} places, {len(set(found.values())) - 1} differences")
        results[model.info.name] = {place: f"{value:08x}" for place, value in found.items()}
    if json_path:
        asked = "".join(f" --model {name}" for name in models)
        content = {"command": f"python benchmarks/golden.py{asked}", "steps": STEPS[2], "hashes": results}
        write_whole(json_path, (json.dumps(content, indent=2) + "\n").encode())
    if any(len(set(found.values())) > 1 for found in results.values()):
        raise click.ClickException("The hashes differ.")


if __name__ == "__main__":
    command()
