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
    help="What runs the network: generated C, or TensorFlow Lite Micro (a Makefile project for your tree of it, or with "
    "--framework for the one that it brings).",
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
    help="For your own tools: a library and sketches for Arduino, a project for ESP-IDF or PlatformIO; not compiled here.  "
    "[default: the project's, else native]",
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
    from tinylm.board import load_board
    from tinylm.building import build, shipped_fits
    from tinylm.catalogue import choose_model
    from tinylm.frameworks import BY_NAME, build_project, framework_board
    from tinylm.tflm_project import build_interpreted

    project = find_project() or Project(name="")
    name = board or (project.board if project.name else "")
    if not name:
        raise click.UsageError("Which board? Give --board NAME; `tinylm boards` lists them.")
    kind, interpreted = framework or project.framework, runtime == "tflm"
    _refuse_mixed(kind, interpreted, toolchain, tflm_root, kernels)
    foreign = BY_NAME.get(kind)
    chosen = framework_board(kind, load_board(name), interpreted) if foreign else load_board(name)
    taken = choose_model(model, lambda entry: shipped_fits(entry, chosen))
    folder = output or project.build_folder / chosen.name
    with progress_bars() as report:
        if foreign:
            made = build_project(kind, taken, chosen, interpreted, folder, report)
        elif interpreted:
            made = build_interpreted(taken, chosen, folder, tflm_root, kernels or "reference", report)
        else:
            made = build(taken, chosen, folder, toolchain, report)
    if as_json:
        show_json({"folder": str(folder), **asdict(made)})
    elif foreign:
        _say_written(made, foreign.title, folder, f"cd {folder} && {foreign.next}", f"more: {folder / 'README.md'}")
    elif not made.elf:
        then = f"make -C {folder} TFLM_ROOT=DIR"
        _say_written(made, "a project", folder, then, "DIR: a tree of TensorFlow Lite Micro's sources")
    else:
        _show(made, folder)
        click.echo(f"Next: tinylm type --board {name}" + (f" --build {folder}" if output else ""))


def _say_written(made: object, what: str, folder: Path, then: str, note: str) -> None:
    click.echo(f"Wrote {what} with {made.model} for {made.board} into {folder}; it was not compiled here.")
    click.echo(f"Next: {then}  ({note})")


def _refuse_mixed(
    framework: str, interpreted: bool, toolchain: str | None, tflm_root: Path | None, kernels: str | None
) -> None:
    """Options that would do nothing beside each other. Raises click.UsageError."""
    foreign = framework != "native"
    for refused, what in (
        (tflm_root and not interpreted, f"--tflm-root {tflm_root} is for --runtime tflm; add that."),
        (
            tflm_root and foreign,
            f"--tflm-root {tflm_root} does nothing for {framework}, which brings TensorFlow Lite Micro; leave it out.",
        ),
        (kernels and not tflm_root, f"--kernels {kernels} is for --runtime tflm --tflm-root DIR; add those."),
        (
            toolchain and foreign,
            f"--toolchain {toolchain} does nothing for {framework}, which compiles by itself; leave it out.",
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
        if measured.gap_bytes:
            rows.append(["(before the model)", f"({measured.gap_bytes:,})", ""])
        rows.append(["in all", f"{measured.flash_bytes:,}", f"{measured.ram_bytes:,}"])
        if predicted:
            rows.append(["predicted", f"{predicted.flash_bytes:,}", f"{predicted.ram_bytes:,}"])
        limits = measured.flash_limit_bytes, measured.ram_limit_bytes
        rows.append([f"{made.board} has", f"{limits[0]:,}", f"{limits[1]:,}"])
        show_table(f"{made.model} on {made.board} (bytes)", ["part", "flash", "RAM"], rows, right=(1, 2))
    images = ", ".join(str(folder / name) for name in made.images.values()) or str(folder / made.elf)
    click.echo(f"Built {images} with {made.toolchain}.")
