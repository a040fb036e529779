"""From a model to C: sizes, layers, the step function, the language array. Knows what the C says; templates know how.

Same model, same bytes out: no date, no path. RAM is planned here: every intermediate of the step has its place in one
scratch buffer, and places are used again when a value is dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2

from tinylm.graph import Graph, Op, Step
from tinylm.language import Language, is_multiplied, table_name
from tinylm.model import FIRST_WORD_ROW, MAX_WORD_LETTERS, Model, write_whole
from tinylm.reference import fully_connected_rescaling, hash_steps, mul_rescaling, sum_rescalings
from tinylm.resources import templates_dir

SELF_TEST_STEPS = 8
SUGGESTIONS, WORD_BYTES = 5, 49  # TLM_MAX_SUGGESTIONS, TLM_WORD_BYTES


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
class Call:
    """One statement of the step function."""

    text: str
    comment: str


@dataclass(frozen=True)
class StepPlan:
    """The step function: scratch buffers as (name, offset, size), calls, and how many bytes they need."""

    buffers: tuple[tuple[str, int, int], ...]
    calls: tuple[Call, ...]
    scratch_bytes: int


@dataclass(frozen=True)
class Lifetime:
    """A tensor's size and the ops (indices) between which it must be kept."""

    tensor: int
    size: int
    made: int
    last_read: int


def lifetimes(step: Step) -> list[Lifetime]:
    """Of every intermediate that needs scratch: not the inputs, the context, or the logits (those are never stored)."""
    ops, found = step.graph.ops, []
    for number, op in enumerate(ops):
        if op.output in (step.context, step.logits) and op.output != step.next_state:
            continue
        reads = [i for i, other in enumerate(ops) if op.output in other.inputs]
        last = len(ops) if op.output == step.next_state else max(reads, default=number)
        found.append(Lifetime(op.output, step.graph.tensor(op.output).size, number, last))
    return found


def plan_scratch(lives: list[Lifetime]) -> dict[int, int]:
    """Offsets, largest first, each at the lowest place where nothing that lives at the same time lies."""
    placed: dict[int, int] = {}
    by_tensor = {life.tensor: life for life in lives}
    for life in sorted(lives, key=lambda e: (-e.size, e.made)):
        busy = sorted(
            (placed[o.tensor], placed[o.tensor] + o.size)
            for o in by_tensor.values()
            if o.tensor in placed and o.made <= life.last_read and life.made <= o.last_read
        )
        at = 0
        for start, end in busy:
            if at + life.size <= start:
                break
            at = max(at, end)
        placed[life.tensor] = at
    return placed


def plan_step(step: Step, language: Language) -> StepPlan:
    """Where every value lies and which calls make them, in the graph's order; the logits are left to `score`."""
    graph, lives = step.graph, lifetimes(step)
    places = plan_scratch(lives)
    names = {step.state: "state", step.context: "context"} | {i: graph.tensor(i).name for i in places}
    calls = [_call(graph, op, names, language) for op in graph.ops if op.output != step.logits]
    size = graph.tensor(step.state).size
    calls.append(Call(f"tlm_copy({names[step.next_state]}, {size}, state);", "the next step starts from it"))
    if step.context == step.next_state:
        calls.append(Call(f"tlm_copy(state, {size}, context);", "the state is the context"))
        names[step.context] = names[step.next_state]
    buffers = tuple((names[e.tensor], places[e.tensor], e.size) for e in lives)
    scratch = max((places[e.tensor] + e.size for e in lives), default=1)
    return StepPlan(buffers, tuple(calls), scratch)


def _call(graph: Graph, op: Op, names: dict[int, str], language: Language) -> Call:
    y, out = names[op.output], graph.tensor(op.output)
    comment = f"{op.kind} -> {out.name} [{out.size}]"
    if op.kind == "GATHER":
        table = language.offset(graph.tensor(op.inputs[0]).name)
        if is_multiplied(graph, op.inputs[0]):
            return Call(f"tlm_dot_row(language + {table}UL, {out.size}, id, {y});", comment)
        return Call(f"tlm_gather(language, {table}, id, {out.size}, {y});", comment)
    x = names[op.inputs[0]]
    layer = f"&{out.name}_layer"
    if op.kind == "FULLY_CONNECTED":
        return Call(f"tlm_dense_run(language, {layer}, {x}, {y});", comment)
    if op.kind in ("LOGISTIC", "TANH"):
        t = graph.tensor(op.inputs[0])
        table = language.offset(table_name(op.kind, t.scale, t.zero_point))
        return Call(f"tlm_lookup(language, {table}, {x}, {out.size}, {y});", comment)
    run = "tlm_product_run" if op.kind == "MUL" else "tlm_sum_run"
    return Call(f"{run}({layer}, {x}, {names[op.inputs[1]]}, {out.size}, {y});", comment)


def layers_of(language: Language) -> tuple[Layer, ...]:
    """The constant structs of every op that needs one, in the graph's order."""
    makers = {"FULLY_CONNECTED": _dense_layer, "ADD": _sum_layer, "SUB": _sum_layer, "MUL": _product_layer}
    return tuple(makers[op.kind](language, op) for op in language.step.graph.ops if op.kind in makers)


def _factor(by: object) -> str:
    return f"{{{by.multiplier}L, {by.shift}}}"


def _zeros(graph: Graph, op: Op, inputs: int) -> tuple[str, ...]:
    out = graph.tensor(op.output)
    least = out.zero_point if op.relu else -128
    return (*(str(graph.tensor(i).zero_point) for i in op.inputs[:inputs]), str(out.zero_point), str(least))


def _dense_layer(language: Language, op: Op) -> Layer:
    graph = language.step.graph
    w, y = graph.tensor(op.inputs[1]), graph.tensor(op.output)
    bias = language.biases[op.output]
    fields = (
        str(language.offset(w.name)),
        str(language.offset(f"{y.name}_bias") if bias.width else 0),
        str(w.shape[1]),
        str(w.shape[0]),
        str(bias.width),
        str(bias.shift),
        _factor(fully_connected_rescaling(graph, op)),
        *_zeros(graph, op, 0),
    )
    return Layer("tlm_dense_t", f"{y.name}_layer", fields, f"{w.shape[0]} x {w.shape[1]}, weights '{w.name}'")


def _sum_layer(language: Language, op: Op) -> Layer:
    graph = language.step.graph
    fields = (
        *(_factor(f) for f in sum_rescalings(graph, op)),
        *_zeros(graph, op, 2),
        "1" if op.kind == "ADD" else "-1",
    )
    return Layer("tlm_sum_t", f"{graph.tensor(op.output).name}_layer", fields, op.kind)


def _product_layer(language: Language, op: Op) -> Layer:
    graph = language.step.graph
    fields = (_factor(mul_rescaling(graph, op)), *_zeros(graph, op, 2))
    return Layer("tlm_product_t", f"{graph.tensor(op.output).name}_layer", fields, op.kind)


@dataclass(frozen=True)
class ModelView:
    """Everything that templates/model.c.j2 and tlm_sizes.h.j2 name."""

    model: Model
    language: Language
    plan: StepPlan
    layers: tuple[Layer, ...]
    sizes: EngineSizes
    output_layer: str
    context_bytes: int
    self_test_hash: int
    alphabet: tuple[int, ...]
    suggest: str


def view_model(model: Model, language: Language, sizes: EngineSizes) -> ModelView:
    """Decide everything that the templates print."""
    step = language.step
    return ModelView(
        model=model,
        language=language,
        plan=plan_step(step, language),
        layers=layers_of(language),
        sizes=sizes,
        output_layer=f"{step.graph.tensor(step.logits).name}_layer",
        context_bytes=step.graph.tensor(step.context).size,
        self_test_hash=hash_steps(step, 0, 1, SELF_TEST_STEPS),
        alphabet=tuple(ord(letter) for letter in model.info.alphabet),
        suggest="tlm_suggest_words" if model.info.kind == "word" else "tlm_suggest_spelling",
    )


def engine_ram_bytes(view: ModelView) -> int:
    """Close estimate of sizeof(tlm_engine_t): moments, spellings, line, suggestions, scratch."""
    hidden, sizes = view.language.step.hidden, view.sizes
    moments = sizes.history * (hidden + view.context_bytes + 2)
    spellings = (sizes.beam if view.model.info.kind == "character" else 1) * (hidden + 5 + MAX_WORD_LETTERS)
    return moments + spellings + sizes.line_bytes + SUGGESTIONS * WORD_BYTES + view.plan.scratch_bytes + 32


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["c_string"] = lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    environment.filters["lines"] = lambda content, width: [
        content[i : i + width] for i in range(0, len(content), width)
    ]
    return environment


def write_c(view: ModelView, folder: Path, far_flash: bool) -> None:
    """Write tlm_sizes.h, model.c and the language (`far_flash`: as assembler, for flash that C cannot point into)."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = _environment()
    language = "language.S" if far_flash else "language.c"
    for name in ("tlm_sizes.h", "model.c", language):
        text = environment.get_template(f"{name}.j2").render(view=view, first_row=FIRST_WORD_ROW)
        write_whole(folder / name, text.encode())
    write_whole(folder.parent / "language.bin", view.language.content)
