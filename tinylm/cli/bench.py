"""`tinylm bench`."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from pathlib import Path

import click

from tinylm.cli.console import progress_bars, show_json, show_table
from tinylm.errors import TinylmError

TFLM_BOARD = "qemu-cortex-m4"  # when none is named: TensorFlow Lite Micro takes minutes to compile for one


@click.command("bench", context_settings={"show_default": True})
@click.option("--board", "-b", "boards", multiple=True, help="Only this board; may be given more than once.")
@click.option(
    "--model",
    "-m",
    "models",
    multiple=True,
    help="Model name or folder, or a step graph (FILE.tflite); may be given more than once.  [default: as for build]",
)
@click.option("--toolchain", "toolchains", multiple=True, type=click.Choice(["gcc", "zig"]), help="As for build.")
@click.option("--profile", is_flag=True, help="Show the share of each C function, where the emulator tells.")
@click.option(
    "--tflm-root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A tree of TensorFlow Lite Micro's sources: measure its interpreter too, on a Cortex-M board.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the measurements as JSON.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write them there as JSON.")
def command(
    boards: tuple[str, ...],
    models: tuple[str, ...],
    toolchains: tuple[str, ...],
    profile: bool,
    tflm_root: Path | None,
    as_json: bool,
    output: Path | None,
) -> None:
    """Count what a model costs each emulated board: a step, a word, a keystroke; and where flash and RAM go.

    Instructions, cycles on AVR: the same in every run, on any computer. They are not time: see benchmarks/runtime.md.
    """
    from tinylm.board import load_board
    from tinylm.model import write_whole

    default = [TFLM_BOARD] if tflm_root else _countable()
    asked = [(model, load_board(board), tools) for model, board, tools in
             itertools.product(models or (None,), boards or default, toolchains or (None,))]  # fmt: skip
    made, refused = _measure(asked, tflm_root)
    record = {"measured": [asdict(m) for m in made], "left_out": refused}
    if output and made:
        write_whole(output, (json.dumps(record, indent=1) + "\n").encode())
    if as_json:
        show_json(record)
    elif made:
        _show(made, profile)
    for one in refused:
        click.echo(f"Left out: {one['board']}, {one['model']}: {one['reason']}", err=True)
    if not made:
        raise TinylmError("Nothing was measured.", refused[0]["hint"] if refused else "Name a board: tinylm boards")


def _countable() -> list[str]:
    """The boards that an emulator counts which is installed."""
    from tinylm.board import board_names, load_board
    from tinylm.counting import choose_counter

    found = []
    for name in board_names():
        try:
            choose_counter(load_board(name))
        except TinylmError:
            continue
        found.append(name)
    return found


def _measure(asked: list[tuple], tflm_root: Path | None) -> tuple[list, list[dict]]:
    from tinylm.bench import GENERATED, choose_subject, measure, measure_interpreted

    made, refused = [], []
    with progress_bars() as report:
        runs = _runs(asked, tflm_root)
        for number, ((name, board, toolchain), kernels) in enumerate(runs):
            runtime = f"tflm, {kernels}" if kernels else GENERATED
            report("bench", number, len(runs), f"{board.name}, {name or 'what fits'}, {runtime}")
            try:
                model = choose_subject(name, board)
                if kernels:
                    made.append(measure_interpreted(model, board, tflm_root, kernels, report))
                else:
                    made.append(measure(model, board, toolchain))
            except TinylmError as error:
                refused.append({"board": board.name, "model": name or "", "runtime": runtime,
                                "toolchain": toolchain or "", "reason": error.message, "hint": error.hint})  # fmt: skip
        report("bench", 1, 1, "")
    return made, refused


def _runs(asked: list[tuple], tflm_root: Path | None) -> list[tuple]:
    """What is asked for in generated C, and once, whatever compilers are asked for, in TensorFlow Lite Micro with the kernels
    that a tree has."""
    from tinylm.tflm_project import KERNELS, has_kernels

    kernels = [k for k in KERNELS if tflm_root and has_kernels(tflm_root, k)]
    interpreted = dict.fromkeys((name, board, None) for name, board, _ in asked)
    return [(one, "") for one in asked] + list(itertools.product(interpreted, kernels))


def _show(made: list, profile: bool) -> None:
    from tinylm.bench import GENERATED, PARTS

    own = [m for m in made if m.runtime == GENERATED]
    head = ["model", "board", "compiler", "a step", "a MAC", "a word", "a keystroke", "of a step", "counted in"]
    show_table("What it costs", head, [_cost_row(m) for m in own], right=(3, 4, 5, 6, 7))
    click.echo("A step: the network and all its rows. A word: the space after it, and the next suggestions.")
    click.echo("A keystroke: a letter of a word and its suggestions, the mean of the first three.\n")
    head = ["model", "board", "compiler", *PARTS, "all flash", "RAM: engine", "link", "rest", "stack"]
    show_table("Bytes of flash, and of RAM", head, [_byte_row(m) for m in own], right=tuple(range(3, len(head))))
    if beside := _versus(made, own):
        head = [
            "model",
            "board",
            "runtime",
            "a step",
            "a MAC",
            "times",
            "model flash",
            "runtime flash",
            "times",
            "RAM",
            "times",
        ]
        click.echo()
        show_table("Beside TensorFlow Lite Micro: the same graph, a whole step", head, beside,
                   right=tuple(range(3, len(head))))  # fmt: skip
    for measurement in made if profile else ():
        total = sum(measurement.profile.values()) or 1
        click.echo(f"\n{measurement.model} on {measurement.board}, {measurement.runtime}:")
        for function, share in list(measurement.profile.items())[:12]:
            click.echo(f"  {100 * share / total:5.1f} %  {function}")


def _versus(made: list, own: list) -> list[list[str]]:
    """Each runtime, and its cost, code and RAM as multiples of the generated C's; nothing where no two are there."""
    ours = {(m.model, m.board): m for m in own}
    rows = []
    for m in made if len(own) < len(made) else ():
        base = ours.get((m.model, m.board))
        if base is None:  # refused, and told so
            continue
        code, base_code = m.flash_bytes.parts["runtime"], base.flash_bytes.parts["runtime"]
        rows.append([m.model, m.board, m.runtime, f"{m.cost['step']:,}", f"{m.per_mac:.2f}",
                     f"{m.cost['step'] / base.cost['step']:.2f}", _bytes(m.flash_bytes.parts["model"]), _bytes(code),
                     f"{code / base_code:.1f}", _bytes(m.network_ram_bytes),
                     f"{m.network_ram_bytes / base.network_ram_bytes:.1f}"])  # fmt: skip
    return rows


def _cost_row(m: object) -> list[str]:
    shown = [f"{m.cost[name]:,}" if name in m.cost else "" for name in ("word", "keystroke")]
    share = f"{100 * m.cost['keystroke'] / m.cost['step']:.0f} %" if m.macs and "keystroke" in m.cost else ""
    per_mac = f"{m.per_mac:.2f}" if m.macs else ""
    where = f"{m.unit}, {m.emulator}"
    return [m.model, m.board, m.toolchain, f"{m.cost['step']:,}", per_mac, *shown, share, where]


def _byte_row(m: object) -> list[str]:
    from tinylm.bench import PARTS

    flash, ram = m.flash_bytes, m.ram_bytes
    cells = [ram.parts.get(part) for part in ("engine", "link", "rest")]
    return [m.model, m.board, m.toolchain, *(_bytes(flash.parts.get(part)) for part in PARTS), f"{flash.all:,}",
            *map(_bytes, cells), f"{m.stack_bytes:,}"]  # fmt: skip


def _bytes(count: int | None) -> str:
    return "" if count is None else f"{count:,}"
