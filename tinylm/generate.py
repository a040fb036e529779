"""From a model to C: sizes, layers, the step function, the language array. Knows what the C says; templates know how.

Same model, same bytes out: no date, no path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinylm.graph import State, Step
from tinylm.language import Language
from tinylm.model import MAX_WORD_LETTERS, Model, write_whole
from tinylm.ngram import UNITS_PER_NAT, hash_walk, read_ngram
from tinylm.reference import hash_steps
from tinylm.rendering import render
from tinylm.resources import templates_dir
from tinylm.step_code import Layer, Layers, StepPlan, layers_of, plan_step

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
class NetworkView:
    """What templates/network.c.j2 names: of the output layer its name and the functions that sum and rescale a row.

    `plan` is None where TensorFlow Lite Micro makes the step (tinylm/tflm.py); `is_scored` False where it makes the logits too.
    """

    step: Step
    plan: StepPlan | None
    layers: Layers
    is_scored: bool = True

    @property
    def structs(self) -> tuple[Layer, ...]:
        """The constants of the layers."""
        return self.layers.structs

    @property
    def output(self) -> str:
        """Name of the logits; empty where no row is scored."""
        return "" if not self.is_scored else self.step.graph.tensor(self.step.logits).name

    @property
    def sums(self) -> str:
        """The C function that sums the output layer's rows."""
        return self.layers.sums(self.step.output_op)

    @property
    def rescale(self) -> str:
        """The C function that makes a logit of a sum."""
        return self.layers.function("tlm_rescale", self.step.output_op)

    @property
    def starts(self) -> tuple[tuple[State, int], ...]:
        """The states whose real zero is another byte than 0."""
        zeros = ((state, self.step.graph.tensor(state.before).zero_point) for state in self.step.states)
        return tuple(part for part in zeros if part[1])


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
    return ModelView(
        model,
        language,
        sizes,
        NetworkView(step, plan, layers),
        state_bytes=step.state_bytes,
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
