"""In which order a step runs and where its values lie: statements and RAM. Knows graphs and bytes; writes no C.

Ops of one element (ADD, SUB, MUL, LOGISTIC, TANH, QUANTIZE, GATHER) wait until a layer needs what they make, and then run
together: one loop over the elements, in which only what is needed outside of it is stored. A SLICE is no statement: whoever
reads it reads where it was taken from. RAM is planned here: every stored value has its place in one scratch buffer, and places
are used again when a value is dead.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinylm.graph import Graph, Op, Step, live_ops
from tinylm.language import is_multiplied, is_table


@dataclass(frozen=True)
class Statement:
    """One layer (`loop` False, one op), or a loop over `size` elements of several ops in order."""

    ops: tuple[Op, ...]
    size: int
    loop: bool

    @property
    def made(self) -> frozenset[int]:
        """Tensors that it makes."""
        return frozenset(op.output for op in self.ops)

    def reads(self, graph: Graph) -> frozenset[int]:
        """Computed tensors (not constants, not the id) that it reads from elsewhere."""
        read = {graph.source(i)[0] for op in self.ops for i in graph.computed(op)}
        return frozenset(i for i in read - self.made if graph.tensor(i).dtype == "int8")


@dataclass(frozen=True)
class RunPlan:
    """The statements; what is stored in scratch as tensor -> (offset, size); which next states take the old one's place
    at once."""

    statements: tuple[Statement, ...]
    places: dict[int, tuple[int, int]]
    scratch_bytes: int
    in_place: frozenset[int]

    def is_stored(self, tensor: int, statement: Statement, step: Step) -> bool:
        """Whether a tensor made in `statement` is needed after it."""
        return tensor in _needed(self.statements, statement, step)


def plan_run(step: Step, short_loops: bool = False) -> RunPlan:
    """The order and the places of a step; the logits are left to `score`. `short_loops`: a loop ends at each table that it
    looks up, for cores with too few registers for what a longer one needs; it takes more scratch."""
    statements = _order(step, short_loops)
    in_place = frozenset(s.after for s in step.states if _is_in_place(statements, step, s.before, s.after))
    lives = _lifetimes(statements, step, {step.context} - {s.after for s in step.states} | in_place)
    offsets = _place(lives)
    places = {life.tensor: (offsets[life.tensor], life.size) for life in lives}
    scratch = max((at + size for at, size in places.values()), default=1)
    return RunPlan(statements, places, scratch, in_place)


def step_ops(step: Step) -> tuple[Op, ...]:
    """The ops that states, context or logits depend on, in order."""
    return live_ops(step.graph, (*(s.after for s in step.states), step.context, step.logits))


def is_element_wise(graph: Graph, op: Op) -> bool:
    """Whether element i of what an op makes depends on element i of its inputs alone."""
    if op.kind == "GATHER":
        is_plain = not is_multiplied(graph, op.inputs[0]) and graph.tensor(op.inputs[0]).dtype == "int8"
        return is_plain and graph.tensor(op.inputs[1]).size == 1
    return op.kind not in ("FULLY_CONNECTED", "CONCATENATION")


def _order(step: Step, short_loops: bool) -> tuple[Statement, ...]:
    graph, done = step.graph, []
    waiting: dict[int, list[Op]] = {}  # size -> ops

    def run_waiting(size: int) -> None:
        ops = waiting.pop(size)
        if ops:
            done.append(Statement(tuple(ops), size, True))

    for op in step_ops(step):
        if op.output == step.logits or op.kind == "SLICE":
            continue
        size, alone = graph.tensor(op.output).size, not is_element_wise(graph, op)
        read = {graph.source(i)[0] for i in graph.computed(op)}
        for other, ops in list(waiting.items()):
            if (alone or other != size) and any(o.output in read for o in ops):
                run_waiting(other)
        if alone:
            done.append(Statement((op,), size, False))
        else:
            waiting.setdefault(size, []).append(op)
            if short_loops and is_table(graph, op):
                others = [o for o in waiting[size] if o not in _leading_to(graph, op, waiting[size])]
                waiting[size] = [o for o in waiting[size] if o not in others]
                run_waiting(size)
                waiting[size] = others
    for size in list(waiting):
        run_waiting(size)
    return tuple(done)


def _leading_to(graph: Graph, op: Op, ops: list[Op]) -> list[Op]:
    """Those of `ops`, which are in order, that `op` depends on, itself included."""
    needed, found = {op.output}, []
    for other in reversed(ops):
        if other.output in needed:
            found.append(other)
            needed |= {graph.source(i)[0] for i in graph.computed(other)}
    return found


def _kept(step: Step) -> frozenset[int]:
    """What is still needed when all statements have run."""
    return frozenset(step.graph.source(i)[0] for i in (*(s.after for s in step.states), step.context))


def _needed(statements: tuple[Statement, ...], statement: Statement, step: Step) -> frozenset[int]:
    """What a statement makes that is read after it."""
    later = statements[statements.index(statement) + 1 :]
    read = frozenset().union(*(other.reads(step.graph) for other in later))
    return statement.made & (read | _kept(step))


def _is_in_place(statements: tuple[Statement, ...], step: Step, before: int, after: int) -> bool:
    """A loop that makes a next state may write it over the old one when nothing reads the old one after it."""
    at = next((i for i, s in enumerate(statements) if after in s.made), None)
    if at is None or not statements[at].loop:
        return False
    return all(before not in s.reads(step.graph) for s in statements[at + 1 :])


@dataclass(frozen=True)
class _Lifetime:
    """A tensor's size and the statements (indices) between which it must be kept."""

    tensor: int
    size: int
    made: int
    last_read: int


def _lifetimes(statements: tuple[Statement, ...], step: Step, fixed: set[int]) -> list[_Lifetime]:
    found = []
    for number, statement in enumerate(statements):
        for tensor in sorted(_needed(statements, statement, step) - fixed):
            reads = [i for i, other in enumerate(statements) if tensor in other.reads(step.graph)]
            last = len(statements) if tensor in _kept(step) else max(reads, default=number)
            found.append(_Lifetime(tensor, step.graph.tensor(tensor).size, number, last))
    return found


def _place(lives: list[_Lifetime]) -> dict[int, int]:
    """Offsets, largest first, each at the lowest place where nothing that lives at the same time lies."""
    placed: dict[int, int] = {}
    for life in sorted(lives, key=lambda e: (-e.size, e.made, e.tensor)):
        busy = sorted(
            (placed[o.tensor], placed[o.tensor] + o.size)
            for o in lives
            if o.tensor in placed and o.made <= life.last_read and life.made <= o.last_read
        )
        at = 0
        for start, end in busy:
            if at + life.size <= start:
                break
            at = max(at, end)
        placed[life.tensor] = at
    return placed
