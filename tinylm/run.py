"""A training run: texts in, a model folder out, every stage a file, resumable. Knows the order of its parts.

texts -> vocabulary_counts.tsv -> a split of the budget -> the network (tinylm/network_run.py) -> the n-gram of a mixture
(tinylm/mixture_run.py) -> vocabulary.tsv, model.json, metrics.json; an n-gram alone: tinylm/ngram_run.py
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tinylm.base import Base, carry_ngram, carry_over, joined_counts, open_base, own_weight, rehearsal_words, rehearse
from tinylm.base_ngram import CarriedNgram
from tinylm.baseline import choose_kind, train_baseline
from tinylm.budget import Split, split_budget, usual_proportions
from tinylm.calibration import CALIBRATION_TOKENS
from tinylm.card import write_metrics
from tinylm.choice import Table
from tinylm.corpus import ALPHABETS
from tinylm.errors import TinylmError, nearest
from tinylm.language import build_language
from tinylm.mixture_run import add_ngram
from tinylm.model import Model, ModelInfo, write_model, write_whole
from tinylm.network import initial_weights
from tinylm.network_run import NetworkRun, quantized
from tinylm.ngram_run import train_ngram
from tinylm.preparation import LearnedPart, Source, WeightedText, count_source
from tinylm.progress import Report, byte_counter
from tinylm.teacher import Teacher, open_teacher
from tinylm.training import CHECKPOINT, TrainingPlan
from tinylm.trials import choose_split

WEIGHT_BITS = {"word": 4, "mixture": 4}  # by kind; 8 of any other
REHEARSAL = "rehearsal.txt"
Check = Callable[[Model], None]  # raises TinylmError for a model that would not do


@dataclass(frozen=True)
class RunOptions:
    """Everything that a person chose; `run.json` holds it. `plan` follows from it and from how much text there is."""

    name: str
    kind: str
    language: str
    budget: int
    texts: tuple[tuple[str, float], ...]  # path, weight
    held_out: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # words whose lines are not learned
    epochs: float | None = None  # None: by the amount of text
    plan: TrainingPlan = TrainingPlan()
    weight_bits: int = 8  # 8 or 4, of each weight of a network
    licence: str = "not stated"
    attribution: tuple[str, ...] = ()
    weights_found_on_lines: int = 0  # so many lines of the first text; 0: the weights were given
    base: str = ""  # the model that it starts from: its name and hash
    teacher: str = ""  # the model that it learns from beside the text: its name and hash
    search: bool = False  # choose the split by short trials
    choose_kind: bool = False  # an n-gram that is surely better takes the network's place

    @property
    def words_left_out(self) -> frozenset[str]:
        """As Source wants them."""
        return frozenset(map(str.lower, self.left_out))

    def as_json(self, run: Path) -> dict:
        """What run.json says: paths relative to the run folder, so that it does not matter where a command is given."""
        said = asdict(self) | {"seed": self.plan.seed}
        del said["plan"], said["choose_kind"]
        for name in ("search", "teacher", "left_out"):
            if not said[name]:
                del said[name]
        if self.weight_bits == 8:  # runs of before it could be chosen say nothing
            del said["weight_bits"]
        if not self.weights_found_on_lines:
            del said["weights_found_on_lines"]
        said["texts"] = [[_relative(path, run), weight] for path, weight in self.texts]
        said["held_out"] = [_relative(path, run) for path in self.held_out]
        return json.loads(json.dumps(said))


def _relative(path: str, run: Path) -> str:
    return Path(os.path.relpath(path, run)).as_posix()


def default_plan(kind: str, words: int, epochs: float | None, seed: int) -> TrainingPlan:
    """Batch, steps and epochs that suit the amount of text: a small text is read more often in smaller batches."""
    if kind == "character":
        batch, steps = (64, 64) if words > 200_000 else (16, 48)
    else:
        batch, steps = (128, 24) if words > 200_000 else (16, 16) if words > 2_000 else (4, 8)
    # About 20 million tokens are read, at most 30 times the text and at least 3 times.
    usual = float(np.clip(20_000_000 / max(words, 1), 3.0, 30.0))
    return TrainingPlan(epochs=epochs or usual, batch=batch, steps=steps, seed=seed)


def fine_tuning_plan(epochs: float | None, seed: int) -> TrainingPlan:
    """Two short, slow passes: the network knows the language already."""
    return TrainingPlan(epochs=epochs or 2.0, batch=32, steps=24, learning_rate=1e-3, seed=seed)


def alphabet_of(language: str) -> str:
    """The letters of a language. Raises TinylmError where they are not known: a guess would cut its words apart."""
    if language not in ALPHABETS:
        raise TinylmError(f"The letters of the language '{language}' are not known.", nearest(language, ALPHABETS))
    return ALPHABETS[language]


def open_run(run: Path, options: RunOptions) -> bool:
    """Make the run folder or reopen it; returns whether it is new.

    Raises TinylmError when it belongs to other options.
    """
    fresh = not run.exists()
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TinylmError(
            f"The folder '{run}' cannot be made: {error.strerror}.", "Give another with --output."
        ) from error
    wanted = options.as_json(run)
    path = run / "run.json"
    if path.is_file():
        there = _read_options(path)
        both = [(k, there.get(k), wanted.get(k)) for k in wanted | there]
        changed = [f"{k} was {was!r}, now {now!r}" for k, was, now in both if was != now]
        if changed:
            raise TinylmError(
                f"The folder '{run}' holds a run with other options: {'; '.join(changed)}.",
                "Give another folder with --output, or start afresh there with --restart.",
            )
    elif any(run.iterdir()):
        raise TinylmError(f"The folder '{run}' is not empty and holds no run.", "Give another folder with --output.")
    write_whole(path, (json.dumps(wanted, indent=2, ensure_ascii=False) + "\n").encode())
    return fresh


def _read_options(path: Path) -> dict:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise TinylmError(f"'{path}' is damaged: {error}.", "Start afresh there with --restart.") from error


def train_model(
    options: RunOptions,
    run: Path,
    report: Report,
    base: Model | None = None,
    check: Check | None = None,
    teacher: Model | None = None,
) -> Model:
    """Open `run` and go the whole way, from the last checkpoint where there is one; returns the model that it then holds.

    `base`: fine-tune this word model or mixture. `teacher`: learn from it beside the text. `check` is asked before a network is
    trained (an n-gram fits its budget). A text that is refused leaves no new run folder behind.
    """
    made_parent = not run.parent.exists()
    start = open_base(base) if base else None
    teaching = open_teacher(teacher, options.kind, options.language) if teacher else None
    fresh = open_run(run, options)
    try:
        return _go_all_stages(options, run, report, start, check, teaching)
    except (TinylmError, OSError):  # a refused text, a full disk
        if fresh and not any(run.rglob(CHECKPOINT)):  # a draft's, too
            shutil.rmtree(run, ignore_errors=True)
            if made_parent:
                with contextlib.suppress(OSError):
                    run.parent.rmdir()
        raise


def _go_all_stages(
    options: RunOptions, run: Path, report: Report, base: Base | None, check: Check | None, teacher: Teacher | None
) -> Model:
    source = Source(
        tuple(WeightedText(Path(p), w) for p, w in options.texts),
        alphabet_of(options.language),
        tuple(Path(p) for p in options.held_out),
        options.words_left_out,
    )
    counted = count_source(source, run, byte_counter("reading", source.file_bytes, report))
    counts, chosen, capitals = counted.counts, counted.weighted, counted.capitals
    for name in counted.names:
        report("names", 1, 1, name.describe(source.texts[name.text].path.name))
    for word in options.left_out:
        if word.lower() in counted.never_there:  # it may be the base's all the same, which says it in the rehearsal
            report("left out", 1, 1, f"no line of the text has {word}")
    if options.kind == "ngram":
        reading = byte_counter("encoding", source.file_bytes, report)
        model, made = train_ngram(source, _info(options), options.budget, report, reading, capitals)
        write_model(run, model)
        _write_metrics(run, options, made, counts, model)
        return model
    carried = None
    if base:
        source, chosen, carried = _rehearse(base, source, counts, options, run, report)
        capitals = base.capitals | capitals
    split, trials = _split(options, source, chosen, capitals, base, check, report)
    report("split", 1, 1, _describe(split))
    start = carry_over(base, split.vocabulary, chosen, split.shape) if base else None
    network = NetworkRun(_info(options), options.plan, split, source, run, report)
    trained = network.train(start, teacher)
    model = network.quantized(trained)
    made = _made_of(split, trained.epochs, base, teacher)
    if options.kind == "mixture":
        model, ngram = add_ngram(model, network.numbered, options.budget, report, carried)
        made |= ngram
    write_model(run, model)
    if trials:
        made["trials"] = trials.as_json()
    _write_metrics(run, options, made, counts, model)
    ended = (
        "" if trained.epochs == options.plan.epochs else f" after {trained.epochs:.1f} passes: the held-out loss rose"
    )
    report("training", 1, 1, f"done{ended}")
    size = len(build_language(model).content)
    reading = byte_counter("counting", source.file_bytes, report)
    ngram = train_baseline(LearnedPart(source), _info(options), size, run, report, reading, capitals)
    if not (ngram and network.held) or base:
        return model
    may_replace = options.choose_kind and _would_do(ngram, check)
    return choose_kind(run, model, ngram, split, network.held, may_replace, report)


def _would_do(model: Model, check: Check | None) -> bool:
    """Whether `check` takes a model: an n-gram's reader may be larger than the network's code, its bytes the same."""
    try:
        if check:
            check(model)
    except TinylmError:
        return False
    return True


def _split(
    options: RunOptions,
    source: Source,
    counts: Counter[str],
    capitals: Mapping[str, int],
    base: Base | None,
    check: Check | None,
    report: Report,
) -> tuple[Split, Table | None]:
    """The split by its rule, or with a search the best of a few, in their table."""

    def made(split: Split, weights: dict[str, np.ndarray], held: list[list[int]]) -> Model:
        return quantized(_info(options), split, weights, held)

    bits = options.weight_bits
    like = base and replace(base.shape, weight_bits=bits)
    usual, is_free = usual_proportions(options.budget, bits), options.kind == "word" and not base
    smaller = range(usual.hidden - 8, 15, -8) if check and is_free else ()
    for hidden in (usual.hidden, *smaller):  # a board may lack the RAM for the rule's state
        shared = replace(usual, hidden=hidden)
        split = split_budget(options.kind, counts, source.alphabet, options.budget, bits, like, capitals, shared)
        refusal = _refusal_of(split, made, options, check)
        if refusal is None:
            break
    else:
        raise refusal
    if not options.search:
        return split, None

    def would_do(other: Split) -> bool:
        return _refusal_of(other, made, options, check) is None

    return choose_split(source, counts, capitals, options.budget, shared, options.plan, made, would_do, report)


def _refusal_of(
    split: Split, made: Callable[..., Model], options: RunOptions, check: Check | None
) -> TinylmError | None:
    """Why a model of that split would not do, found with one that is not trained; None without a `check`."""
    if check is None:
        return None
    chance = np.full(split.shape.rows, -math.log(split.shape.rows), np.float32)
    untrained = made(split, initial_weights(split.shape, options.plan.seed, chance), [[1] * CALIBRATION_TOKENS])
    network = "character" if options.kind == "character" else "word"  # a mixture's n-gram is not there yet
    try:
        check(replace(untrained, info=replace(untrained.info, kind=network)))
    except TinylmError as error:
        return error
    return None


def _made_of(split: Split, epochs: float, base: Base | None, teacher: Teacher | None) -> dict:
    """What metrics.json says of the network and the words."""
    shape = split.shape
    made = {"lexicon_bytes": split.lexicon_bytes, "lexicon_words": len(split.vocabulary.words), "rows": shape.rows}
    made |= {"hidden": shape.hidden, "embedding": shape.embedding, "weight_bits": shape.weight_bits}
    made["epochs"] = round(epochs, 2)
    made |= {"taught_by": teacher.credit} if teacher else {}
    return made | ({"fine_tuned_from": base.name} if base else {})


def _rehearse(
    base: Base, source: Source, counts: Counter[str], options: RunOptions, run: Path, report: Report
) -> tuple[Source, Counter[str], CarriedNgram | None]:
    """Writes `rehearsal.txt`; the texts with it beside them, the counts that choose the vocabulary, and a mixture's n-gram."""
    own, words = counts.total(), rehearsal_words(counts.total())
    rehearsal = rehearse(
        base, words, options.plan.seed, lambda done: report("rehearsing", done, words, f"what {base.name} knows")
    )
    write_whole(run / REHEARSAL, "".join(" ".join(line) + "\n" for line in rehearsal.lines).encode())
    weight = own_weight(own, words)
    texts = tuple(replace(text, weight=text.weight * weight) for text in source.texts)
    source = replace(source, texts=(*texts, WeightedText(run / REHEARSAL)))
    return source, joined_counts(rehearsal, counts), carry_ngram(base, rehearsal, weight)


def _describe(split: Split) -> str:
    s = split.shape
    if s.kind == "character":
        return f"character network, H {s.hidden}: {split.language_bytes:,} language bytes"
    ngram = f"; {split.ngram_bytes:,} bytes for the n-gram" if split.ngram_bytes else ""
    return (
        f"{s.rows:,} rows, embedding {s.embedding}, H {s.hidden}, {s.weight_bits} bits a weight: {split.network_bytes:,} bytes; "
        f"{len(split.vocabulary.words):,} words in the lexicon: {split.lexicon_bytes:,} bytes{ngram}"
    )


def _info(options: RunOptions) -> ModelInfo:
    """model.json but for the levels."""
    return ModelInfo(
        name=options.name,
        kind=options.kind,
        language=options.language,
        licence=options.licence,
        alphabet=alphabet_of(options.language),
        attribution=options.attribution,
    )


def _write_metrics(run: Path, options: RunOptions, made: dict, counts: Counter[str], model: Model) -> None:
    """`made`: what of the metrics only the stage that made the model knows."""
    metrics = {
        "language_bytes": len(build_language(model).content),
        **made,
        "text_words": counts.total(),
        "text_distinct_words": len(counts),
        "texts": [Path(p).name if w == 1 else f"{Path(p).name} (weight {w:g})" for p, w in options.texts],
    }
    if options.weights_found_on_lines:
        metrics["weights_found_on_lines"] = options.weights_found_on_lines
    if options.left_out:
        metrics["lines_left_out"] = f"those with {', '.join(options.left_out)}"
    write_metrics(run, model.info, metrics)
