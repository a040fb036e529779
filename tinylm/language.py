"""The language bytes: every byte of a model that goes into flash, in one blob. Knows sections and offsets; no C.

docs/DESIGN.md ("The language bytes") has the format. Language bytes = the length of this blob.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np

from tinylm.arithmetic import lookup_table
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite
from tinylm.graph import Graph, Op, Step, understand_step
from tinylm.layout import arrange
from tinylm.lexicon import PackedLexicon, pack_lexicon
from tinylm.model import FIRST_WORD_ROW, KINDS, Model
from tinylm.ngram import PackedNgram, parse_ngram

MAGIC = b"TLM1"
HEADER_BYTES = 16
GRAPH_ALIGNMENT = 16  # of a .tflite that TensorFlow Lite Micro runs; the header is as long, so the first section has it


@dataclass(frozen=True)
class Section:
    """A run of bytes of one meaning; `offset` from the start of the blob, 4-byte aligned."""

    name: str
    offset: int
    content: bytes
    meaning: str


@dataclass(frozen=True)
class PackedBias:
    """Biases as signed integers of `width` bytes (1, 2, 4; 0 = none) times 2^shift."""

    content: bytes
    width: int
    shift: int


@dataclass(frozen=True)
class Language:
    """The blob, its sections by name, and what they were made of. `alignment`: what its first byte's address must be
    a multiple of."""

    content: bytes
    sections: tuple[Section, ...]
    lexicon: PackedLexicon | None
    step: Step | None  # None: the n-gram kind
    biases: dict[int, PackedBias]  # by the output tensor of the FULLY_CONNECTED
    ngram: PackedNgram | None = None
    alignment: int = 4

    def offset(self, name: str) -> int:
        """Byte offset of a section."""
        return next(s.offset for s in self.sections if s.name == name)


def bias_with_zero_point(graph: Graph, op: Op) -> np.ndarray | None:
    """A layer's biases with the input's zero point folded in, int64 [outputs]; None when all are zero."""
    weights, zero = graph.tensor(op.inputs[1]).values.astype(np.int64), graph.tensor(op.inputs[0]).zero_point
    bias = -zero * weights.sum(axis=1)
    if op.inputs[2] >= 0:
        bias = bias + graph.tensor(op.inputs[2]).values.astype(np.int64).ravel()
    return bias if bias.any() else None


def pack_bias(bias: np.ndarray | None) -> PackedBias:
    """The fewest bytes that hold the biases exactly: what they have in common as powers of two goes into the shift."""
    if bias is None:
        return PackedBias(b"", 0, 0)
    common = int(np.bitwise_or.reduce(np.abs(bias)))
    shift = min((common & -common).bit_length() - 1, 24)
    small = bias >> shift
    width = next(w for w in (1, 2, 4) if small.min() >= -(1 << (8 * w - 1)) and small.max() < 1 << (8 * w - 1))
    return PackedBias(small.astype(f"<i{width}").tobytes(), width, shift)


def table_name(kind: str, scale: float, zero_point: int) -> str:
    """Section name of a LOGISTIC or TANH table; equal scales share one."""
    bits = struct.unpack("<I", struct.pack("<f", scale))[0]
    return f"{kind.lower()}_{bits:08x}_{zero_point & 0xFF:02x}"


def is_multiplied(graph: Graph, tensor: int) -> bool:
    """Whether a matrix is a FULLY_CONNECTED's (it may be an embedding too): then it lies in the board's layout."""
    return any(op.kind == "FULLY_CONNECTED" and op.inputs[1] == tensor for op in graph.ops)


def build_language(model: Model, layout: str = "rows") -> Language:
    """Lay out a model's language bytes; `layout` is how the board wants weight matrices (tinylm/layout.py).

    Raises TinylmError when vocabulary and network do not belong together.
    """
    step = understand_step(read_tflite(model.tflite)) if model.info.kind != "ngram" else None
    ngram = parse_ngram(model.ngram) if model.info.kind == "ngram" else None
    _check_rows(model, step.rows if step else ngram.rows)
    blob = _Blob()
    lexicon = _add_lexicon(blob, model)
    biases = _add_network(blob, step.graph, layout) if step else {}
    if ngram:
        _add_ngram(blob, ngram)
    return Language(blob.finish(model), tuple(blob.sections), lexicon, step, biases, ngram)


def build_interpreted(model: Model, step: Step, graph: bytes, whole: bool) -> Language:
    """The language bytes for TensorFlow Lite Micro: `graph` first, which it runs, at a multiple of 16.

    The rows that are shown are computed beside it, so the output's weights are found in the graph, where it has them
    (a tied embedding), and added in layout rows where it has not; `whole`: the graph makes the logits itself.
    """
    _check_rows(model, step.rows)
    blob, biases, op = _Blob(), {}, step.output_op
    weights = step.graph.tensor(op.inputs[1])
    raw = weights.values.tobytes()
    at, what = graph.find(raw), f"int8 {list(weights.shape)} in rows, scale {weights.scale:.9g}"
    if whole or at < 0 or at % 4:
        blob.add("graph", graph, "what TensorFlow Lite Micro runs")
        if not whole:
            blob.add(weights.name, raw, what)
    else:  # padded to whole words by what follows, so that nothing is put in between
        end = at + len(raw) + -len(raw) % 4
        blob.add("graph", graph[:at], "what TensorFlow Lite Micro runs, up to the embedding")
        blob.add(weights.name, graph[at:end], f"{what}, read by both")
        blob.add("graph_end", graph[end:], "the rest of what it runs")
    lexicon = _add_lexicon(blob, model)
    if not whole:
        _add_bias(blob, step.graph, op, biases)
    return Language(blob.finish(model), tuple(blob.sections), lexicon, step, biases, alignment=GRAPH_ALIGNMENT)


def _check_rows(model: Model, rows: int) -> None:
    what, there = {
        "word": ("words with a row", model.row_words),
        "character": ("letters", model.info.alphabet),
        "ngram": ("words", model.words),
    }[model.info.kind]
    wanted = FIRST_WORD_ROW + len(there)
    if rows != wanted:
        file = KINDS[model.info.kind]
        raise TinylmError(
            f"{file} has {rows} rows, but the vocabulary needs {wanted} ({len(there)} {what} and 2).",
            f"Take vocabulary.tsv and {file} from the same run.",
        )


def _add_ngram(blob: _Blob, ngram: PackedNgram) -> None:
    blob.add("ngram_costs", ngram.costs, "costs of pairs, triples, back-off of a word and of two, 16ths of a nat")
    blob.add("ngram_index", ngram.index, f"{ngram.blocks} blocks")
    blob.add("ngram_stream", ngram.stream, "what follows a word, and two words")


def _add_lexicon(blob: _Blob, model: Model) -> PackedLexicon | None:
    if model.info.kind == "character":
        return None
    lexicon = pack_lexicon(model.words, model.levels, model.info.alphabet)
    blob.add("lexicon_index", lexicon.index, f"{lexicon.words} words in blocks of {lexicon.block_words}")
    blob.add("lexicon_stream", lexicon.stream, "the words, Huffman-coded")
    blob.add("lexicon_codes", lexicon.codes, "canonical codes of the stream")
    return lexicon


class _Blob:
    """Sections one after the other, each at a multiple of 4."""

    def __init__(self) -> None:
        self.content = bytes(HEADER_BYTES)
        self.sections: list[Section] = []

    def add(self, name: str, content: bytes, meaning: str) -> None:
        self.sections.append(Section(name, len(self.content), content, meaning))
        self.content += content + bytes(-len(content) % 4)

    def finish(self, model: Model) -> bytes:
        """The header and all sections."""
        body = self.content[HEADER_BYTES:]
        return struct.pack("<4sIII", MAGIC, len(self.content), zlib.crc32(body), model.hash) + body


def _add_network(blob: _Blob, graph: Graph, layout: str) -> dict[int, PackedBias]:
    """Constants in the order the ops need them: matrices first, then biases, then tables."""
    matrices = [
        op.inputs[0] if op.kind == "GATHER" else op.inputs[1]
        for op in graph.ops
        if op.kind in ("GATHER", "FULLY_CONNECTED")
    ]
    for i in dict.fromkeys(matrices):
        t, here = graph.tensor(i), layout if is_multiplied(graph, i) else "rows"
        what = f"int8 {list(t.shape)} in {here}, scale {t.scale:.9g}, zero point {t.zero_point}"
        blob.add(t.name, arrange(t.values, here), what)
    biases = {}
    for op in graph.ops:
        if op.kind == "FULLY_CONNECTED":
            _add_bias(blob, graph, op, biases)
    for op in graph.ops:
        if op.kind in ("LOGISTIC", "TANH"):
            x = graph.tensor(op.inputs[0])
            name = table_name(op.kind, x.scale, x.zero_point)
            if all(s.name != name for s in blob.sections):
                content = lookup_table(op.kind, x.scale, x.zero_point).tobytes()
                blob.add(name, content, f"{op.kind.lower()} of int8 at scale {x.scale:.9g}, zero point {x.zero_point}")
    return biases


def _add_bias(blob: _Blob, graph: Graph, op: Op, biases: dict[int, PackedBias]) -> None:
    packed = biases[op.output] = pack_bias(bias_with_zero_point(graph, op))
    if packed.width:
        name, count = graph.tensor(op.output).name, len(packed.content) // packed.width
        blob.add(f"{name}_bias", packed.content, f"int{8 * packed.width} [{count}], times 2^{packed.shift}")
