"""`tinylm emulate`."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

import click

from tinylm.cli.console import show_json
from tinylm.errors import TinylmError


@click.command("emulate")
@click.option("--board", "-b", help="Which board; `tinylm boards` lists them.  [default: the project's]")
@click.option("--model", "-m", help="Refuse an image that holds another model than this name or folder.")
@click.option("--build", "folder", type=click.Path(path_type=Path), help="Build folder.  [default: build/BOARD]")
@click.option("--emulator", help="qemu, simavr, unicorn or process.  [default: the board's best that is installed]")
@click.option("--pty", is_flag=True, help="Give a device file, for programs that open no socket.")
@click.option("--check", is_flag=True, help="Boot, check the model, type a line, print the result, leave (for CI).")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON (with --check; else the port, in one line).")
def command(
    board: str | None,
    model: str | None,
    folder: Path | None,
    emulator: str | None,
    pty: bool,
    check: bool,
    as_json: bool,
) -> int:
    """Boot a built image in an emulator; its serial line is a TCP port (or a pty) until Ctrl-C.

    Open it with `tinylm type --port socket://127.0.0.1:PORT`, or with a terminal program.
    """
    from tinylm.booting import find_image, name_board
    from tinylm.catalogue import find_folder
    from tinylm.model import load_model

    if check and pty:
        raise click.UsageError("--check and --pty exclude each other.")
    wanted = load_model(find_folder(model)).hash if model else None
    image = find_image(name_board(board), folder, wanted)
    if check:
        return _check(image, emulator, as_json)
    _serve(image, emulator, pty, as_json)
    return 0


def _serve(image: object, emulator: str | None, pty: bool, as_json: bool) -> None:
    from tinylm.emulator import bridge_to_pty, start

    with contextlib.suppress(KeyboardInterrupt), start(image.board, image.folder, emulator) as running:
        with bridge_to_pty(running) if pty else contextlib.nullcontext(running.url) as port:
            if as_json:
                about = {
                    "board": image.board.name,
                    "emulator": running.name,
                    "fidelity": running.fidelity,
                    "port": port,
                }
                click.echo(json.dumps(about))
            else:
                click.echo(
                    f"{image.board.name} runs in {running.name} ({running.fidelity}); model {image.record['model']}."
                )
                click.echo(f"Port: {port}")
                click.echo(f"Open it in another terminal: tinylm type --port {port}")
                click.echo("Or by hand, in a terminal program (Ctrl-] leaves; Ctrl-C here ends it):")
                click.echo(f"  python -m serial.tools.miniterm --raw {port} {image.board.serial.baud}")
            running.wait()
        said = running.log().strip()[-500:]
        raise TinylmError(f"{running.name} ended by itself{': ' + said if said else ''}.", "Start it again.")


def _check(image: object, emulator: str | None, as_json: bool) -> int:
    """0 when all is well, 1 when not; the answer is printed either way."""
    from tinylm.bootcheck import check_typing
    from tinylm.booting import boot

    try:
        with boot(image, emulator) as (running, device):
            found, identity = check_typing(device), device.identity
    except TinylmError as error:
        if not as_json:
            raise
        show_json({"ok": False, "board": image.board.name, "error": error.message, "hint": error.hint})
        return 1
    if as_json:
        show_json({"ok": True, "board": image.board.name, "emulator": running.name, "fidelity": running.fidelity,
                   "identity": asdict(identity), "typed": asdict(found)})  # fmt: skip
        return 0
    click.echo(f"{identity.board} answers in {running.name} ({running.fidelity}), firmware {identity.firmware}.")
    click.echo(
        f"Model {identity.model} ({identity.model_hash:08x}, {identity.language_bytes:,} bytes): self-test passed."
    )
    click.echo(f"Typed {found.line!r} with {found.keys} keys; taken: {', '.join(found.taken)}.")
    return 0
