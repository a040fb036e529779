"""From a model to C: sizes, layers, the step function, the language array. Knows what the C says; templates know how.

Same model, same bytes out: no date, no path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinylm.graph import State, Step
from tinylm.language import Language
from tinylm.mixture import hash_mixture
from tinylm.model import MAX_WORD_LETTERS, Model, write_whole
from tinylm.ngram import UNITS_PER_NAT, PackedNgram, hash_walk, read_ngram, word_costs
from tinylm.reference import hash_steps
from tinylm.rendering import write_template
from tinylm.step_code import Layer, Layers, StepPlan, layer_sums, layers_of, plan_step

SELF_TEST_STEPS = 8
SUGGESTIONS, WORD_BYTES = 5, 49  # the most that TLM_MAX_SUGGESTIONS and TLM_WORD_BYTES are
NGRAM_STATE_BYTES = 16  # TLM_NGRAM_STATE_BYTES
MIXTURE_BYTES = NGRAM_STATE_BYTES + 4  # and the sum of all rows (firmware/predict/tlm_mixture.h)
PASSED_BYTES = 98  # tlm_passed_t at most
# Kind -> what suggests, what hashes what is known after a step.
_FUNCTIONS = {
    "word": ("tlm_suggest_words", "tlm_hash_network"),
    "character": ("tlm_suggest_spelling", "tlm_hash_network"),
    "ngram": ("tlm_suggest_ngram", "tlm_hash_ngram"),
    "mixture": ("tlm_suggest_mixture", "tlm_hash_mixture"),
}


@dataclass(frozen=True)
class EngineSizes:
    """What of the engine's RAM may be chosen: moments kept for backspace, bytes of the line, spellings followed,
    suggestions at once, bytes of a frame. `small`: code that is short rather than fast, for one model. `short_loops`: as
    plan_run has it."""

    history: int
    line_bytes: int
    beam: int = 4
    suggestions: int = 5
    frame_bytes: int = 253
    small: bool = False
    short_loops: bool = False


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
        return layer_sums(self.step.graph, self.step.output_op)

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
    def level_units(self) -> tuple[int, ...]:
        """Of each level from 1: score units of its words beside the unknown row's (docs/DESIGN.md), or an n-gram's cost."""
        info = self.model.info
        levels = np.arange(1, max(self.model.levels, default=0) + 1)
        if self.network is None:
            return tuple(word_costs(levels, info.top_millinats, info.level_millinats).tolist())
        units = self.units_per_nat
        below = (units * ((level - 1) * info.level_millinats - info.top_millinats) // 1000 for level in levels.tolist())
        return tuple(-b for b in below)

    @property
    def letter_bytes(self) -> int:
        """TLM_LETTER_BYTES: how long the longest letter is in UTF-8."""
        return 1 if max(self.alphabet) < 0x80 else 2

    @property
    def macros(self) -> tuple[tuple[str, int], ...]:
        """The macros of tlm_sizes.h."""
        sizes = self.sizes
        beam = (("TLM_BEAM", sizes.beam),) if self.model.info.kind == "character" else ()
        return (
            *beam,
            ("TLM_LETTER_BYTES", self.letter_bytes),
            ("TLM_LARGEST_LIST", sizes.suggestions),
            ("TLM_LARGEST_FRAME", sizes.frame_bytes),
            ("TLM_SMALL", int(sizes.small)),
            ("TLM_TEXT", int(not sizes.small)),
        )

    @property
    def is_mixture(self) -> bool:
        """Whether an n-gram is beside the network."""
        return self.network is not None and self.language.ngram is not None

    @property
    def network_step(self) -> str:
        """Name of the network's step; a mixture's own steps the n-gram too."""
        return "network_step" if self.is_mixture else "step"

    @property
    def kept_bytes(self) -> int:
        """TLM_STATE_BYTES: of a moment's state."""
        return self.state_bytes + (MIXTURE_BYTES if self.is_mixture else 0)

    @property
    def share_units(self) -> int:
        """What a mixture's follower is worth beside the network, in score units."""
        return self.units_per_nat * self.model.info.share_millinats // 1000

    @property
    def suggest(self) -> str:
        """The C function that suggests."""
        return _FUNCTIONS[self.model.info.kind][0]

    @property
    def hash_moment(self) -> str:
        """The C function that hashes a moment."""
        return _FUNCTIONS[self.model.info.kind][1]


def view_model(model: Model, language: Language, sizes: EngineSizes) -> ModelView:
    """Decide everything that the templates print."""
    alphabet = tuple(ord(letter) for letter in model.info.alphabet)
    step, ngram = language.step, language.ngram
    if step is None:
        own_hash = hash_walk(read_ngram(ngram, SELF_TEST_STEPS), 0, 1, SELF_TEST_STEPS)
        return ModelView(
            model, language, sizes, None, NGRAM_STATE_BYTES, 1, 1, ngram.rows, UNITS_PER_NAT, own_hash, alphabet
        )
    layers = layers_of(language)
    plan = plan_step(step, language, layers, sizes.short_loops)
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
        self_test_hash=hash_self_test(step, ngram),
        alphabet=alphabet,
    )


def hash_self_test(step: Step, ngram: PackedNgram | None) -> int:
    """What a device's self-test must find for a network, with an n-gram beside it or without."""
    if ngram is None:
        return hash_steps(step, 0, 1, SELF_TEST_STEPS)
    return hash_mixture(step, read_ngram(ngram, SELF_TEST_STEPS), 0, 1, SELF_TEST_STEPS)


def engine_ram_bytes(view: ModelView) -> int:
    """Close estimate of sizeof(tlm_engine_t): moments, spellings, line, suggestions, scratch, words that were passed over."""
    hidden, sizes = view.kept_bytes, view.sizes
    moments = sizes.history * (hidden + view.context_bytes + 2)
    spellings = (sizes.beam if view.model.info.kind == "character" else 1) * (hidden + 5 + MAX_WORD_LETTERS)
    words = sizes.suggestions * (MAX_WORD_LETTERS * view.letter_bytes + 1)
    return moments + spellings + sizes.line_bytes + words + view.scratch_bytes + PASSED_BYTES + 48


def write_c(
    view: ModelView, folder: Path, far_flash: bool, apart: bool = False, far_section: str = ".progmemx.tlm_language"
) -> None:
    """Write tlm_sizes.h, model.c and the language.

    Args:
        far_flash: the language as assembler in `far_section`, for flash that C cannot point into.
        apart: every constant of the model in a part of the flash of its own, and none of them in the code.
    """
    folder.mkdir(parents=True, exist_ok=True)
    language = "language.S" if far_flash else "language.c"
    for name in ("tlm_sizes.h", "model.c", language, *(["constants.c"] if apart else [])):
        write_template(f"{name}.j2", folder / name, {"view": view, "apart": apart, "far_section": far_section})
    write_whole(folder.parent / "language.bin", view.language.content)
