"""How much flash and RAM a firmware takes, before it is compiled and after. Knows ELF sizes; compiles nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section

from tinylm.board import Board, Region
from tinylm.errors import TinylmError

MODEL_CONSTANTS_BYTES = 2048  # of a model that lies apart, before its language
LIBRARY = "libc"  # the compiler's library, start code without a size, strings, padding
# What firmware's main() owns for others: (group, symbol) -> whose it is.
_OWNERS = {("app", name): "predict" for name in ("engine", "memory", "memory_bytes")} | {("app", "serial"): "link"}
GROUPS = ("language", "model", "runtime", "predict", "link", "app", "port", LIBRARY)


@dataclass(frozen=True)
class Usage:
    """Bytes of flash and of RAM under a name (a section or a group). .data counts in both."""

    name: str
    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True)
class MemoryReport:
    """Totals, the stack's share of the RAM among them, against the board's limits (None: a computer has none). `gap_bytes` of the
    flash lie between the code and a model that lies apart, and are nobody's: they are no part of the totals."""

    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    flash_limit_bytes: int | None
    ram_limit_bytes: int | None
    sections: tuple[Usage, ...] = ()
    groups: tuple[Usage, ...] = ()
    gap_bytes: int = 0


def largest_language_bytes(board: Board, has_ngram: bool = False) -> int | None:
    """The most language bytes of a network, or of a model with an n-gram, that fit beside the firmware's code; None when
    the board sets no limit."""
    if board.memory is None:
        return None
    return max(0, board.memory.flash.bytes - _code_bytes(board, has_ngram) - _predicted_gap(board, has_ngram))


def _code_bytes(board: Board, has_ngram: bool) -> int:
    return board.overhead.flash_bytes + (board.overhead.ngram_flash_bytes if has_ngram else 0)


def _predicted_gap(board: Board, has_ngram: bool) -> int:
    """Of the flash before a model that lies apart, what the code does not take; its constants are in the overhead."""
    if board.memory is None or board.memory.model_offset is None:
        return 0
    return max(0, board.memory.model_offset + MODEL_CONSTANTS_BYTES - _code_bytes(board, has_ngram))


def predict_memory(board: Board, language_bytes: int, engine_ram_bytes: int, has_ngram: bool = False) -> MemoryReport:
    """What a firmware will take, from the overhead in the board's file; an upper bound within a few KB.

    Args:
        language_bytes: length of language.bin.
        engine_ram_bytes: sizeof(tlm_engine_t) for the model.
    """
    stack = board.memory.stack_bytes if board.memory else 0
    code = _code_bytes(board, has_ngram)
    ram = board.overhead.ram_bytes + engine_ram_bytes + board.user_memory_bytes + stack
    usages = (
        Usage("language", language_bytes, 0),
        Usage("predict", 0, engine_ram_bytes),
        Usage("user memory", 0, board.user_memory_bytes),
        Usage("the rest", code, board.overhead.ram_bytes),
    )
    gap = _predicted_gap(board, has_ngram)
    return MemoryReport(code + language_bytes, ram, stack, *_limits(board), groups=usages, gap_bytes=gap)


def require_fit(board: Board, report: MemoryReport) -> None:
    """Raises TinylmError that says by how much a firmware is too big and which language budget fits."""
    needed = report.flash_bytes + report.gap_bytes
    over_flash = needed - (report.flash_limit_bytes or needed)
    over_ram = report.ram_bytes - (report.ram_limit_bytes or report.ram_bytes)
    if over_flash > 0:
        fits = max(0, next(u.flash_bytes for u in report.groups if u.name == "language") - over_flash)
        raise TinylmError(
            f"The model does not fit on {board.name}: it needs {needed:,} bytes of flash,"
            f" {over_flash:,} more than the {report.flash_limit_bytes:,} there are.",
            f"Use or train a model of at most {fits:,} language bytes.",
        )
    if over_ram > 0:
        raise TinylmError(
            f"The model does not fit on {board.name}: it needs {report.ram_bytes:,} bytes of RAM,"
            f" {over_ram:,} more than the {report.ram_limit_bytes:,} there are.",
            "Use or train a smaller model: a budget of a quarter of the bytes halves the network's state.",
        )


def measure_memory(board: Board, elf: Path, objects: Mapping[Path, str]) -> MemoryReport:
    """The sizes in a linked firmware, by section and by group.

    Args:
        elf: the linked firmware.
        objects: object file -> its group (one of GROUPS).
    """
    stack = board.memory.stack_bytes if board.memory else 0
    with elf.open("rb") as file:
        linked = ELFFile(file)
        usages = {
            number: _usage(section, board.memory and board.memory.ram)
            for number, section in enumerate(linked.iter_sections())
            if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_size"]
        }
        groups = _group_usages(linked, _symbol_groups(objects), usages)
        sections = tuple(usages.values())
        flash, ram = sum(s.flash_bytes for s in sections), sum(s.ram_bytes for s in sections)
        gap = _measured_gap(board, linked)
    return MemoryReport(flash, ram + stack, stack, *_limits(board), sections, groups, gap)


def _measured_gap(board: Board, linked: ELFFile) -> int:
    """Bytes of flash before a model that lies apart that nothing is in."""
    memory = board.memory
    if memory is None or memory.model_offset is None:
        return 0
    flash, offset = memory.flash, memory.model_offset
    origins = [origin for origin in (flash.origin, flash.alias) if origin is not None]
    model = [Region(origin + offset, flash.bytes - offset) for origin in origins]
    code = (s for s in linked.iter_sections() if s["sh_flags"] & SH_FLAGS.SHF_ALLOC and s["sh_type"] != "SHT_NOBITS")
    taken = sum(s["sh_size"] for s in code if not any(region.holds(s["sh_addr"]) for region in model))
    return max(0, offset - taken)


def _limits(board: Board) -> tuple[int | None, int | None]:
    return (board.memory.flash.bytes, board.memory.ram.bytes) if board.memory else (None, None)


def _usage(section: Section, ram: Region | None) -> Usage:
    """A section takes flash when it has content, and RAM when it is written or lies there (constants, code copied there)."""
    size, lies_there = section["sh_size"], ram is not None and ram.holds(section["sh_addr"])
    in_ram = bool(section["sh_flags"] & SH_FLAGS.SHF_WRITE) or lies_there
    return Usage(section.name, size * (section["sh_type"] != "SHT_NOBITS"), size * in_ram)


def _symbol_groups(objects: Mapping[Path, str]) -> dict[tuple[str, int] | str, str]:
    """(symbol, size) and symbol -> group, for all that objects define. The name alone serves a linker that shortens
    code (RISC-V); the size tells static symbols of one name apart."""
    groups: dict[tuple[str, int] | str, str] = {}
    for path, group in objects.items():
        with path.open("rb") as file:
            table = ELFFile(file).get_section_by_name(".symtab")
            for symbol in table.iter_symbols() if table else ():
                if symbol["st_size"] and symbol["st_shndx"] != "SHN_UNDEF":
                    owner = _OWNERS.get((group, symbol.name), group)
                    groups[symbol.name, symbol["st_size"]] = groups[symbol.name] = owner
    return groups


def _group_usages(linked: ELFFile, groups: dict, usages: dict[int, Usage]) -> tuple[Usage, ...]:
    flash: Counter[str] = Counter()
    ram: Counter[str] = Counter()
    counted = (0, 0)  # (section, address) up to which bytes have a group; symbols may overlap (merged variables)
    for section, start, size, name in _placed_symbols(linked):
        own = name.partition(".")[0]  # link-time optimization says step.lto_priv.38
        group = groups.get((name, size)) or groups.get(name) or groups.get(own)
        fresh = size if counted < (section, start) else start + size - counted[1]
        if not group or fresh <= 0:
            continue
        counted = (section, start + size)
        flash[group] += fresh * bool(usages[section].flash_bytes)
        ram[group] += fresh * bool(usages[section].ram_bytes)
    flash[LIBRARY] += sum(usage.flash_bytes for usage in usages.values()) - flash.total()
    ram[LIBRARY] += sum(usage.ram_bytes for usage in usages.values()) - ram.total()
    return tuple(Usage(name, flash[name], ram[name]) for name in GROUPS if flash[name] or ram[name])


def _placed_symbols(linked: ELFFile) -> list[tuple[int, int, int, str]]:
    """(section, address, size, name) of the symbols with a size, in the order of memory, the larger first."""
    symbols = linked.get_section_by_name(".symtab").iter_symbols()
    placed = [(s["st_shndx"], s["st_value"], s["st_size"], s.name) for s in symbols if s["st_size"]]
    return sorted((e for e in placed if isinstance(e[0], int)), key=lambda e: (e[0], e[1], -e[2]))
