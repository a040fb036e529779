"""A step .tflite that somebody else made, and the words of its ids, as a model folder of ours. Knows conventions of others.

What it changes is order alone: rows are sorted as the engine needs them (docs/DESIGN.md), rows that no person types are left
out, and where a state comes out at another scale than it goes in, a QUANTIZE follows, as whoever steps the graph must do.
Every other byte is computed as TensorFlow Lite Micro computes it for the file that came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinylm.card import write_metrics
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite, write_tflite
from tinylm.graph import Graph, Op, Step, Tensor, find_logits, next_names, pair_states, quantized_alike, understand_step
from tinylm.language import build_language
from tinylm.model import (
    LAST_LETTER,
    MAX_LETTERS,
    MAX_WORD_LETTERS,
    NAME,
    NAME_RULE,
    Model,
    ModelInfo,
    write_model,
)
from tinylm.op_checks import check_graph

# Entries that are no words: what the engine needs comes first in each; an empty line and [UNK] are TextVectorization's.
BOUNDARIES = (
    "<s>",
    "<bos>",
    "<start>",
    "[START]",
    "[CLS]",
    "\\n",
    "",
    "</s>",
    "<eos>",
    "<end>",
    "[END]",
    "[SEP]",
    "<pad>",
    "[PAD]",
)
UNKNOWNS = ("[UNK]", "<unk>", "<UNK>", "<oov>", "<OOV>")
SPACES = (" ", "<space>")


@dataclass(frozen=True)
class Vocabulary:
    """What the ids mean. `order`: the file's id of each row of ours; `left_out`: entries that no person types."""

    kind: str  # word or character
    words: tuple[str, ...]  # sorted; letters of the character kind
    order: tuple[int, ...]
    left_out: tuple[str, ...]
    entries: int  # ids of the file

    @property
    def alphabet(self) -> str:
        """The letters of all words, sorted."""
        return "".join(sorted(set("".join(self.words))))


def read_vocabulary(text: str) -> Vocabulary:
    """The entry of each id, one a line, from id 0 on.

    Raises TinylmError when the engine could not use it: no boundary, no unknown word (or space), words twice, no words.
    """
    entries = text.removesuffix("\n").split("\n")
    entries = [entry.removesuffix("\r") for entry in entries]
    ids = {entry: number for number, entry in enumerate(entries)}
    if len(ids) < len(entries):
        twice = next(entry for number, entry in enumerate(entries) if ids[entry] != number)
        raise TinylmError(
            f"The vocabulary has '{twice}' twice.", "One line an id; an empty line only for the boundary."
        )
    boundary = _first_of(ids, BOUNDARIES)
    kind = "character" if _first_of(ids, SPACES) is not None and _first_of(ids, UNKNOWNS) is None else "word"
    second = _first_of(ids, SPACES if kind == "character" else UNKNOWNS)
    if boundary is None or second is None:
        raise TinylmError(
            f"The vocabulary has no entry for {'the start of a line' if boundary is None else 'a word it does not know'}.",
            "Name them: <s> and <unk> for words (or an empty line and [UNK], as TextVectorization writes them); <s>, "
            "a line with one space, and letters for a network of characters.",
        )
    words = tuple(sorted(e for e in entries if (len(e) == 1 if kind == "character" else True) and _is_typed(e)))
    found = Vocabulary(
        kind, words, (boundary, second, *(ids[w] for w in words)), _left_out(entries, words), len(entries)
    )
    if not words or len(found.alphabet) > MAX_LETTERS:
        raise TinylmError(
            f"The vocabulary has {len(words):,} words of {len(found.alphabet)} letters; 1 word or more of at most "
            f"{MAX_LETTERS} letters are needed.",
            "Words are lower case, letters and apostrophes; examples/foreign/README.md has an example.",
        )
    return found


def _first_of(ids: dict[str, int], names: tuple[str, ...]) -> int | None:
    return next((ids[name] for name in names if name in ids), None)


def _is_typed(entry: str) -> bool:
    letters = all((c.isalpha() and c.lower() == c and c <= LAST_LETTER) or c == "'" for c in entry)
    return letters and entry.strip("'") != "" and len(entry) <= MAX_WORD_LETTERS or entry == "'"


def _left_out(entries: list[str], words: tuple[str, ...]) -> tuple[str, ...]:
    known = {*words, *BOUNDARIES, *UNKNOWNS, *SPACES}
    return tuple(entry for entry in entries if entry not in known)


def adopt(content: bytes, vocabulary: Vocabulary, name: str, language: str, licence: str) -> Model:
    """A model of a .tflite. Raises TinylmError when it is no step graph, or of another vocabulary."""
    step = adopt_step(read_tflite(content))
    if step.rows != vocabulary.entries:
        raise TinylmError(
            f"The vocabulary has {vocabulary.entries:,} lines, the .tflite {step.rows:,} logits.",
            "Give one line for each id.",
        )
    graph = select_rows(step, vocabulary.order)
    words = vocabulary.words if vocabulary.kind == "word" else ()
    info = ModelInfo(name, vocabulary.kind, language, licence, vocabulary.alphabet)
    return Model(info, words, (0,) * len(words), write_tflite(graph))


def adopt_step(graph: Graph) -> Step:
    """The graph as a step: its outputs named for the states that they are next, QUANTIZE where their scales differ."""
    logits = find_logits(graph)
    before = [i for i in graph.inputs if graph.tensor(i).dtype == "int8"]
    tensors, ops, outputs = list(graph.tensors), list(graph.ops), [logits]
    tensors[logits] = replace(tensors[logits], name="logits")
    for i, after in pair_states(graph, before, logits).items():
        state, made = tensors[i], tensors[after]
        wanted = next_names(state.name)[0]
        if quantized_alike(state, made):
            tensors[after] = replace(made, name=wanted)
        else:
            tensors[after] = replace(made, name=f"{state.name}_as_made")
            tensors.append(Tensor(wanted, state.shape, "int8", state.scale, state.zero_point))
            ops.append(Op("QUANTIZE", (after,), len(tensors) - 1))
            after = len(tensors) - 1
        outputs.append(after)
    adopted = Graph(tuple(tensors), tuple(ops), graph.inputs, tuple(outputs))
    check_graph(adopted)  # the QUANTIZE too: a damaged state's scale may be 0, and no other op need read it
    return understand_step(adopted)


def select_rows(step: Step, order: tuple[int, ...]) -> Graph:
    """The graph whose row i is the row order[i] of a step: tables that ids look up, and the output layer."""
    graph, tensors, rows = step.graph, list(step.graph.tensors), list(order)
    _, weights, bias = step.output_op.inputs
    tables = {op.inputs[0] for op in graph.ops if op.kind == "GATHER"}
    for i in {*tables, weights, bias} - {-1}:
        t = tensors[i]
        scales = tuple(t.scales[row] for row in rows) if t.scales else ()
        tensors[i] = replace(
            t,
            values=np.ascontiguousarray(t.values[rows]),
            shape=(len(rows), *t.shape[1:]),
            scales=scales,
            scale=max(scales, default=t.scale),
        )
    tensors[step.logits] = replace(tensors[step.logits], shape=(1, len(rows)))
    return replace(graph, tensors=tuple(tensors))


@dataclass(frozen=True)
class Adopted:
    """What `adopt_files` made. `requantized`: the states that a QUANTIZE follows."""

    folder: Path
    model: Model
    rows: int
    state_bytes: int
    language_bytes: int
    requantized: tuple[str, ...]
    left_out: tuple[str, ...]


def adopt_files(tflite: Path, vocabulary: Path, folder: Path, language: str, licence: str) -> Adopted:
    """Write the model folder of a .tflite and a file of its ids' words.

    Raises TinylmError when they cannot be used, or `folder` is there and no model folder.
    """
    if folder.exists() and not (folder / "model.json").is_file():
        raise TinylmError(f"'{folder}' is there, and no model folder.", "Give another with --output.")
    if not NAME.fullmatch(folder.name):
        raise TinylmError(f"A model cannot be called '{folder.name}': {NAME_RULE}.", "Give a folder with --output.")
    try:
        text = vocabulary.read_text("utf-8")
    except ValueError as error:
        raise TinylmError(f"'{vocabulary}' is not UTF-8: {error}.", "Save it as UTF-8.") from error
    words = read_vocabulary(text)
    model = adopt(tflite.read_bytes(), words, folder.name, language, licence)
    built = build_language(model)
    write_model(folder, model)
    step, size = built.step, len(built.content)
    write_metrics(folder, model.info, {"language_bytes": size, "rows": step.rows, "state_bytes": step.state_bytes})
    made = {op.output: op for op in step.graph.ops}
    names = {step.graph.tensor(s.before).name: made[s.after].kind for s in step.states}
    requantized = tuple(name for name, kind in names.items() if kind == "QUANTIZE")
    return Adopted(folder, model, step.rows, step.state_bytes, size, requantized, words.left_out)
