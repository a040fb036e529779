"""The network in TensorFlow Lite Micro: the graph it gets, the project around it, and the same answers.

Its C++ is compiled where TINYLM_TFLM_ROOT names a tree of its sources; such tests are skipped without it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_rig import run_cli, tools_on
from conftest import need
from models import (
    golden_hash,
    tiny_character_model,
    tiny_int4_model,
    tiny_mixture_model,
    tiny_ngram_model,
    tiny_word_model,
)

from tinylm import tflm_project
from tinylm.board import board_names, load_board
from tinylm.building import engine_sizes, read_build
from tinylm.emulator import start
from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.link import Device
from tinylm.model import Model, write_model
from tinylm.reference import run_step
from tinylm.resources import firmware_dir
from tinylm.tflm import find_arena_bytes, interpret, view_interpreted
from tinylm.tflm_project import KERNELS, build_interpreted, has_kernels, interpreted_board, write_project

WHEEL = pytest.mark.needs("tflite_micro")
EACH = pytest.mark.parametrize(
    "make", [tiny_word_model, tiny_int4_model, tiny_character_model], ids=["word", "int4", "character"]
)


def tree() -> Path:
    if not os.environ.get("TINYLM_TFLM_ROOT"):
        pytest.skip("TINYLM_TFLM_ROOT is not set: name a tree of TensorFlow Lite Micro's sources")
    return Path(os.environ["TINYLM_TFLM_ROOT"])


@WHEEL
@EACH
def test_the_cut_graph_leaves_the_state_and_the_context_of_the_reference(make: Callable[[], Model]) -> None:
    from tflite_micro import runtime

    step, tflm = interpret(make())
    interpreter = runtime.Interpreter.from_bytes(tflm.graph, arena_size=tflm.arena_bytes)
    state = step.start()
    for i in range(50):
        row = i * 7 % step.rows
        expected = run_step(step, row, state)
        interpreter.set_input(np.array([row], np.int32), tflm.id)
        interpreter.set_input(state.reshape(1, -1), tflm.states[0].input)
        interpreter.invoke()
        state = interpreter.get_output(tflm.states[0].output).ravel().copy()
        assert np.array_equal(state, expected.state)
        assert np.array_equal(interpreter.get_output(tflm.context).ravel(), expected.context)


@WHEEL
@EACH
def test_the_arena_is_enough_and_less_is_not(make: Callable[[], Model], capfd: pytest.CaptureFixture) -> None:
    from tflite_micro import runtime

    graph = interpret(make())[1].graph
    enough = find_arena_bytes(graph)
    assert "allocate" not in capfd.readouterr().err
    runtime.Interpreter.from_bytes(graph, arena_size=enough)
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(graph, arena_size=enough - 16)


@WHEEL
@pytest.mark.parametrize(("make", "kernel"), [(tiny_word_model, "INT8"), (tiny_int4_model, "INT4")])
def test_a_tied_embedding_is_stored_once_as_int8_and_read_by_both(make: Callable[[], Model], kernel: str) -> None:
    model = make()
    step, tflm = interpret(model)
    assert f"AddFullyConnected(tflite::Register_FULLY_CONNECTED_{kernel}())" in tflm.ops
    language = view_interpreted(model, step, tflm, engine_sizes(load_board("host"))).language
    weights = step.graph.tensor(step.output_op.inputs[1])
    at, raw = language.offset(weights.name), weights.values.tobytes()
    assert language.content[at : at + len(raw)] == raw and language.content.count(raw) == 1
    assert language.content[tflm.offset : tflm.offset + tflm.bytes] == tflm.graph
    assert tflm.offset % language.alignment == 0 and tflm.bytes < len(model.tflite)


def test_an_n_gram_and_an_avr_are_refused_with_what_can_be_done(tmp_path: Path) -> None:
    with pytest.raises(TinylmError, match="no network for TensorFlow Lite Micro"):
        interpret(tiny_ngram_model())
    with pytest.raises(TinylmError, match="not built for arduino-mega"):
        build_interpreted(tiny_word_model(), load_board("arduino-mega"), tmp_path / "out", None, "reference", print)
    assert not list(tmp_path.iterdir())


def test_every_board_that_can_reads_a_tflites_own_matrices() -> None:
    for name in board_names():
        board = load_board(name)
        if board.compiler.architecture in ("arm", "host"):
            used = interpreted_board(board)
            kernels = [p for p in (used.port, *used.port_also) if (firmware_dir() / "port" / p / "dot.c").exists()]
            assert used.layout == "rows" and len(kernels) == 1, (name, kernels)


def project(folder: Path) -> dict[str, bytes]:
    board = interpreted_board(load_board("qemu-cortex-m4"))
    step, tflm = interpret(tiny_word_model())
    write_project(view_interpreted(tiny_word_model(), step, tflm, engine_sizes(board)), tflm, board, folder)
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@WHEEL
def test_a_project_is_the_same_bytes_wherever_it_is_written_and_has_no_path(tmp_path: Path) -> None:
    first, second = project(tmp_path / "a"), project(tmp_path / "b" / "c")
    assert first == second
    for name, content in first.items():
        assert not re.search(rb"(?<![*/.)])/(?:tmp|work|home|root|usr)/", content), name
    assert b"AddGather()" in first["generated/tflm.cpp"] and b"AddConv" not in first["generated/tflm.cpp"]
    assert "firmware/include/tinylm.h" in first and "link.ld" in first


@WHEEL
@pytest.mark.needs("cc")
def test_what_make_built_is_the_firmware(tmp_path: Path) -> None:
    """With a make that only talks, so that this runs without a tree."""
    tree, folder = tmp_path / "tree", tmp_path / "project"
    (tree / tflm_project._HOOK).parent.mkdir(parents=True)
    (tree / tflm_project._HOOK).touch()
    folder.mkdir()
    (tmp_path / "make").write_text("#!/bin/sh\necho cc a.c\necho $@ > asked\n")
    (tmp_path / "make").chmod(0o755)
    seen: list[tuple] = []
    with tools_on(f"{tmp_path}{os.pathsep}{os.environ['PATH']}"):
        made = tflm_project.make_project(load_board("host"), folder, tree, "reference", lambda *now: seen.append(now))
    assert made.elf == folder / "firmware.elf" and made.memory is None and not made.images
    assert seen == [(1, 1, "a.c")] and f"TFLM_ROOT={tree}" in (folder / "asked").read_text()


@pytest.mark.needs("make", "arm-none-eabi-gcc")
def test_its_c_compiles_without_a_warning_and_make_says_when_the_tree_is_missing(tmp_path: Path) -> None:
    project(tmp_path / "project")
    said = subprocess.run(["make", "-C", tmp_path / "project"], capture_output=True, text=True, check=False)
    assert said.returncode and "give make TFLM_ROOT=DIR" in said.stderr
    hook = tmp_path / "tree" / "tensorflow" / "lite" / "micro" / "micro_interpreter.cc"
    hook.parent.mkdir(parents=True)
    hook.touch()
    strict = "CPU=-mcpu=cortex-m4 -mthumb -Wall -Wextra -Wpedantic -Wconversion -Werror"
    objects = [f"obj/{name}.o" for name in ("model/generated/model.c", "language/generated/language.c",
                                            "runtime/firmware/port/rows/dot.c")]  # fmt: skip
    command = ["make", "-C", tmp_path / "project", f"TFLM_ROOT={tmp_path / 'tree'}", strict, *objects]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@WHEEL
def test_build_writes_a_project_and_says_that_it_was_not_compiled(tmp_path: Path) -> None:
    write_model(tmp_path / "tiny", tiny_word_model())
    out = tmp_path / "out"
    shown = run_cli("build", "--board", "host", "--model", tmp_path / "tiny", "--runtime", "tflm", "--output", out)
    assert shown.status == 0, shown.err
    assert "not compiled here" in shown.out and "TFLM_ROOT=DIR" in shown.out
    assert read_build(out)["elf"] == "" and (out / "Makefile").is_file()
    again = run_cli("build", "--board", "host", "--model", tmp_path / "tiny", "--runtime", "tflm", "--output", out,
                    "--tflm-root", tmp_path)  # fmt: skip
    assert again.status == 1 and "is no tree of TensorFlow Lite Micro" in again.err
    assert (out / "Makefile").is_file()


@WHEEL
@pytest.mark.parametrize("make", [tiny_word_model, tiny_int4_model, tiny_character_model, tiny_mixture_model])
def test_a_computer_with_it_answers_as_the_generated_c(make: Callable[[], Model], tmp_path: Path) -> None:
    check_board("host", make(), tmp_path, "make", "c++")


@WHEEL
@pytest.mark.parametrize("kernels", KERNELS)
def test_a_cortex_m4_with_it_answers_as_the_generated_c(kernels: str, tmp_path: Path) -> None:
    tools = "make", "arm-none-eabi-g++", "qemu-system-arm"
    check_board("qemu-cortex-m4", tiny_word_model(), tmp_path, *tools, kernels=kernels)


def check_board(name: str, model: Model, folder: Path, *tools: str, kernels: str = "reference") -> None:
    """Golden hash, self-test, and every suggestion of a typed line."""
    root, board = tree(), load_board(name)
    need(*tools)
    if not has_kernels(root, kernels):
        pytest.skip(f"the tree has no {kernels} kernels")
    build_interpreted(model, board, folder / "build", root, kernels, lambda *_: None)
    host = HostEngine(model)
    with start(board, folder / "build") as running, Device.open(running.url, boot_s=60) as device:
        assert device.identity.self_test == 0 and device.identity.model_hash == model.hash
        assert device.hash(3, 7, 200) == golden_hash(model)
        for letter in "can you bring the water ":
            device.feed(letter)
            host.feed(letter)
            assert device.suggest(3) == host.suggest(3)
    assert json.loads((folder / "build" / "build.json").read_text())["elf"] == "firmware.elf"
