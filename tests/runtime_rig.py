"""Compiles the C of many random steps into one program with sanitizers and runs it."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinylm.board import load_board
from tinylm.firmware import list_kernels
from tinylm.flatbuffer import write_tflite
from tinylm.generate import EngineSizes, ModelView, view_model, write_c
from tinylm.graph import Step
from tinylm.language import build_language
from tinylm.model import FIRST_WORD_ROW, Model, ModelInfo
from tinylm.reference import StepResult
from tinylm.resources import firmware_dir

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-O1", "-g",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=all")  # fmt: skip
HERE = Path(__file__).parent / "c" / "runtime"


def model_of_step(step: Step) -> Model:
    """A character model around any step: it needs as many letters as there are rows."""
    alphabet = "".join(chr(0x100 + i) for i in range(step.rows - FIRST_WORD_ROW))
    return Model(ModelInfo("random", "character", "xx", "CC0-1.0", alphabet), (), (), write_tflite(step.graph))


def _compile(source: Path, target: Path, *options: str) -> Path:
    firmware = firmware_dir()
    port = firmware / "port"
    folders = (HERE, firmware / "include", port / "mapped", port / "wide", firmware / "runtime")
    includes = [f"-I{folder}" for folder in folders]
    subprocess.run(["cc", *FLAGS, *options, *includes, "-c", str(source), "-o", str(target)], check=True)
    return target


@dataclass(frozen=True)
class StepProgram:
    """The compiled program, and what it holds."""

    program: Path
    views: tuple[ModelView, ...]
    languages: tuple[Path, ...]

    def run(self, number: int, state: np.ndarray, ids: Sequence[int]) -> list[StepResult]:
        """What each step of model `number` leaves; raises with the sanitizer's word when it dies."""
        view = self.views[number]
        request = struct.pack("<3H", number, view.scratch_bytes, len(ids)) + state.tobytes()
        request += struct.pack(f"<{len(ids)}H", *ids)
        command = [str(self.program), *map(str, self.languages)]
        done = subprocess.run(command, input=request, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        sizes = (
            view.language.step.state_bytes,
            view.context_bytes,
            4 * view.language.step.rows,
            view.language.step.rows,
        )
        return [_result(done.stdout, i * sum(sizes), sizes) for i in range(len(ids))]


def _result(answer: bytes, at: int, sizes: tuple[int, ...]) -> StepResult:
    parts = []
    for size, dtype in zip(sizes, (np.int8, np.int8, np.dtype("<i4"), np.int8)):
        parts.append(np.frombuffer(answer[at : at + size], dtype))
        at += size
    state, context, scores, logits = parts
    return StepResult(state, context, logits, scores)


def build_program(steps: Sequence[Step], folder: Path) -> StepProgram:
    """Generate and compile the C of all steps."""
    views, languages, sources = [], [], []
    for number, step in enumerate(steps):
        model = model_of_step(step)
        view = view_model(
            model, build_language(model), EngineSizes(history=1, line_bytes=64, short_loops=number % 2 == 1)
        )
        write_c(view, folder / str(number) / "generated", far_flash=False)
        source = folder / f"model_{number}.c"  # away from its own tlm_sizes.h
        (folder / str(number) / "generated" / "model.c").replace(source)
        sources.append((source, source.with_suffix(".o"), f"-Dtlm_model=tlm_model_{number}"))
        views.append(view)
        languages.append(folder / str(number) / "language.bin")
    (folder / "models.inc").write_text("".join(f"TLM_MODEL({i})\n" for i in range(len(steps))))
    firmware = firmware_dir()
    runtime = sorted((firmware / "runtime").glob("*.c"))
    for source in (HERE / "steps.c", *runtime, *list_kernels(load_board("host"))):
        sources.append((source, folder / f"{source.stem}.o", f"-I{folder}"))
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(lambda job: _compile(*job), sources))
    program = folder / "steps"
    subprocess.run(["cc", "-fsanitize=address,undefined", *map(str, objects), "-o", str(program)], check=True)
    return StepProgram(program, tuple(views), tuple(languages))
