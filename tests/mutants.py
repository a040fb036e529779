"""Damaged .tflite files, and what is done with one that is taken."""

from __future__ import annotations

import random
from dataclasses import replace

from models import tiny_character_model

from tinylm.flatbuffer import read_tflite, write_tflite
from tinylm.foreign import adopt_step
from tinylm.generate import EngineSizes, view_model
from tinylm.graph import Step
from tinylm.language import build_language
from tinylm.reference import run_step


def use_graph(content: bytes) -> Step:
    """What a build does with a model file of 29 rows: everything but compiling. Returns the step."""
    step = adopt_step(read_tflite(content))
    state = step.start()
    for row in (0, step.rows - 1):
        state = run_step(step, row, state).state
    model = replace(tiny_character_model(), tflite=write_tflite(step.graph))
    view_model(model, build_language(model), EngineSizes(4, 64))
    return step


def mutate(content: bytes, draw: random.Random) -> bytes:
    """A few bytes changed, mostly outside the constants: there the structure is."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        at = draw.randrange(len(changed))
        how = draw.randint(0, 3)
        if how == 0:
            changed[at] = draw.randrange(256)
        elif how == 1:
            changed[at] ^= 1 << draw.randrange(8)
        elif how == 2:
            at -= at % 4
            changed[at : at + 4] = draw.choice((0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, len(content))).to_bytes(
                4, "little"
            )
        else:
            other = draw.randrange(len(changed))
            changed[at : at + 8] = changed[other : other + len(changed[at : at + 8])]
    return bytes(changed[: len(content)])
