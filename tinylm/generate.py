"""From a model to C: sizes, layers, the step function, the language array. Knows what the C says; templates know how.

Same model, same bytes out: no date, no path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinylm.forms import find_product, find_rescale, find_sum
from tinylm.graph import Graph, Op, Step
from tinylm.language import Language, table_name
from tinylm.model import MAX_WORD_LETTERS, Model, write_whole
from tinylm.ngram import UNITS_PER_NAT, hash_walk, read_ngram
from tinylm.plan import RunPlan, Statement, live_ops, plan_run
from tinylm.reference import fully_connected_rescaling, hash_steps, mul_rescaling, sum_rescalings
from tinylm.rendering import render
from tinylm.resources import templates_dir

SELF_TEST_STEPS = 8
SUGGESTIONS, WORD_BYTES = 5, 49  # TLM_MAX_SUGGESTIONS, TLM_WORD_BYTES
NGRAM_STATE_BYTES = 16  # TLM_NGRAM_STATE_BYTES


@dataclass(frozen=True)
class EngineSizes:
    """What of the engine's RAM may be chosen: moments kept for backspace, bytes of the line, spellings followed."""

    history: int
    line_bytes: int
    beam: int = 4


@dataclass(frozen=True)
class Layer:
    """One constant struct of model.c: its C type, name, and its fields in order as text."""

    type: str
    name: str
    fields: tuple[str, ...]
    comment: str


@dataclass(frozen=True)
class Block:
    """A piece of the step function: lines of C, in a loop over `size` elements where `loop`; `before` it, its pointers."""

    lines: tuple[str, ...]
    loop: bool = False
    size: int = 0
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepPlan:
    """The step function: scratch buffers as (name, offset, size), blocks, and how many bytes they need."""

    buffers: tuple[tuple[str, int, int], ...]
    blocks: tuple[Block, ...]
    scratch_bytes: int

    @property
    def unused(self) -> tuple[str, ...]:
        """Parameters of the step function that no line of it names."""
        text = " ".join(line for block in self.blocks for line in (*block.before, *block.lines))
        said = set(re.findall(r"\w+", text)) | ({"scratch"} if self.buffers else set())
        return tuple(name for name in ("language", "id", "context", "scratch") if name not in said)


def plan_step(step: Step, language: Language, layers: Layers) -> StepPlan:
    """The step function's blocks in the order of tinylm/plan.py; the logits are left to `score`."""
    graph, plan = step.graph, plan_run(step)
    writer = _Writer(step, language, layers, plan)
    blocks = [writer.loop(s) if s.loop else Block((writer.layer(s.ops[0]),)) for s in plan.statements]
    size = step.hidden
    if not plan.in_place:
        copies = [f"tlm_copy({writer.name(step.next_state)}, {size}, state); /* the next step starts from it */"]
        if step.context == step.next_state:
            copies.append(f"tlm_copy(state, {size}, context); /* the state is the context */")
        blocks.append(Block(tuple(copies)))
    buffers = tuple((graph.tensor(i).name, *place) for i, place in plan.places.items())
    return StepPlan(buffers, tuple(blocks), plan.scratch_bytes)


@dataclass(frozen=True)
class _Writer:
    """Writes the statements of one step as C."""

    step: Step
    language: Language
    layers: Layers
    plan: RunPlan

    def name(self, tensor: int) -> str:
        """Where a stored tensor is."""
        step = self.step
        if tensor == step.state or (tensor == step.next_state and self.plan.in_place):
            return "state"
        if tensor == step.context != step.next_state:
            return "context"
        return step.graph.tensor(tensor).name

    def layer(self, op: Op) -> str:
        """A statement that makes a whole vector."""
        graph = self.step.graph
        out = graph.tensor(op.output)
        if op.kind == "GATHER":
            table = self.language.offset(graph.tensor(op.inputs[0]).name)
            return (
                f"tlm_dot_row(language + {table}UL, {out.size}, id, {self.name(op.output)}); /* GATHER [{out.size}] */"
            )
        run = self.layers.function("tlm_dense_run", op)
        return (
            f"{run}(language, &{out.name}_layer, &{out.name}_scale, {self.name(op.inputs[0])}, {self.name(op.output)});"
            f" /* {op.kind} [{out.size}] */"
        )

    def loop(self, statement: Statement) -> Block:
        """A loop in which element i of a tensor `a` is called `a_` (no tensor's name ends so)."""
        graph, lines, before = self.step.graph, [], []
        for op in statement.ops:
            out = graph.tensor(op.output)
            if op.kind == "GATHER":
                table = self.language.offset(graph.tensor(op.inputs[0]).name)
                before.append(f"const tlm_flash_t {out.name}_at = language + ({table}UL + (uint32_t)id * {out.size}U);")
            lines.append(f"const int8_t {out.name}_ = {self._element(op, statement)}; /* {op.kind} */")
        for op in statement.ops:
            if self.plan.is_stored(op.output, statement, self.step):
                lines.append(f"{self.name(op.output)}[i] = {graph.tensor(op.output).name}_;")
        if self.step.next_state in statement.made and self.plan.in_place and self.step.context == self.step.next_state:
            lines.append(f"context[i] = {graph.tensor(self.step.next_state).name}_;")
        return Block(tuple(lines), True, statement.size, tuple(before))

    def _element(self, op: Op, statement: Statement) -> str:
        graph = self.step.graph
        out = graph.tensor(op.output)
        if op.kind == "GATHER":
            return f"(int8_t)tlm_flash_u8({out.name}_at + i)"
        made = {o.output for o in statement.ops}
        inputs = [f"{graph.tensor(i).name}_" if i in made else f"{self.name(i)}[i]" for i in op.inputs]
        if op.kind in ("LOGISTIC", "TANH"):
            x = graph.tensor(op.inputs[0])
            return f"tlm_lookup(language + {self.language.offset(table_name(op.kind, x.scale, x.zero_point))}UL, {inputs[0]})"
        run = self.layers.function("tlm_product" if op.kind == "MUL" else "tlm_sum", op)
        return f"{run}(&{out.name}_layer, {', '.join(inputs)})"


@dataclass(frozen=True)
class Layers:
    """The constant structs of model.c in the graph's order, and the outputs of the ops that have no cheaper form."""

    structs: tuple[Layer, ...]
    exact: frozenset[int]

    def function(self, name: str, op: Op) -> str:
        """The C function that runs an op: `name`, or the one that follows TensorFlow Lite step by step."""
        return f"{name}_exact" if op.output in self.exact else name


def layers_of(language: Language, ops: Sequence[Op] | None = None) -> Layers:
    """The constant structs of every op that needs one, or of `ops` alone."""
    structs: list[Layer] = []
    exact = set()
    for op in live_ops(language.step) if ops is None else ops:
        if op.kind == "FULLY_CONNECTED":
            structs.append(_dense_layer(language, op))
        if op.kind in _FORMS:
            made = _FORMS[op.kind](language.step.graph, op)
            structs.append(made)
            if made.type.endswith("_exact_t"):
                exact.add(op.output)
    return Layers(tuple(structs), frozenset(exact))


def _factor(by: object) -> str:
    return f"{{{by.multiplier}L, {by.shift}}}"


def _least(graph: Graph, op: Op) -> str:
    return str(graph.tensor(op.output).zero_point if op.relu else -128)


def _zeros(graph: Graph, op: Op, inputs: int) -> tuple[str, ...]:
    zeros = (*op.inputs[:inputs], op.output)
    return (*(str(graph.tensor(i).zero_point) for i in zeros), _least(graph, op))


def _dense_layer(language: Language, op: Op) -> Layer:
    graph = language.step.graph
    w, y = graph.tensor(op.inputs[1]), graph.tensor(op.output)
    bias = language.biases[op.output]
    at = language.offset(f"{y.name}_bias") if bias.width else 0
    fields = (language.offset(w.name), at, w.shape[1], w.shape[0], bias.width, bias.shift)
    what = f"{w.shape[0]} x {w.shape[1]}, weights '{w.name}'"
    return Layer("tlm_dense_t", f"{y.name}_layer", tuple(str(f) for f in fields), what)


def _rescale_layer(graph: Graph, op: Op) -> Layer:
    name, form = f"{graph.tensor(op.output).name}_scale", find_rescale(graph, op)
    if form is None:
        fields = (_factor(fully_connected_rescaling(graph, op)), *_zeros(graph, op, 0))
        return Layer("tlm_rescale_exact_t", name, fields, "its output")
    fields = (
        f"{form.factor}L",
        f"{form.add}L",
        f"{form.add_below}L",
        str(form.shift),
        str(form.left),
        _least(graph, op),
    )
    return Layer("tlm_rescale_t", name, fields, f"its output, right for sums within +-{form.limit}: no other can be")


def _sum_layer(graph: Graph, op: Op) -> Layer:
    name, form = f"{graph.tensor(op.output).name}_layer", find_sum(graph, op)
    if form is None:
        factors = tuple(_factor(f) for f in sum_rescalings(graph, op))
        return Layer(
            "tlm_sum_exact_t", name, (*factors, *_zeros(graph, op, 2), "1" if op.kind == "ADD" else "-1"), op.kind
        )
    fields = (f"{form.by_a}L", f"{form.by_b}L", f"{form.add}L", str(form.shift), _least(graph, op))
    return Layer("tlm_sum_t", name, fields, op.kind)


def _product_layer(graph: Graph, op: Op) -> Layer:
    name, form = f"{graph.tensor(op.output).name}_layer", find_product(graph, op)
    if form is None:
        fields = (_factor(mul_rescaling(graph, op)), *_zeros(graph, op, 2))
        return Layer("tlm_product_exact_t", name, fields, op.kind)
    zeros = (str(graph.tensor(i).zero_point) for i in op.inputs)
    fields = (f"{form.factor}L", f"{form.add}L", f"{form.add_below}L", str(form.shift), *zeros, _least(graph, op))
    return Layer("tlm_product_t", name, fields, op.kind)


_FORMS = {"FULLY_CONNECTED": _rescale_layer, "ADD": _sum_layer, "SUB": _sum_layer, "MUL": _product_layer}


@dataclass(frozen=True)
class NetworkView:
    """What templates/network.c.j2 names. `plan` is None where TensorFlow Lite Micro makes the step (tinylm/tflm.py), and
    `output` empty where it makes the logits too."""

    plan: StepPlan | None
    layers: tuple[Layer, ...]
    output: str
    output_run: str


@dataclass(frozen=True)
class ModelView:
    """Everything that templates/model.c.j2 and tlm_sizes.h.j2 name."""

    model: Model
    language: Language
    sizes: EngineSizes
    network: NetworkView | None  # None: the n-gram kind
    state_bytes: int
    context_bytes: int
    scratch_bytes: int
    rows: int
    units_per_nat: int
    self_test_hash: int
    alphabet: tuple[int, ...]

    @property
    def body(self) -> str:
        """The template of the step."""
        if self.network is None:
            return "ngram.c.j2"
        return "network.c.j2" if self.network.plan else "tflm.c.j2"

    @property
    def suggest(self) -> str:
        """The C function that suggests."""
        return {"word": "tlm_suggest_words", "character": "tlm_suggest_spelling", "ngram": "tlm_suggest_ngram"}[
            self.model.info.kind
        ]


def view_model(model: Model, language: Language, sizes: EngineSizes) -> ModelView:
    """Decide everything that the templates print."""
    alphabet = tuple(ord(letter) for letter in model.info.alphabet)
    step, ngram = language.step, language.ngram
    if step is None:
        own_hash = hash_walk(read_ngram(ngram), 0, 1, SELF_TEST_STEPS)
        return ModelView(
            model, language, sizes, None, NGRAM_STATE_BYTES, 1, 1, ngram.rows, UNITS_PER_NAT, own_hash, alphabet
        )
    layers = layers_of(language)
    plan = plan_step(step, language, layers)
    output, output_run = step.graph.tensor(step.logits).name, layers.function("tlm_rescale", step.output_op)
    return ModelView(
        model,
        language,
        sizes,
        NetworkView(plan, layers.structs, output, output_run),
        state_bytes=step.hidden,
        context_bytes=step.graph.tensor(step.context).size,
        scratch_bytes=plan.scratch_bytes,
        rows=step.rows,
        units_per_nat=step.units_per_nat,
        self_test_hash=hash_steps(step, 0, 1, SELF_TEST_STEPS),
        alphabet=alphabet,
    )


def engine_ram_bytes(view: ModelView) -> int:
    """Close estimate of sizeof(tlm_engine_t): moments, spellings, line, suggestions, scratch."""
    hidden, sizes = view.state_bytes, view.sizes
    moments = sizes.history * (hidden + view.context_bytes + 2)
    spellings = (sizes.beam if view.model.info.kind == "character" else 1) * (hidden + 5 + MAX_WORD_LETTERS)
    return moments + spellings + sizes.line_bytes + SUGGESTIONS * WORD_BYTES + view.scratch_bytes + 48


def write_c(view: ModelView, folder: Path, far_flash: bool) -> None:
    """Write tlm_sizes.h, model.c and the language (`far_flash`: as assembler, for flash that C cannot point into)."""
    folder.mkdir(parents=True, exist_ok=True)
    language = "language.S" if far_flash else "language.c"
    for name in ("tlm_sizes.h", "model.c", language):
        text = render(templates_dir(), f"{name}.j2", view=view)
        write_whole(folder / name, text.encode())
    write_whole(folder.parent / "language.bin", view.language.content)
