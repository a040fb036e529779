"""What a board is: memory, serial line, compiler flags, image, flasher, emulators, all read from one TOML a board.

Knows the keys and their types, and refuses any other; knows nothing of compilers, emulators or flashers themselves.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import types
import typing
from dataclasses import dataclass
from pathlib import Path

from tinylm.ecosystems import KEYBOARDS, Arduino, EspIdf, Overhead, PlatformIO, Renode
from tinylm.errors import TinylmError, nearest
from tinylm.layout import LAYOUTS
from tinylm.layout_int4 import INT4_LAYOUTS
from tinylm.resources import boards_dir


@dataclass(frozen=True)
class Region:
    """A piece of memory. `alias`: where a second bus sees the same bytes (ESP32-C3), else None."""

    origin: int
    bytes: int
    alias: int | None = None

    def holds(self, start: int, size: int = 1) -> bool:
        """Whether all of `size` bytes from an address on lie in it, by either of its addresses."""
        origins = (self.origin,) if self.alias is None else (self.origin, self.alias)
        return any(origin <= start and start + size <= origin + self.bytes for origin in origins)


@dataclass(frozen=True)
class Memory:
    """What the firmware may use. `stack_bytes` of the RAM are kept for the stack. `model_offset`: from this byte of the
    flash on lies the model, so that it can be written alone; None: it lies behind the code. `sector_bytes`: what the chip
    erases at once, from the start of the flash on, the last repeated. `code_ram`: RAM for instructions, read by words alone,
    where the chip loads its code there. `far_flash`: C cannot point into the flash, so that the language is assembler.
    `word_flash`: the flash, too, is read by words alone, so that only the language lies there.
    """

    flash: Region
    ram: Region
    stack_bytes: int
    model_offset: int | None = None
    sector_bytes: tuple[int, ...] = ()
    code_ram: Region | None = None
    far_flash: bool = False
    word_flash: bool = False


@dataclass(frozen=True)
class Serial:
    """`kind` names the peripheral; `base` its registers, `interrupt` its receive line, `tx` and `rx` its pins and `function`
    what connects them, as the chip numbers these, where the port needs them."""

    kind: str
    baud: int
    base: int | None = None
    interrupt: int | None = None
    tx: int | None = None
    rx: int | None = None
    function: int | None = None


@dataclass(frozen=True)
class Compiler:
    """Flags that choose the CPU, for gcc and for zig; an empty `zig` means that zig cannot build this board."""

    architecture: str
    gcc: tuple[str, ...]
    zig: tuple[str, ...]


@dataclass(frozen=True)
class BootImage:
    """What an Espressif boot ROM loads into RAM, made by esptool: for which `chip`, at which `offset` of the flash, and how
    the ROM is to read it."""

    chip: str
    offset: int
    mode: str
    frequency: str


@dataclass(frozen=True)
class Image:
    """`formats` to write ("bin", "hex", "uf2"); `check`: which rule of tinylm/image.py the bytes must satisfy; `uf2_family`:
    the chips that may take the "uf2"; `boot`: where a boot ROM loads the code into RAM."""

    formats: tuple[str, ...]
    check: str
    uf2_family: int | None = None
    boot: BootImage | None = None


@dataclass(frozen=True)
class Drive:
    """A USB drive as which the board shows itself: its label, and a file on it that has one of the texts `says`."""

    label: str
    file: str
    says: tuple[str, ...]


@dataclass(frozen=True)
class Flasher:
    """How an image gets into the board: a program with its arguments, or the tool "copy", which puts it on `drive`.

    In arguments {port}, {baud}, {image} are put in, and where the image goes: {offset} from the start of the flash,
    {address} for the CPU. `image`: the format that is written. `boot_loader`: the chip's boot loader takes it, so that the
    firmware does not run meanwhile and cannot be asked anything.
    """

    tool: str
    image: str
    arguments: tuple[str, ...] = ()
    baud: int = 115_200
    drive: Drive | None = None
    boot_loader: bool = False


@dataclass(frozen=True)
class Usb:
    """USB `vendor:product` ids (hexadecimal) under which the board may appear."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class EmulatorChoice:
    """One way to run the board, best first. `program` and `arguments` for QEMU
    ({elf}; {flash}: the image filled up to the whole flash), `machine` for others."""

    name: str
    fidelity: str
    program: str = ""
    arguments: tuple[str, ...] = ()
    machine: str = ""


@dataclass(frozen=True)
class Board:
    """One board. `port` is its core's folder of firmware/port/; `port_also` are further ones, looked through in this order;
    `layout` is how weights lie for the port's kernel (tinylm/layout.py), `layout_int4` those of 4 bits (layout_int4.py);
    `user_memory_bytes` of RAM hold what the user typed (0: the board does not learn); `crystal_hz` is 0 where the port needs
    no crystal; `file` is where all this was read, and no key."""

    name: str
    title: str
    chip: str
    port: str
    port_also: tuple[str, ...]
    layout: str
    layout_int4: str
    clock_hz: int
    notes: str
    serial: Serial
    compiler: Compiler
    image: Image
    overhead: Overhead
    emulators: tuple[EmulatorChoice, ...]
    user_memory_bytes: int = 0
    short_loops: bool = False
    crystal_hz: int = 0
    memory: Memory | None = None
    flasher: Flasher | None = None
    usb: Usb | None = None
    arduino: Arduino | None = None
    platformio: PlatformIO | None = None
    espidf: EspIdf | None = None
    renode: Renode | None = None
    file: Path | None = dataclasses.field(default=None, metadata={"key": False})

    @property
    def argument(self) -> str:
        """What --board takes: its name where that finds this file, else the file."""
        found = next((path for folder in board_folders() if (path := folder / f"{self.name}.toml").is_file()), None)
        return self.name if self.file in (None, found) else str(self.file)

    @property
    def has_far_flash(self) -> bool:
        """memory.far_flash; a computer's is not."""
        return self.memory is not None and self.memory.far_flash

    @property
    def has_model_apart(self) -> bool:
        """Whether the model has a place of its own. A board without an image (an emulated one) is never written: no; nor
        where the model's constants cannot lie in flash."""
        memory = self.memory
        return bool(memory and memory.model_offset is not None and not memory.word_flash and self.image.formats)

    def with_model_inside(self) -> Board:
        """The board without a place for the model: it lies behind the code."""
        memory = self.memory and dataclasses.replace(self.memory, model_offset=None)
        return dataclasses.replace(self, memory=memory)


FIDELITIES = ("the real board", "the chip without its boot ROM", "the CPU and image only", "the same C as a program")
BOARD_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _one_of(*names: str) -> tuple[re.Pattern[str], str]:
    return re.compile("|".join(map(re.escape, names))), "one of: " + "; ".join(names)


_RULES = {
    "layout": _one_of(*LAYOUTS),
    "layout_int4": _one_of(*INT4_LAYOUTS),
    "name": (BOARD_NAME, "lower-case letters, digits and single hyphens"),
    "fidelity": _one_of(*FIDELITIES),
    "emulators.name": _one_of("qemu", "unicorn", "simavr", "rp2040js", "esp8266", "process"),
    "architecture": _one_of("arm", "riscv32", "avr", "xtensa", "host"),
    "check": _one_of("cortex-m-vectors", "rp2040-boot", "esp-direct-boot", "esp-boot-image", "avr-vectors", "none"),
    "formats": _one_of("bin", "hex", "uf2"),
    "keyboard": _one_of(*KEYBOARDS),
    "platformio.platform": (
        re.compile(r"[a-z0-9]+@\d+\.\d+\.\d+|https://\S+/\d+(\.\d+)+/\S+\.zip"),
        "a name@version of PlatformIO's registry, or the address of a release's .zip",
    ),
    "flasher.tool": _one_of("esptool", "avrdude", "bossac", "pyocd", "dfu-util", "copy"),
    "fqbn": (
        re.compile(r"[\w.-]+:[\w.-]+:[\w.-]+(:[\w.=,-]+)?"),
        "packager:architecture:board, as `arduino-cli board listall` has it",
    ),
    "ids": (re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}"), "four hexadecimal digits, a colon, four more ('2341:0042')"),
}
OWN_BOARDS = Path("boards")  # where a user's boards are, from the working folder
_TYPE_NAMES = {str: "a text", int: "a whole number, 0 or more", bool: "true or false", tuple: "a list", dict: "a table"}


def board_folders() -> tuple[Path, Path]:
    """Where boards have names: the user's own in ./boards, then the package's."""
    return OWN_BOARDS, boards_dir()


def board_names() -> list[str]:
    """The names of all boards, sorted."""
    return sorted({path.stem for folder in board_folders() for path in folder.glob("*.toml")})


def board_path(name: str) -> Path:
    """The file of a board, by name or by path (NAME.toml). Raises TinylmError, with the nearest name, for none."""
    if name.endswith(".toml"):
        if not Path(name).is_file():
            raise TinylmError(f"There is no board file '{name}'.", "Start one: tinylm new-board NAME")
        return Path(name)
    for folder in board_folders():
        if (folder / f"{name}.toml").is_file() and Path(name).name == name:
            return folder / f"{name}.toml"
    raise TinylmError(f"There is no board '{name}'.", nearest(name, board_names()))


def load_board(name: str) -> Board:
    """The board of that name or file. Raises TinylmError, with the nearest name, when there is none."""
    return read_board(board_path(name))


def read_board(path: Path) -> Board:
    """A board from a file. Raises TinylmError that names the file, the key and what is allowed."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TinylmError(f"{path}: not a board file: {error}.", "Compare it with another board's file.") from error
    board = dataclasses.replace(_parse_table(Board, table, path, ""), file=path)
    if board.name != path.stem:
        raise TinylmError(
            f"{path}: 'name' is '{board.name}', but the file is called '{path.name}'.", "Make them equal."
        )
    _check_together(board, path)
    return board


def _check_together(board: Board, path: Path) -> None:
    """What one key asks of another."""
    image, memory, flasher = board.image, board.memory, board.flasher
    is_boot = image.check == "esp-boot-image"
    is_copy = flasher is not None and flasher.tool == "copy"
    has_drive = flasher is not None and flasher.drive is not None
    formats, none = list(image.formats), image.check == "none"
    _require(
        not (formats and none), path, "image.check", image.check, "a rule for the bytes, as there are image.formats"
    )
    _require(not formats or memory is not None, path, "memory", None, "given, as there are image.formats")
    has_family = image.uf2_family is not None
    _require("uf2" not in formats or has_family, path, "image.uf2_family", None, "given for the format 'uf2'")
    _require(
        is_boot == (image.boot is not None), path, "image.boot", image.boot, "given for check 'esp-boot-image' alone"
    )
    has_code_ram = memory is not None and memory.code_ram is not None
    _require(not is_boot or has_code_ram, path, "memory.code_ram", None, "given for check 'esp-boot-image'")
    _require(is_copy == has_drive, path, "flasher.drive", has_drive or None, "given for the tool 'copy' alone")
    wanted = flasher.image if flasher else ""
    _require(not wanted or wanted in formats, path, "flasher.image", wanted, f"one of image.formats: {formats}")
    if board.has_model_apart:
        starts = f"the start of a sector ('memory.sector_bytes' are {list(memory.sector_bytes)})"
        _require(_starts_sector(memory), path, "memory.model_offset", memory.model_offset, starts)


def _starts_sector(memory: Memory) -> bool:
    """Whether the model begins where something begins that is erased at once: all before it then stays."""
    left = memory.model_offset
    for size in memory.sector_bytes[:-1]:
        if left < size:
            return left == 0
        left -= size
    return bool(memory.sector_bytes) and left % max(memory.sector_bytes[-1], 1) == 0


def _parse_table(cls: type, table: dict, path: Path, where: str):
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.metadata.get("key", True)}
    for key in table:
        if key not in fields:
            raise TinylmError(f"{path}: unknown key '{where}{key}'.", nearest(key, fields))
    values = {}
    for field in fields.values():
        if field.name in table:
            values[field.name] = _parse_value(hints[field.name], table[field.name], path, where + field.name)
        elif field.default is dataclasses.MISSING:
            raise TinylmError(f"{path}: the key '{where}{field.name}' is missing.", "Add it; other boards show how.")
    return cls(**values)


def _parse_value(kind, value, path: Path, key: str):
    if isinstance(kind, types.UnionType):  # only "X | None" is used here
        kind = typing.get_args(kind)[0]
    if dataclasses.is_dataclass(kind):
        _require(isinstance(value, dict), path, key, value, _TYPE_NAMES[dict])
        return _parse_table(kind, value, path, key + ".")
    if typing.get_origin(kind) is tuple:
        _require(isinstance(value, list), path, key, value, _TYPE_NAMES[tuple])
        item = typing.get_args(kind)[0]
        return tuple(_parse_value(item, entry, path, key) for entry in value)
    _require(type(value) is kind and (kind is not int or value >= 0), path, key, value, _TYPE_NAMES[kind])
    rule = _RULES.get(key, _RULES.get(key.rpartition(".")[2])) if kind is str else None
    if rule:
        _require(rule[0].fullmatch(value) is not None, path, key, value, rule[1])
    return value


def _require(holds: bool, path: Path, key: str, value: object, allowed: str) -> None:
    if not holds:
        raise TinylmError(f"{path}: '{key}' is {value!r}, but must be {allowed}.", "Correct that line.")
