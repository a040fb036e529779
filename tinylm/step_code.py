"""The C of a step: its constant structs and the statements of its function, as text. Knows what each op looks like in C.

An op is a layer (a statement), an element (an expression within a loop), or a SLICE (nothing: see tinylm/plan.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinylm.forms import find_product, find_rescale, find_sum
from tinylm.graph import Graph, Op, Step
from tinylm.language import Language, held_constants, is_multiplied, is_table, table_name
from tinylm.plan import RunPlan, Statement, plan_run, step_ops
from tinylm.reference import fully_connected_rescaling, mul_rescaling, sum_rescalings


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
    """The step function: pointers as (name, into what, offset, size), blocks, and how many bytes of scratch they need."""

    buffers: tuple[tuple[str, str, int, int], ...]
    blocks: tuple[Block, ...]
    scratch_bytes: int
    tables: tuple[tuple[str, int], ...]  # sections that the step reads, in its order, and their offsets

    @property
    def unused(self) -> tuple[str, ...]:
        """Parameters of the step function that no line of it names."""
        text = " ".join(line for block in self.blocks for line in (*block.before, *block.lines))
        said = set(re.findall(r"\w+", text)) | {into for _, into, _, _ in self.buffers}
        return tuple(name for name in ("language", "id", "context", "scratch") if name not in said)


def plan_step(step: Step, language: Language, layers: Layers, short_loops: bool = False) -> StepPlan:
    """The step function's blocks in the order of tinylm/plan.py; the logits are left to `score`."""
    graph, plan = step.graph, plan_run(step, short_loops)
    writer = _Writer(step, language, layers, plan, [])
    blocks = [writer.loop(s) if s.loop else writer.layer(s.ops[0]) for s in plan.statements]
    if step.window > 1:
        blocks.insert(0, Block((f"tlm_window_push(state, {step.window}, id); /* the newest ids */",)))
    copies = [
        f"tlm_copy({writer.name(s.after)}, {s.size}, {writer.name(s.before)}); /* the next step starts from it */"
        for s in step.states
        if s.after not in plan.in_place
    ]
    if step.context not in plan.in_place and writer.name(step.context) != "context":
        copies.append(f"tlm_copy({writer.name(step.context)}, {graph.tensor(step.context).size}, context);")
    if copies:
        blocks.append(Block(tuple(copies)))
    states = () if writer.alone else tuple((writer.name(s.before), "state", s.offset, s.size) for s in step.states)
    stored = tuple((graph.tensor(i).name, "scratch", *place) for i, place in plan.places.items())
    return StepPlan(states + stored, tuple(blocks), plan.scratch_bytes, tuple(writer.tables))


@dataclass(frozen=True)
class _Writer:
    """Writes the statements of one step as C."""

    step: Step
    language: Language
    layers: Layers
    plan: RunPlan
    tables: list[tuple[str, int]]

    def place(self, section: str) -> str:
        """The name of a section's offset: the template says whether it is a number, or is looked up in the model's constants."""
        self.tables.append((section, self.language.offset(section)))
        return f"TABLE_{len(self.tables) - 1}"

    @property
    def alone(self) -> bool:
        """Whether the state is one vector and nothing else."""
        return len(self.step.states) == 1 and self.step.window == 1

    def name(self, tensor: int) -> str:
        """Where a stored tensor is."""
        (base, begin), step = self.step.graph.source(tensor), self.step
        if begin or base != tensor:
            return f"{self.name(base)} + {begin}"
        for state in step.states:
            if tensor == state.before or (tensor == state.after and tensor in self.plan.in_place):
                return "state" if self.alone else f"{step.graph.tensor(state.before).name}_state"
        if tensor == step.context and all(tensor != s.after for s in step.states):
            return "context"
        return step.graph.tensor(tensor).name

    def table(self, op: Op) -> str:
        """Where the table of a GATHER is."""
        return f"language + {self.place(self.step.graph.tensor(op.inputs[0]).name)}"

    def layer(self, op: Op) -> Block:
        """Statements that make a whole vector."""
        graph, made = self.step.graph, self.name(op.output)
        size = graph.tensor(op.output).size
        if op.kind == "CONCATENATION":
            return Block(tuple(self._joins(op)))
        if op.kind == "GATHER":
            table = graph.tensor(op.inputs[0])
            row = "tlm_dot_row" if is_multiplied(graph, op.inputs[0]) else "tlm_row"
            row, each = "tlm_dot_row_int4" if table.dtype == "int4" else row, table.shape[1]
            if size == each:
                return Block((f"{row}({self.table(op)}, {size}, id, {made}); /* GATHER [{size}] */",))
            get = (
                f"{row}({self.table(op)}, {each}, tlm_window_id(state, i), {made} + i * {each}); /* GATHER [{each}] */"
            )
            return Block((get,), True, size // each)
        run, name = self.layers.function("tlm_dense_run", op), graph.tensor(op.output).name
        how = f"language, &{name}_layer, {layer_sums(graph, op)}, &{name}_scale"
        return Block((f"{run}({how}, {self.name(op.inputs[0])}, {made}); /* {op.kind} [{size}] */",))

    def _joins(self, op: Op) -> list[str]:
        lines, at = [], 0
        for i in op.inputs:
            size = self.step.graph.tensor(i).size
            lines.append(f"tlm_copy({self.name(i)}, {size}, {self.name(op.output)} + {at}); /* {op.kind} */")
            at += size
        return lines

    def loop(self, statement: Statement) -> Block:
        """A loop in which element i of a tensor `a` is called `a_` (no tensor's name ends so)."""
        graph, lines, before = self.step.graph, [], {}
        for op in statement.ops:
            out = graph.tensor(op.output)
            if op.kind == "GATHER":
                at = self.place(graph.tensor(op.inputs[0]).name)
                before[f"{out.name}_at"] = f"language + ({at} + (tlm_offset_t)id * {out.size}U)"
            for i in held_constants(graph, op):
                before[f"{graph.tensor(i).name}_at"] = f"language + {self.place(graph.tensor(i).name)}"
            lines.append(f"const int8_t {out.name}_ = {self._element(op, statement)}; /* {op.kind} */")
        for op in statement.ops:
            if self.plan.is_stored(op.output, statement, self.step):
                lines.append(f"{self.name(op.output)}[i] = {graph.tensor(op.output).name}_;")
                if op.output == self.step.context and op.output in self.plan.in_place:
                    lines.append(f"context[i] = {graph.tensor(op.output).name}_;")
        pointers = (f"const tlm_flash_t {name} = {where};" for name, where in before.items())
        return Block(tuple(lines), True, statement.size, tuple(pointers))

    def _element(self, op: Op, statement: Statement) -> str:
        graph = self.step.graph
        out = graph.tensor(op.output)
        if op.kind == "GATHER":
            return f"(int8_t)tlm_flash_u8({out.name}_at + i)"
        inputs = [self._input(i, statement) for i in op.inputs]
        if is_table(graph, op):
            x = inputs[op.inputs.index(graph.computed(op)[0])]
            return f"tlm_lookup(language + {self.place(table_name(graph, op))}, {x})"
        run = self.layers.function("tlm_product" if op.kind == "MUL" else "tlm_sum", op)
        return f"{run}(&{out.name}_layer, {', '.join(inputs)})"

    def _input(self, tensor: int, statement: Statement) -> str:
        """Element i of what an op in a loop reads."""
        graph = self.step.graph
        if graph.tensor(tensor).values is not None:
            return f"(int8_t)tlm_flash_u8({graph.tensor(tensor).name}_at + i)"
        base, begin = graph.source(tensor)
        if base in statement.made:
            return f"{graph.tensor(base).name}_"
        return f"{self.name(base)}[{begin} + i]" if begin else f"{self.name(base)}[i]"


@dataclass(frozen=True)
class Layers:
    """The constant structs of model.c in the graph's order, and by the output of each op the ending of the functions that
    run it, where that is not the usual one: `_exact` follows TensorFlow Lite step by step, `_channels` row by row."""

    structs: tuple[Layer, ...]
    endings: dict[int, str]

    def function(self, name: str, op: Op) -> str:
        """The C function that runs an op."""
        return name + self.endings.get(op.output, "")


def layer_sums(graph: Graph, op: Op) -> str:
    """The C function that sums a layer's rows."""
    return "tlm_dense_sums_int4" if graph.tensor(op.inputs[1]).dtype == "int4" else "tlm_dense_sums"


def layers_of(language: Language, ops: Sequence[Op] | None = None) -> Layers:
    """The constant structs of every op that needs one, or of `ops` alone."""
    graph, structs, endings = language.step.graph, [], {}
    for op in step_ops(language.step) if ops is None else ops:
        if op.kind == "FULLY_CONNECTED":
            structs.append(_dense_layer(language, op))
        if op.kind in _FORMS and not is_table(graph, op):
            made = _FORMS[op.kind](language, op)
            structs.append(made)
            endings[op.output] = next((e for e in ("_exact", "_channels") if made.type.endswith(f"{e}_t")), "")
    return Layers(tuple(structs), endings)


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


def _rescale_layer(language: Language, op: Op) -> Layer:
    graph = language.step.graph
    name, weights = f"{graph.tensor(op.output).name}_scale", graph.tensor(op.inputs[1])
    if weights.scales:
        return _channels_layer(language, op, name)
    form = find_rescale(graph, op)
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


def _channels_layer(language: Language, op: Op, name: str) -> Layer:
    made, output = language.step.graph.tensor(op.output).name, op.output == language.step.logits
    sections = ("multipliers", "shifts", *(("units",) if output else ()))
    places = [str(language.offset(f"{made}_{section}")) for section in sections]
    fields = (*places, *([] if output else ["0"]), *_zeros(language.step.graph, op, 0))
    return Layer("tlm_channels_t", name, fields, "its output, a factor a row")


def _sum_layer(language: Language, op: Op) -> Layer:
    graph = language.step.graph
    name, form = f"{graph.tensor(op.output).name}_layer", find_sum(graph, op)
    if form is None:
        factors = tuple(_factor(f) for f in sum_rescalings(graph, op))
        return Layer(
            "tlm_sum_exact_t", name, (*factors, *_zeros(graph, op, 2), "1" if op.kind == "ADD" else "-1"), op.kind
        )
    fields = (f"{form.by_a}L", f"{form.by_b}L", f"{form.add}L", str(form.shift), _least(graph, op))
    return Layer("tlm_sum_t", name, fields, op.kind)


def _product_layer(language: Language, op: Op) -> Layer:
    graph = language.step.graph
    name, form = f"{graph.tensor(op.output).name}_layer", find_product(graph, op)
    if form is None:
        fields = (_factor(mul_rescaling(graph, op)), *_zeros(graph, op, 2))
        return Layer("tlm_product_exact_t", name, fields, op.kind)
    zeros = (str(graph.tensor(i).zero_point) for i in op.inputs)
    fields = (f"{form.factor}L", f"{form.add}L", f"{form.add_below}L", str(form.shift), *zeros, _least(graph, op))
    return Layer("tlm_product_t", name, fields, op.kind)


_FORMS = {"FULLY_CONNECTED": _rescale_layer, "ADD": _sum_layer, "SUB": _sum_layer, "MUL": _product_layer}
