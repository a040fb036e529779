"""Step models from Keras and TensorFlow's converter are taken, answer as TensorFlow Lite Micro does, and type."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import foreign_files
import numpy as np
import pytest
from cli_rig import run_cli
from foreign_files import NAMES
from oracle import Oracle
from runtime_rig import build_program

from tinylm.board import load_board
from tinylm.building import build
from tinylm.emulator import start
from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite
from tinylm.foreign import adopt_step, read_vocabulary
from tinylm.graph import understand_step
from tinylm.link import Device
from tinylm.reference import hash_steps, run_graph, run_step

STEPS = 200
UNTOUCHED = ("gru_gather", "lstm_gather")  # their files hold no op that TensorFlow Lite Micro lacks
KINDS = ("dense", "gru", "lstm", "window")  # one of each; the others differ little
CHIPS = [
    pytest.param("qemu-cortex-m4", "qemu", marks=pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")),
    pytest.param("esp32c3", "unicorn", marks=pytest.mark.needs("riscv64-unknown-elf-gcc", "unicorn")),
    pytest.param("arduino-mega", "simavr", marks=pytest.mark.needs("avr-gcc", "simavr")),
]


@pytest.mark.needs("tflite_micro")
@pytest.mark.parametrize("name", NAMES)
def test_every_op_answers_as_the_oracle_for_200_steps(name: str) -> None:
    step = foreign_files.step(name)
    graph = dataclasses.replace(step.graph, outputs=tuple(op.output for op in step.graph.ops))
    oracle, state = Oracle(graph), step.start()
    for i in range(STEPS):
        inputs = step.feed(7 * i % step.rows, state)
        values = run_graph(graph, inputs)
        for op, answer in zip(graph.ops, oracle.run(inputs)):
            assert np.array_equal(np.ravel(values[op.output]), answer), (i, op)
        state = step.carry(inputs[step.ids], values)


@pytest.mark.needs("tflite_micro")
@pytest.mark.parametrize("name", UNTOUCHED)
def test_the_file_as_it_came_gives_the_same_bytes_when_its_states_are_fed_back(name: str) -> None:
    content = foreign_files.content(name)
    read = read_tflite(content)
    step = understand_step(read)
    oracle, state = Oracle(read, content), step.start()
    for i in range(STEPS):
        expected, judged = run_step(step, 5 * i % step.rows, state), oracle.run_step(step, 5 * i % step.rows, state)
        assert np.array_equal(expected.state, judged.state) and np.array_equal(expected.logits, judged.logits), i
        state = expected.state


@pytest.mark.needs("cc", "tflite_micro")
def test_generated_c_answers_as_reference_and_oracle(tmp_path: Path) -> None:
    program = build_program([foreign_files.step(name) for name in NAMES], tmp_path)
    for number, name in enumerate(NAMES):
        step = understand_step(read_tflite(program.views[number].model.tflite))
        oracle, state = Oracle(step.graph), step.start()
        ids = [7 * i % step.rows for i in range(STEPS)]
        for i, answer in enumerate(program.run(number, state, ids)):
            expected, judged = run_step(step, ids[i], state), oracle.run_step(step, ids[i], state)
            for part in ("state", "context", "scores", "logits"):
                assert np.array_equal(getattr(answer, part), np.ravel(getattr(expected, part))), (name, i, part)
            assert np.array_equal(judged.state, answer.state) and np.array_equal(judged.logits, answer.logits), (
                name,
                i,
            )
            state = answer.state


@pytest.mark.parametrize("name", NAMES)
def test_rows_in_our_order_are_the_same_logits_in_another_place(name: str) -> None:
    ours, theirs = understand_step(read_tflite(foreign_files.model(name).tflite)), foreign_files.step(name)
    order, state, other = foreign_files.vocabulary().order, ours.start(), theirs.start()
    for i in range(20):
        a, b = run_step(ours, 3 * i % ours.rows, state), run_step(theirs, order[3 * i % ours.rows], other)
        assert np.array_equal(a.logits, b.logits[list(order)])
        state, other = a.state, b.state


@pytest.mark.needs("cc")
@pytest.mark.parametrize("name", KINDS)
def test_the_host_library_gives_the_hash_of_the_reference_and_suggests(name: str) -> None:
    model = foreign_files.model(name)
    engine = HostEngine(model)
    assert engine.hash(3, 7, STEPS) == hash_steps(understand_step(read_tflite(model.tflite)), 3, 7, STEPS)
    engine.feed("ab c")
    assert all(word.startswith("c") for word in engine.suggest(3))


@pytest.mark.parametrize(("board", "emulator"), CHIPS)
@pytest.mark.parametrize("name", KINDS)
def test_a_chip_gives_the_hash_of_the_reference(name: str, board: str, emulator: str, tmp_path: Path) -> None:
    model = foreign_files.model(name)
    build(model, load_board(board), tmp_path / "build", "gcc", lambda *_: None)
    expected = hash_steps(understand_step(read_tflite(model.tflite)), 3, 7, STEPS)
    with start(load_board(board), tmp_path / "build", emulator) as running, Device.open(running.url) as device:
        assert device.identity.self_test == 0
        assert device.hash(3, 7, STEPS) == expected


def test_states_are_told_apart_by_name_and_without_names_by_scale() -> None:
    for name in ("lstm", "lstm_unnamed"):
        graph = read_tflite(foreign_files.content(name))
        step = understand_step(graph)
        made = {op.output: op for op in graph.ops}
        kinds = {graph.tensor(s.before).name: made[s.after].kind for s in step.states}
        assert kinds == {"c": "ADD", "h": "MUL"}  # c' = f c + i g, h' = o tanh(c')


def test_states_that_cannot_be_told_apart_are_refused_with_what_to_write() -> None:
    graph = read_tflite(foreign_files.content("lstm_unnamed"))
    step = understand_step(graph)
    alike = {i: graph.tensor(i) for s in step.states for i in (s.before, s.after)}
    tensors = tuple(
        dataclasses.replace(t, scale=0.01, zero_point=0) if i in alike else t for i, t in enumerate(graph.tensors)
    )
    with pytest.raises(TinylmError, match=r"the state 'c' may be 'output_1', 'output_2'") as refused:
        understand_step(dataclasses.replace(graph, tensors=tensors))
    assert "keras.Model(inputs, {'logits': logits, 'c': ...})" in refused.value.hint


def test_a_state_at_another_scale_gets_a_quantize_and_nothing_else() -> None:
    graph = read_tflite(foreign_files.content("dense"))
    with pytest.raises(TinylmError, match="not a state quantized like the input 'h'"):
        understand_step(graph)
    step = adopt_step(graph)
    assert [op.kind for op in step.graph.ops] == [*(op.kind for op in graph.ops), "QUANTIZE"]
    assert step.start().tolist() == [graph.tensor(step.states[0].before).zero_point] * 16


def test_a_state_without_a_scale_is_refused_before_its_quantize_divides_by_it() -> None:
    graph = read_tflite(foreign_files.content("dense"))
    (state,) = (i for i in graph.inputs if graph.tensor(i).dtype == "int8")
    tensors = list(graph.tensors)
    tensors[state] = dataclasses.replace(tensors[state], scale=0.0)
    damaged = dataclasses.replace(graph, tensors=tuple(tensors))
    with pytest.raises(TinylmError, match="is int8 with scale 0, int8 is needed"):
        adopt_step(damaged)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("the\n[UNK]\ncat", "no entry for the start of a line"),
        ("<s>\nthe\ncat", "no entry for a word it does not know"),
        ("<s>\n<unk>\nthe\nthe", "has 'the' twice"),
        ("<s>\n<unk>\n3\n!", "has 0 words"),
    ],
)
def test_a_vocabulary_that_the_engine_cannot_use_is_refused(text: str, says: str) -> None:
    with pytest.raises(TinylmError) as refused:
        read_vocabulary(text)
    assert says in refused.value.message and refused.value.hint


def test_words_are_sorted_and_what_nobody_types_is_left_out() -> None:
    found = read_vocabulary("\n[UNK]\nthe\n,\ncat\ndon't\nThe\n2024\n<num>\nété\n")
    assert (found.kind, found.words) == ("word", ("cat", "don't", "the", "été"))
    assert found.order == (0, 1, 4, 5, 2, 9) and found.left_out == (",", "The", "2024", "<num>")
    assert found.alphabet == "'acdehnotté".replace("tt", "t")


@pytest.mark.needs("cc")
def test_a_file_and_its_vocabulary_become_a_model_folder_that_predicts(tmp_path: Path) -> None:
    words = ["cat", "the", "a", "dog", *(f"{a}{b}" for a in "bcdef" for b in "aeiou")][:26]
    (tmp_path / "words.txt").write_text("\n".join(["", "[UNK]", *words, "!"]) + "\n", "utf-8")
    done = run_cli("adopt", foreign_files.FOLDER / "gru.tflite", "--vocabulary", tmp_path / "words.txt",
                   "--output", tmp_path / "mine")  # fmt: skip
    assert done.status == 0, done.err
    assert (
        "is a word model: 28 rows, 16 bytes of state" in done.out
        and "Left out, as nobody types them (1): '!'" in done.out
    )
    said = run_cli("predict", "--model", tmp_path / "mine", "the c")
    assert said.status == 0 and said.out.split()[0].startswith("c"), said.out + said.err
    other = run_cli("build", "--board", "host", "--model", foreign_files.FOLDER / "gru.tflite")
    assert other.status == 1 and "tinylm adopt" in other.err


def test_a_vocabulary_of_another_length_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("<s>\n<unk>\nthe\n", "utf-8")
    done = run_cli("adopt", foreign_files.FOLDER / "gru.tflite", "--vocabulary", tmp_path / "words.txt")
    assert done.status == 1 and "The vocabulary has 3 lines, the .tflite 29 logits." in done.err
