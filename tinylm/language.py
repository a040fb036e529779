"""The language bytes: every byte of a model that goes into flash, in one blob. Knows sections and offsets; no C.

docs/DESIGN.md ("The language bytes") has the format. Language bytes = the length of this blob.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np

from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite
from tinylm.forms import SUM_LIMIT, largest_sum
from tinylm.graph import Graph, Op, Step, understand_step
from tinylm.layout import adds_128, arrange
from tinylm.layout_int4 import arrange_int4
from tinylm.lexicon import PackedLexicon, pack_lexicon
from tinylm.model import FIRST_WORD_ROW, KINDS, NETWORK_FILE, NGRAM_FILE, Model
from tinylm.ngram import PackedNgram, parse_ngram
from tinylm.reference import channel_rescalings, constants, run_op, score_factors
from tinylm.tying import tie_tables

MAGIC = b"TLM2"
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
    """Biases as signed integers of `width` bytes (1 to 4; 0 = none) times 2^shift."""

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


def bias_with_zero_point(graph: Graph, op: Op, layout: str = "rows") -> np.ndarray | None:
    """A layer's biases with the input's zero point folded in, and what the layout's kernel adds to the inputs, int64
    [outputs]; None when all are zero."""
    weights, zero = graph.tensor(op.inputs[1]), graph.tensor(op.inputs[0]).zero_point
    if adds_128(layout) and weights.dtype == "int8":
        zero += 128
    bias = -zero * weights.values.astype(np.int64).sum(axis=1)
    if op.inputs[2] >= 0:
        bias = bias + graph.tensor(op.inputs[2]).values.astype(np.int64).ravel()
    return bias if bias.any() else None


def pack_bias(bias: np.ndarray | None, widths: tuple[int, ...] = (1, 2, 4)) -> PackedBias:
    """The fewest bytes of `widths` that hold the biases exactly: what they have in common as powers of two may go into the
    shift, which is the least that serves."""
    if bias is None:
        return PackedBias(b"", 0, 0)
    common = int(np.bitwise_or.reduce(np.abs(bias)))
    most = min((common & -common).bit_length() - 1, 24)
    width, shift = next((w, s) for w in widths for s in range(most + 1) if _fits(bias >> s, w))
    numbers = (bias >> shift).astype("<i8")[:, None].view(np.uint8)
    return PackedBias(numbers[:, :width].tobytes(), width, shift)


def _fits(values: np.ndarray, width: int) -> bool:
    return values.min() >= -(1 << (8 * width - 1)) and values.max() < 1 << (8 * width - 1)


def is_table(graph: Graph, op: Op) -> bool:
    """Whether an op is the same function of one number for every element: 256 answers."""
    one_number = [i for i in op.inputs if i >= 0 and graph.tensor(i).values is not None and graph.tensor(i).size == 1]
    return op.kind in ("LOGISTIC", "TANH", "QUANTIZE") or (op.kind in ("ADD", "SUB", "MUL") and len(one_number) == 1)


def table_name(graph: Graph, op: Op) -> str:
    """Section name of an op's table; LOGISTIC and TANH of equal scales share one."""
    if op.kind not in ("LOGISTIC", "TANH"):
        return f"{graph.tensor(op.output).name}_table"
    x = graph.tensor(op.inputs[0])
    bits = struct.unpack("<I", struct.pack("<f", x.scale))[0]
    return f"{op.kind.lower()}_{bits:08x}_{x.zero_point & 0xFF:02x}"


def table_of(graph: Graph, op: Op) -> bytes:
    """What an op with a table makes of -128..127, in order."""
    x = graph.computed(op)[0]
    return run_op(graph, op, constants(graph) | {x: np.arange(-128, 128, dtype=np.int8)}).tobytes()


def held_constants(graph: Graph, op: Op) -> tuple[int, ...]:
    """The vectors that an element-wise op reads from flash."""
    if op.kind not in ("ADD", "SUB", "MUL") or is_table(graph, op):
        return ()
    return tuple(i for i in op.inputs if graph.tensor(i).values is not None)


def is_multiplied(graph: Graph, tensor: int) -> bool:
    """Whether a matrix is a FULLY_CONNECTED's (it may be an embedding too): then it lies in the board's layout."""
    return any(op.kind == "FULLY_CONNECTED" and op.inputs[1] == tensor for op in graph.ops)


def build_language(model: Model, layout: str = "rows", layout_int4: str = "halves") -> Language:
    """Lay out a model's language bytes; `layout` is how the board wants weight matrices (tinylm/layout.py), `layout_int4`
    those whose weights have 4 bits (tinylm/layout_int4.py).

    Raises TinylmError when vocabulary and network do not belong together.
    """
    step = tie_tables(understand_step(read_tflite(model.tflite))) if NETWORK_FILE in KINDS[model.info.kind] else None
    ngram = _parse_ngram(model)
    if step:
        _check_rows(model, step.rows)
    blob = _Blob()
    lexicon = _add_lexicon(blob, model)
    biases = _add_network(blob, step, layout, layout_int4) if step else {}
    if ngram:
        _add_ngram(blob, ngram)
    return Language(blob.finish(model), tuple(blob.sections), lexicon, step, biases, ngram)


def build_interpreted(model: Model, step: Step, graph: bytes, whole: bool) -> Language:
    """The language bytes for TensorFlow Lite Micro: `graph` first, which it runs, at a multiple of 16.

    The rows that are shown are computed beside it, so the output's weights are found in the graph, where it has them
    (a tied embedding), and added in layout rows where it has not; they are int8. `whole`: the graph makes the logits itself.
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
        _add_bias(blob, step, op, biases)
        if weights.scales:
            _add_channels(blob, step, op)
    ngram = _parse_ngram(model)
    if ngram:
        _add_ngram(blob, ngram)
    return Language(blob.finish(model), tuple(blob.sections), lexicon, step, biases, ngram, alignment=GRAPH_ALIGNMENT)


def _check_rows(model: Model, rows: int) -> None:
    """Of the network."""
    if model.info.kind == "character":
        _require_rows(NETWORK_FILE, rows, len(model.info.alphabet), "letters")
    else:
        _require_rows(NETWORK_FILE, rows, len(model.row_words), "words with a row")


def _parse_ngram(model: Model) -> PackedNgram | None:
    if NGRAM_FILE not in KINDS[model.info.kind]:
        return None
    ngram = parse_ngram(model.ngram)
    what = "words" if model.info.kind == "ngram" else "words, and those with a row,"
    _require_rows(NGRAM_FILE, ngram.rows, model.ngram_rows - FIRST_WORD_ROW, what)
    return ngram


def _require_rows(file: str, rows: int, wanted: int, what: str) -> None:
    if rows != FIRST_WORD_ROW + wanted:
        raise TinylmError(
            f"{file} has {rows} rows, but the vocabulary needs {FIRST_WORD_ROW + wanted} ({wanted} {what} and 2).",
            f"Take vocabulary.tsv and {file} from the same run.",
        )


def _add_ngram(blob: _Blob, ngram: PackedNgram) -> None:
    blob.add("ngram_costs", ngram.costs, "costs of pairs, triples, back-off of a word and of two, 16ths of a nat")
    blob.add("ngram_index", ngram.index, f"{ngram.blocks} blocks")
    blob.add("ngram_stream", ngram.stream, "what follows a word, and two words")


def _add_lexicon(blob: _Blob, model: Model) -> PackedLexicon | None:
    if model.info.kind == "character":
        return None
    lexicon = pack_lexicon(model.words, model.levels, model.info.alphabet, capitals=model.capitals)
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


def _add_network(blob: _Blob, step: Step, layout: str, layout_int4: str) -> dict[int, PackedBias]:
    """Constants in the order the ops need them: matrices and vectors first, then biases and channels, then tables."""
    graph = step.graph
    held = [i for op in graph.ops for i in (*_matrices(op), *held_constants(graph, op))]
    for i in dict.fromkeys(held):
        t, here = graph.tensor(i), layout if is_multiplied(graph, i) else "rows"
        here = layout_int4 if t.dtype == "int4" else here
        content = arrange_int4(t.values, here) if t.dtype == "int4" else arrange(t.values, here)
        what = f"{t.dtype} {list(t.shape)} in {here}, scale {t.scale:.9g}, zero point {t.zero_point}"
        blob.add(t.name, content, what)
    layers = [op for op in graph.ops if op.kind == "FULLY_CONNECTED"]
    biases: dict[int, PackedBias] = {}
    for op in layers:
        _add_bias(blob, step, op, biases, layout)
    for op in layers:
        if graph.tensor(op.inputs[1]).scales:
            _add_channels(blob, step, op)
    for op in graph.ops:
        if is_table(graph, op) and all(s.name != table_name(graph, op) for s in blob.sections):
            x = graph.tensor(graph.computed(op)[0])
            what = f"{op.kind.lower()} of int8 at scale {x.scale:.9g}, zero point {x.zero_point}"
            blob.add(table_name(graph, op), table_of(graph, op), what)
    return biases


def _add_bias(blob: _Blob, step: Step, op: Op, biases: dict[int, PackedBias], layout: str = "rows") -> None:
    graph = step.graph
    widths = (1, 2, 4)
    if adds_128(layout):  # the kernel adds biases of three bytes itself, modulo 2^24
        widths = (3, 4) if largest_sum(graph, op) < SUM_LIMIT else (4,)
    packed = biases[op.output] = pack_bias(bias_with_zero_point(graph, op, layout), widths)
    if packed.width:
        name, count = graph.tensor(op.output).name, len(packed.content) // packed.width
        blob.add(f"{name}_bias", packed.content, f"int{8 * packed.width} [{count}], times 2^{packed.shift}")


def _matrices(op: Op) -> tuple[int, ...]:
    return {"GATHER": op.inputs[:1], "FULLY_CONNECTED": op.inputs[1:2]}.get(op.kind, ())


def _add_channels(blob: _Blob, step: Step, op: Op) -> None:
    """What each row of a layer that is quantized per channel is scaled by (tlm_channels_t)."""
    graph = step.graph
    name, factors = graph.tensor(op.output).name, channel_rescalings(graph, op)
    blob.add(f"{name}_multipliers", np.array([f.multiplier for f in factors], "<i4").tobytes(), "of each row")
    blob.add(f"{name}_shifts", np.array([f.shift for f in factors], np.int8).tobytes(), "of each row")
    if op.output == step.logits:
        blob.add(f"{name}_units", score_factors(graph, op).astype("<i4").tobytes(), "of each row's sum, 2^-31")
