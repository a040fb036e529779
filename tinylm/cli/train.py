"""`tinylm train`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinylm.cli.console import progress_bars, show_json, show_table
from tinylm.errors import TinylmError
from tinylm.project import Project, find_project

if TYPE_CHECKING:
    from tinylm.model import Model
    from tinylm.run import RunOptions


@click.command("train", context_settings={"show_default": True})
@click.argument("text", nargs=-1, type=click.Path(path_type=str))
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Run folder.  [default: runs/NAME]")
@click.option("--name", help="The model's name.  [default: the project's, or the first text's]")
@click.option(
    "--kind",
    type=click.Choice(["word", "character", "ngram", "mixture"]),
    help="What predicts.  [default: word, or ngram if surely better]",
)
@click.option("--language", help="en, de, fr, or shell for command lines: the letters that make words.  [default: en]")
@click.option(
    "--budget", help="Bytes of flash for all of the language (network and words): 24K, 256K, 1M.  [default: 256K]"
)
@click.option(
    "--weight-bits",
    type=click.Choice(["4", "8"]),
    help="Of each weight: 4, with twice as many of them, or 8.  [default: 4; 8 of a character network]",
)
@click.option("--board", "-b", help="In place of --budget: what this board's flash holds beside the firmware.")
@click.option("--search", is_flag=True, help="Choose the split of the budget by short trials (minutes).")
@click.option(
    "--from", "base", help="Fine-tune this word model or mixture (a shipped one's name, or a model folder) to TEXT."
)
@click.option("--teacher", help="Learn from this larger model too (a shipped one's name, or a model folder).")
@click.option(
    "--epochs",
    type=click.FloatRange(0.01, 1000),
    help="Passes over the text at most: fewer where lines kept out of it fare worse.  [default: 3 to 30, by its size]",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=1, help="Same seed, same text: same bytes, on a CPU."
)
@click.option(
    "--held-out", multiple=True, type=click.Path(path_type=str), help="Texts whose lines must not be learned."
)
@click.option(
    "--leave-out",
    multiple=True,
    metavar="WORD",
    help="Lines with this word are not learned, as a name that a text has too often.",
)
@click.option("--licence", default="not stated", help="Licence of the model, for its card.")
@click.option("--attribution", multiple=True, help="A line of credit for the card; may be repeated.")
@click.option("--restart", is_flag=True, help="Throw away what the run folder holds.")
@click.option("--json", "as_json", is_flag=True, help="Print the metrics as JSON.")
def command(
    text: tuple[str, ...],
    output: Path | None,
    name: str | None,
    kind: str | None,
    language: str | None,
    budget: str | None,
    board: str | None,
    search: bool,
    base: str | None,
    teacher: str | None,
    epochs: float | None,
    restart: bool,
    as_json: bool,
    **rest: object,
) -> None:
    """Train a model on TEXT: UTF-8 files or folders of .txt files, a sentence or message a line.

    Name your own text first. Of several, each gets the weight that suits every tenth line of the first one: your few
    messages then count for more than their size beside a large text. TEXT:WEIGHT (messages.txt:5) says it yourself;
    texts without a weight beside it then have 1. Without TEXT, the project's own (tinylm.toml) is taken. A run that was
    stopped goes on where it was when the same command is given again.

    A word network predicts words of its vocabulary and is better from 24 KB on; a character network spells, so it can
    write words that it never saw; an n-gram counts word pairs and triples, in a minute and without Keras; a mixture is a word
    network and an n-gram side by side, for budgets of some hundred KB and more. Every fiftieth line is not learned: the
    network and an n-gram of its bytes type these, and a table shows what they saved. Without --kind the n-gram takes the
    network's place where it is surely better.

    The budget is split between rows, state and lexicon by a rule. With --search a few splits learn from a part of your
    text for some minutes, and the one that saves most is trained.
    Lines with a masked name ([NAME]) are left out, and lines seen before. A name that one text has too often would be suggested
    everywhere: --leave-out Tom reads past its lines.

    With --from en-256k a model that knows English learns your text too, in minutes: its words, and how you put them. A mixture
    stays one: its n-gram keeps what is worth its bytes beside your pairs of words.

    With --teacher en-1m a new word network, or that of a mixture, learns what the larger model expects after each word of
    your text beside what comes there. The larger one reads the text once, before training; the new one is under its licence.
    """
    from tinylm.catalogue import find_folder
    from tinylm.model import load_model
    from tinylm.run import train_model
    from tinylm.training import choose_backend

    project = find_project() or Project(name="")
    named = [_weighted(t) for t in text] or [_weighted(str(project.folder / t)) for t in project.text]
    options = _options(
        named, project, name, kind, language, _budget(budget, board, project, kind or project.kind), epochs, rest
    )
    if search and (base or options.kind != "word" or rest["weight_bits"]):
        raise click.UsageError(
            f"--search splits the budget of a new word network, and its weights of 4 or 8 bits; the kind here is '{options.kind}'. "
            "Leave --from, --kind and --weight-bits out."
        )
    options = replace(options, search=search)
    if base and teacher:
        raise click.UsageError("--from and --teacher exclude each other: what was taught can be fine-tuned.")
    start = load_model(find_folder(base)) if base else None
    larger = load_model(find_folder(teacher)) if teacher else None
    if larger:
        options = _taught(options, larger)
    if start:
        given = {"kind": kind, "language": language, "weight_bits": rest["weight_bits"]}
        options = _fine_tuning(options, start, budget or board or project.budget, given)
    run = output or (project.run_folder if project.name and not name else Path("runs") / options.name)
    if len(named) > 1 and all(weight is None for _, weight in named):
        options = _with_found_weights(options, [given for given, _ in named], as_json)
    if restart and (run / "run.json").is_file():
        shutil.rmtree(run)
    if options.kind != "ngram":
        choose_backend()
    with progress_bars() as report:
        try:
            train_model(options, run, report, start, _fitting(board), larger)
        except KeyboardInterrupt:
            raise TinylmError(
                "Stopped.", f"Give the same command again: '{run}' goes on from its last checkpoint."
            ) from None
    _show(run, as_json)


def _budget(budget: str | None, board: str | None, project: Project, kind: str | None) -> int:
    """Language bytes: those given, or what a board holds. Raises TinylmError where a board sets no limit, or too low a one."""
    from tinylm.board import load_board
    from tinylm.budget import LARGEST_BUDGET, SMALLEST_BUDGET, parse_bytes
    from tinylm.memory import largest_language_bytes
    from tinylm.model import WITH_NGRAM

    if board is None:
        return parse_bytes(budget or project.budget or "256K")
    if budget:
        raise click.UsageError("--budget and --board exclude each other.")
    most = largest_language_bytes(load_board(board), kind in WITH_NGRAM)
    if most is None:
        raise TinylmError(f"The board '{board}' sets no limit.", "Say it yourself: --budget 256K.")
    if most < SMALLEST_BUDGET:
        raise TinylmError(
            f"The board '{board}' has room for {most:,} bytes beside the firmware.", "See `tinylm boards`."
        )
    return min(most, LARGEST_BUDGET)


def _fitting(board: str | None) -> Callable[[Model], None] | None:
    """A function that raises TinylmError for a model that does not fit on the board."""
    if board is None:
        return None
    from tinylm.board import load_board
    from tinylm.building import plan_build

    loaded = load_board(board)

    def check(model: Model) -> None:
        plan_build(model, loaded)

    return check


def _options(named: list[tuple[str, float | None]], project: Project, name: str | None, kind: str | None,
             language: str | None, budget: int, epochs: float | None, rest: dict) -> RunOptions:  # fmt: skip
    from tinylm.corpus import find_texts
    from tinylm.model import NAME, NAME_RULE
    from tinylm.run import WEIGHT_BITS, RunOptions, default_plan

    if not named:
        raise click.UsageError("No text was given: tinylm train TEXT [TEXT...], or text = [...] in tinylm.toml.")
    texts = tuple((str(path), weight or 1.0) for given, weight in named for path in find_texts([Path(given)]))
    words = sum(Path(p).stat().st_size for p, _ in texts) // 6  # About six bytes a word.
    chosen = kind or project.kind or "word"
    called = name or project.name or Path(named[0][0]).resolve().stem
    if not NAME.fullmatch(called):
        raise TinylmError(f"'{called}' is no name for a model; {NAME_RULE}.", "Give another with --name.")
    return RunOptions(
        name=called,
        kind=chosen,
        language=language or project.language,
        budget=budget,
        texts=texts,
        held_out=rest["held_out"] or tuple(str(project.folder / t) for t in project.held_out),
        left_out=_left_out(rest["leave_out"], language or project.language),
        epochs=epochs,
        weight_bits=int(rest["weight_bits"] or WEIGHT_BITS.get(chosen, 8)),
        plan=default_plan(chosen, words, epochs, rest["seed"]),
        licence=rest["licence"],
        attribution=rest["attribution"],
        choose_kind=not (kind or project.kind),
    )


def _left_out(given: tuple[str, ...], language: str) -> tuple[str, ...]:
    """The words whose lines are left out, as they were given. Raises TinylmError for what is no word."""
    from tinylm.corpus import normalise
    from tinylm.run import alphabet_of

    for word in given:
        if normalise(word, alphabet_of(language)) != [word.lower()] or "'" in word:
            raise TinylmError(
                f"--leave-out takes a word without an apostrophe (its 's goes with it); '{word}' is none.",
                "Give the option once for each word: --leave-out Tom --leave-out Mary.",
            )
    return given


def _with_found_weights(options: RunOptions, named: list[str], as_json: bool) -> RunOptions:
    """The options with a weight for each of `named`, found on the first one; shows them."""
    from tinylm.corpus import find_texts
    from tinylm.progress import byte_counter
    from tinylm.run import alphabet_of
    from tinylm.weighting import find_weights

    texts = [find_texts([Path(given)]) for given in named]
    total = sum(path.stat().st_size for paths in texts for path in paths)
    with progress_bars() as report:
        held_out = [Path(path) for path in options.held_out]
        reading = byte_counter("weighing", total, report)
        found = find_weights(texts, alphabet_of(options.language), held_out, reading, options.words_left_out)
    if not as_json:
        how = f"found on {found.lines:,} lines of {named[0]}"
        rows = [[given, f"{words:,}", f"{w:g}", how] for given, words, w in zip(named, found.words, found.weights)]
        show_table("", ["text", "words", "weight", "how"], rows, right=(1, 2))
    weighted = tuple((str(path), weight) for paths, weight in zip(texts, found.weights) for path in paths)
    return replace(options, texts=weighted, weights_found_on_lines=found.lines)


def _fine_tuning(options: RunOptions, base: Model, budget: str, given: dict[str, str | None]) -> RunOptions:
    """The options of a run that starts from `base`: its language, sizes, licence and credits where none are `given`.

    Raises TinylmError when --kind or --language say otherwise.
    """
    from tinylm.base import open_base
    from tinylm.language import build_language
    from tinylm.run import fine_tuning_plan

    for option, value, base_value in (
        ("kind", options.kind, base.info.kind),
        ("language", options.language, base.info.language),
    ):
        if given[option] and value != base_value:
            raise TinylmError(
                f"'{base.info.name}' is of the {option} '{base_value}', not '{value}'.", f"Leave --{option} out."
            )
    return replace(
        options,
        kind=base.info.kind,
        language=base.info.language,
        budget=options.budget if budget else len(build_language(base).content),
        weight_bits=options.weight_bits if given["weight_bits"] else open_base(base).shape.weight_bits,
        plan=fine_tuning_plan(options.epochs, options.plan.seed),
        licence=base.info.licence if options.licence == "not stated" else options.licence,
        attribution=(*base.info.attribution, *options.attribution),
        base=f"{base.info.name} {base.hash:08x}",
    )


def _taught(options: RunOptions, teacher: Model) -> RunOptions:
    """The options of a run that learns from `teacher` too: its licence where none is given, and its credits."""
    from tinylm.teacher import licence_of_student, name_of

    new = tuple(credit for credit in teacher.info.attribution if credit not in options.attribution)
    return replace(
        options,
        teacher=name_of(teacher),
        licence=licence_of_student(teacher, options.licence),
        attribution=(*options.attribution, *new),
    )


def _weighted(text: str) -> tuple[str, float | None]:
    """'file.txt:2.5' -> ('file.txt', 2.5); None where no weight is given."""
    path, colon, weight = text.rpartition(":")
    if colon and path and re.fullmatch(r"[0-9]+(\.[0-9]+)?", weight):
        if not 0.01 <= float(weight) <= 1000:
            raise TinylmError(f"The weight of '{path}' is {weight}; 0.01 to 1000 are allowed.")
        return path, float(weight)
    return text, None


def _show(run: Path, as_json: bool) -> None:
    import json

    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    if as_json:
        show_json({"run": str(run), **metrics})
        return
    _show_choices(metrics)
    click.echo(f"'{run}' holds the model: {metrics['language_bytes']:,} language bytes.")
    click.echo(f"Next: tinylm evaluate --model {run} TEXT, or tinylm build --model {run} --board NAME")


def _show_choices(metrics: dict) -> None:
    """What was chosen from what: the trials of a search, then network and n-gram."""
    columns = ["", "words", "rows", "row", "state", "language bytes", "KSS@3 %", "more than the first, 95 %"]
    titles = {
        "trials": "Splits of the budget, each after a short trial",
        "kinds": f"On {metrics.get('judges', 0):,} lines that were not learned",
    }
    for key, title in titles.items():
        rows = [
            [f"{row['what']}{' (chosen)' if row['chosen'] else ''}", f"{row['words']:,}",
             *(f"{row[name]:,}" if row[name] else "" for name in ("rows", "embedding", "hidden")),
             f"{row['language_bytes']:,}", f"{row['kss']:.2f}", f"{row['interval'][0]:+.2f}..{row['interval'][1]:+.2f}"]
            for row in metrics.get(key, [])
        ]  # fmt: skip
        if rows:
            show_table(title, columns, rows, right=tuple(range(1, len(columns))))
            click.echo()
