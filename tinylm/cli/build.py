"""`tinylm build`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tinylm.cli.console import progress_bars, show_json, show_table
from tinylm.project import FRAMEWORKS, Project, find_project


@click.command("build", context_settings={"show_default": True})
@click.option("--board", "-b", help="Which board; `tinylm boards` lists them.  [default: the project's]")
@click.option(
    "--model",
    "-m",
    help="Model name or folder.  [default: the project's own, else the largest shipped that fits, up to 256 KB]",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Build folder.  [default: build/BOARD]")
@click.option(
    "--toolchain", type=click.Choice(["gcc", "zig"]), help="Which compiler.  [default: gcc where found, else zig]"
)
@click.option(
    "--runtime",
    type=click.Choice(["generated", "tflm"]),
    default="generated",
    help="What runs the network: generated C, or TensorFlow Lite Micro (a Makefile project for your tree of it).",
)
@click.option(
    "--tflm-root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With --runtime tflm: a tree of TensorFlow Lite Micro's sources, to build with here.",
)
@click.option(
    "--kernels",
    type=click.Choice(["reference", "cmsis_nn"]),
    help="With --tflm-root: which of its kernels.  [default: reference]",
)
@click.option(
    "--framework",
    type=click.Choice(FRAMEWORKS),
    help="arduino: a library and sketches for Arduino, not compiled here.  [default: the project's, else native]",
)
@click.option("--json", "as_json", is_flag=True, help="Print build.json.")
def command(
    board: str | None,
    model: str | None,
    output: Path | None,
    toolchain: str | None,
    runtime: str,
    tflm_root: Path | None,
    kernels: str | None,
    framework: str | None,
    as_json: bool,
) -> None:
    """Build a board's firmware: generated C, firmware, image, and what memory it takes.

    In a project folder `tinylm build` alone is enough.
    """
    from tinylm.arduino import arduino_board, build_arduino
    from tinylm.board import load_board
    from tinylm.building import build, shipped_fits
    from tinylm.catalogue import choose_model
    from tinylm.tflm_project import build_interpreted

    project = find_project() or Project(name="")
    name = board or (project.board if project.name else "")
    if not name:
        raise click.UsageError("Which board? Give --board NAME; `tinylm boards` lists them.")
    arduino = (framework or project.framework) == "arduino"
    _refuse_mixed(arduino, runtime, toolchain, tflm_root, kernels)
    chosen = arduino_board(load_board(name)) if arduino else load_board(name)
    taken = choose_model(model, lambda entry: shipped_fits(entry, chosen))
    folder = output or project.build_folder / chosen.name
    with progress_bars() as report:
        if arduino:
            made = build_arduino(taken, chosen, folder, report)
        elif runtime == "tflm":
            made = build_interpreted(taken, chosen, folder, tflm_root, kernels or "reference", report)
        else:
            made = build(taken, chosen, folder, toolchain, report)
    if as_json:
        show_json({"folder": str(folder), **asdict(made)})
        return
    if arduino:
        click.echo(f"Wrote an Arduino library with {made.model} for {name} into {folder}; it was not compiled here.")
        click.echo(f"Next: arduino-cli compile {folder}/TinyLM/examples/Typing  (more: {folder}/README.md)")
        return
    if not made.elf:
        click.echo(f"Wrote a project of {made.model} for {name} into {folder}; it was not compiled here.")
        click.echo(f"Next: make -C {folder} TFLM_ROOT=DIR  (DIR: a tree of TensorFlow Lite Micro's sources)")
        return
    _show(made, folder)
    click.echo(f"Next: tinylm type --board {name}" + (f" --build {folder}" if output else ""))


def _refuse_mixed(
    arduino: bool, runtime: str, toolchain: str | None, tflm_root: Path | None, kernels: str | None
) -> None:
    """Options that would do nothing beside each other. Raises click.UsageError."""
    interpreted = runtime == "tflm"
    for refused, what in (
        (arduino and interpreted, "--runtime tflm is for --framework native; leave one of them out."),
        (tflm_root and not interpreted, f"--tflm-root {tflm_root} is for --runtime tflm; add that."),
        (kernels and not tflm_root, f"--kernels {kernels} is for --runtime tflm --tflm-root DIR; add those."),
        (
            toolchain and arduino,
            f"--toolchain {toolchain} does nothing for Arduino, which compiles by itself; leave it out.",
        ),
        (toolchain and interpreted, f"--toolchain {toolchain} is for --runtime generated; leave it out."),
    ):
        if refused:
            raise click.UsageError(what)


def _show(made: object, folder: Path) -> None:
    measured, predicted = made.measured, made.predicted
    if measured:
        rows = [[u.name, f"{u.flash_bytes:,}", f"{u.ram_bytes:,}"] for u in measured.groups]
        rows.append(["stack", "", f"{measured.stack_bytes:,}"])
        rows.append(["in all", f"{measured.flash_bytes:,}", f"{measured.ram_bytes:,}"])
        if predicted:
            rows.append(["predicted", f"{predicted.flash_bytes:,}", f"{predicted.ram_bytes:,}"])
        limits = measured.flash_limit_bytes, measured.ram_limit_bytes
        rows.append([f"{made.board} has", f"{limits[0]:,}", f"{limits[1]:,}"])
        show_table(f"{made.model} on {made.board} (bytes)", ["part", "flash", "RAM"], rows, right=(1, 2))
    images = ", ".join(str(folder / name) for name in made.images.values()) or str(folder / made.elf)
    click.echo(f"Built {images} with {made.toolchain}.")
