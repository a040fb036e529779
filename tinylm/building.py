"""A build folder: a model and a board in, generated C, firmware, image and memory report out. Knows the order; no details.

docs/DESIGN.md, "A build folder", lists its files. A build appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tinylm.board import Board
from tinylm.catalogue import Entry, shipped_entries
from tinylm.errors import TinylmError
from tinylm.firmware import Firmware, compile_firmware
from tinylm.generate import EngineSizes, ModelView, engine_ram_bytes, view_model, write_c
from tinylm.language import build_language
from tinylm.lexicon import FAST_WORDS
from tinylm.memory import MemoryReport, largest_language_bytes, predict_memory, require_fit
from tinylm.model import WITH_NGRAM, WITH_ROWS, Model, load_model
from tinylm.progress import Report
from tinylm.renode import write_renode

SMALL_RAM_BYTES, TINY_RAM_BYTES = 16 * 1024, 4 * 1024


@dataclass(frozen=True)
class Build:
    """What `build.json` says. Paths are names within the folder."""

    board: str
    model: str
    kind: str
    language: str
    model_hash: int
    language_bytes: int
    toolchain: str
    elf: str
    images: dict[str, str]
    predicted: MemoryReport | None
    measured: MemoryReport | None
    fingerprint: int = 0  # of the firmware around a model that lies apart


def engine_sizes(board: Board) -> EngineSizes:
    """How long a line, how many moments and suggestions a board's RAM affords; a computer has plenty."""
    return replace(_affordable_sizes(board), short_loops=board.short_loops)


def _affordable_sizes(board: Board) -> EngineSizes:
    ram_bytes = board.memory.ram.bytes if board.memory else None
    if ram_bytes is None or ram_bytes > SMALL_RAM_BYTES:
        return EngineSizes(history=16, line_bytes=512, beam=4)
    if ram_bytes > TINY_RAM_BYTES:
        return EngineSizes(history=4, line_bytes=160, beam=2)
    return EngineSizes(history=4, line_bytes=140, beam=1, suggestions=3, frame_bytes=128, small=True)


def plan_build(model: Model, board: Board) -> tuple[ModelView, MemoryReport]:
    """Everything that is known before compiling.

    Raises TinylmError when the model does not fit: by how much, and what does.
    """
    view, predicted = _predict(model, board)
    try:
        require_fit(board, predicted)
    except TinylmError as error:
        smaller = [e for e in shipped_entries() if e.kind in WITH_ROWS and shipped_fits(e, board)]
        hint = (
            f" Shipped and fitting: --model {smaller[-1].name}{_why_it_fits(smaller[-1], model, board)}."
            if smaller
            else ""
        )
        raise TinylmError(error.message, error.hint + hint) from error
    if view.sizes.small and view.language.lexicon and view.language.lexicon.words >= FAST_WORDS:
        raise TinylmError(
            f"{model.info.name} has {view.language.lexicon.words:,} words; with {TINY_RAM_BYTES:,} bytes of RAM or less, as {board.name}"
            f" has, the firmware reads lexicons of fewer than {FAST_WORDS:,}.",
            "Take a smaller model: tinylm models.",
        )
    return view, predicted


def _why_it_fits(entry: Entry, model: Model, board: Board) -> str:
    """A network may have more bytes than is said of a model with an n-gram."""
    is_smaller = board.overhead.ngram_flash_bytes and model.info.kind in WITH_NGRAM and entry.kind not in WITH_NGRAM
    return ", whose firmware reads no n-gram and is smaller" if is_smaller else ""


def shipped_fits(entry: Entry, board: Board) -> bool:
    """Whether a model fits in a board's flash and RAM, as predicted."""
    most = largest_language_bytes(board, entry.kind in WITH_NGRAM)
    if most is not None and entry.language_bytes > most:
        return False
    _, predicted = _predict(load_model(entry.folder), board)
    try:
        require_fit(board, predicted)
    except TinylmError:
        return False
    return True


def _predict(model: Model, board: Board) -> tuple[ModelView, MemoryReport]:
    view = view_model(model, build_language(model, board.layout, board.layout_int4), engine_sizes(board))
    return view, predict_memory(
        board, len(view.language.content), engine_ram_bytes(view), model.info.kind in WITH_NGRAM
    )


def build(model: Model, board: Board, output: Path, toolchain: str | None, report: Report) -> Build:
    """Generate, compile, link, check. `output` then holds this build and nothing else.

    Raises TinylmError when `output` is something else, the model does not fit, or a tool is missing.
    """
    view, predicted = plan_build(model, board)
    with whole_build(output) as scratch:
        report("generate", 0, 1, "")
        write_c(view, scratch / "generated", board.has_far_flash, board.has_model_apart)
        report("generate", 1, 1, "")
        made = compile_firmware(
            board,
            scratch / "generated",
            scratch,
            toolchain,
            lambda done, total, name: report("compile", done, total, name),
        )
        report("compile", 1, 1, "")
        if board.renode:
            write_renode(board, model, scratch)
        result = record_build(view, board, made, predicted if board.memory else None)
        write_record(scratch, result)
    return result


def record_build(view: ModelView, board: Board, made: Firmware | None, predicted: MemoryReport | None = None) -> Build:
    """What build.json says of a firmware, or of a project that is not compiled here (None)."""
    info, made = view.model.info, made or Firmware(board.name, "", Path(), {}, None)
    images = {kind: path.name for kind, path in made.images.items()}
    return Build(board.name, info.name, info.kind, info.language, view.model.hash, len(view.language.content),
                 made.toolchain, made.elf.name, images, predicted, made.memory, made.fingerprint)  # fmt: skip


def write_record(folder: Path, record: Build) -> None:
    """Writes build.json."""
    (folder / "build.json").write_text(json.dumps(asdict(record), indent=2) + "\n", "utf-8")


@contextlib.contextmanager
def whole_build(output: Path) -> Iterator[Path]:
    """A folder to build in, which becomes `output` when the block ends well; else `output` stays as it was.

    Raises TinylmError when `output` is something else than a build.
    """
    if output.resolve() == Path.cwd():
        raise TinylmError("A build replaces its folder, and this is the one you are in.", "Give another with --output.")
    if output.exists() and (not output.is_dir() or (any(output.iterdir()) and not (output / "build.json").is_file())):
        raise TinylmError(f"'{output}' is not empty and holds no build.", "Give another folder with --output.")
    output.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        yield scratch
        _put(scratch, output)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _put(scratch: Path, output: Path) -> None:
    """The old build goes when the new one is whole, and stays when that one cannot take its place."""
    scratch.chmod(0o755)
    if not output.exists():
        scratch.replace(output)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{output.name}-old-", dir=output.parent))
    try:
        output.replace(old / "build")
        try:
            scratch.replace(output)
        except OSError:
            (old / "build").replace(output)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def read_build(folder: Path) -> dict:
    """build.json of a build folder. Raises TinylmError that names the command that makes one."""
    try:
        record = json.loads((folder / "build.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TinylmError(f"'{folder}' holds no build.", "Make one: tinylm build --board NAME") from error
    if not isinstance(record, dict) or "board" not in record:
        raise TinylmError(f"'{folder / 'build.json'}' is no record of a build.", "Build it again.")
    return record
