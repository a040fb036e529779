"""Words a second that training learns, by shape and phase, run by TensorFlow op by op and compiled by XLA.

    python benchmarks/training_speed.py --json benchmarks/results/training-speed.json

Batches of 128 times 24 random words, as of a long text. `a CPU second`: of the processor time that the process took, which on a
shared computer says more than the clock. Compiling is not counted; `compile` is what the first step took.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from tinylm.model import write_whole
from tinylm.network import NetworkShape, build_trainer, initial_weights
from tinylm.quantize import grid_of
from tinylm.training import ALWAYS_SCORED, TrainingPlan, choose_backend, sample_rows

SHAPES = ((400, 12, 40), (4000, 32, 128), (8000, 64, 256))
TAUGHT = 16  # rows a teacher has for each place


def measure(shape: NetworkShape, is_sampled: bool, is_compiled: bool, taught: int, steps: int) -> dict:
    """One phase: sampled rows, or all of them with weights on their grid, as in the last part of a run."""
    import keras

    plan, rng = TrainingPlan(), np.random.default_rng(1)
    weights = initial_weights(shape, 1, np.log(rng.dirichlet(np.ones(shape.rows)) + 1e-6))
    grid = {} if is_sampled else grid_of(shape)(weights)
    trainer = build_trainer(shape, plan.steps, weights, plan.negatives if is_sampled else 0, grid)
    optimizer = keras.optimizers.Adam(plan.learning_rate, clipnorm=1.0, beta_2=0.99)
    trainer.compile(optimizer=optimizer, loss=lambda _, loss: loss, jit_compile=is_compiled)
    size = plan.batch, plan.steps
    ids, targets = (rng.integers(0, shape.rows, size).astype(np.int32) for _ in range(2))
    rows, chance = sample_rows(shape.rows, plan, 0) if is_sampled else (np.zeros(1, np.int32), np.zeros(1, np.float32))
    inputs = [ids, targets, np.tile(rows, (plan.batch, 1)), np.tile(chance, (plan.batch, 1))]
    if taught:
        inputs += [
            rng.integers(0, shape.rows, (*size, taught)).astype(np.int32),
            np.full((*size, taught), 0.5 / taught, np.float32),
        ]
    nothing, began = np.zeros((*size, 1), np.float32), time.process_time()
    trainer.train_on_batch(tuple(inputs), nothing)
    first, best_s, best_cpu_s = time.process_time() - began, np.inf, np.inf
    for _ in range(3):
        clock, cpu = time.perf_counter(), time.process_time()
        for _ in range(steps):
            trainer.train_on_batch(tuple(inputs), nothing)
        best_s = min(best_s, (time.perf_counter() - clock) / steps)
        best_cpu_s = min(best_cpu_s, (time.process_time() - cpu) / steps)
    words = plan.batch * plan.steps
    return {
        "shape": [shape.rows, shape.embedding, shape.hidden],
        "phase": "sampled" if is_sampled else "all rows",
        "compiled": is_compiled,
        "taught_rows": taught,
        "words_a_second": round(words / best_s),
        "words_a_cpu_second": round(words / best_cpu_s),
        "compile_cpu_s": round(first, 1),
    }


def main() -> None:
    """Print a table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--steps", type=int, default=6, help="steps that are timed, three times")
    given = parser.parse_args()
    if choose_backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()  # as training does
    found = []
    for sizes in SHAPES:
        shape = NetworkShape("word", *sizes, weight_bits=4)
        can_sample = shape.rows > ALWAYS_SCORED + TrainingPlan().negatives
        phases = [(True, 0)] if can_sample else []
        for is_sampled, taught in [*phases, (False, 0), (can_sample, TAUGHT)]:
            for is_compiled in (False, True):
                found.append(measure(shape, is_sampled, is_compiled, taught, given.steps))
                print(found[-1], flush=True)
                if given.json:
                    write_whole(given.json, (json.dumps(found, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
