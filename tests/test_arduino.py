"""Arduino libraries: as Arduino wants them, and compiled with its AVR core, booted, and typed on with the host's answers."""

from __future__ import annotations

import atexit
import functools
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from cli_rig import run_cli
from conftest import need
from models import golden_hash, tiny_word_model

from tinylm.arduino import LIBRARY, list_sketches
from tinylm.board import Board, board_names, load_board
from tinylm.bootcheck import check_typing
from tinylm.building import read_build
from tinylm.capitals import FIRST
from tinylm.emulator import start
from tinylm.engine import HostEngine
from tinylm.firmware import ELF_NAME
from tinylm.frameworks import build_project, framework_board
from tinylm.link import Device
from tinylm.model import Model

CORE = Path("/usr/share/arduino/hardware/arduino/avr")
BOARDS = [board for name in board_names() if (board := load_board(name)).arduino]
VARIANTS = {"arduino-mega": ("mega", "AVR_MEGA2560"), "arduino-uno": ("standard", "AVR_UNO")}
# As in the core's platform.txt.
CODE = ("-Os", "-ffunction-sections", "-fdata-sections", "-flto")
C = (*CODE, "-std=gnu11", "-fno-fat-lto-objects")
CPP = (*CODE, "-std=gnu++11", "-fpermissive", "-fno-exceptions", "-fno-threadsafe-statics")
KEYS = "name version author maintainer sentence paragraph category url architectures includes".split()


def write_library(board: Board, folder: Path, model: Model | None = None) -> Path:
    """The library's folder."""
    made = framework_board("arduino", board)
    build_project("arduino", model or tiny_word_model(), made, False, folder, lambda *_: None)
    return folder / LIBRARY


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_library_has_what_arduino_asks_for(board: Board, tmp_path: Path) -> None:
    library = write_library(board, tmp_path / "made")
    properties = dict(line.split("=", 1) for line in (library / "library.properties").read_text().splitlines())
    assert list(properties) == KEYS and all(properties.values())
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["version"]) and properties["url"].startswith("https://")
    assert {path.name for path in library.iterdir()} == {"library.properties", "keywords.txt", "src", "examples"}
    words = dict(line.split("\t") for line in (library / "keywords.txt").read_text().splitlines())
    assert set(words.values()) == {"KEYWORD1", "KEYWORD2"} and words["TinyLM"] == "KEYWORD1"
    assert {"begin", "feed", "suggestions", "receive"} <= set(words)
    about = board.arduino
    assert {path.name for path in (library / "examples").iterdir()} == set(
        list_sketches(about.sketches, about.keyboard)
    )
    for sketch in (library / "examples").iterdir():
        assert {path.name for path in sketch.iterdir()} == {f"{sketch.name}.ino", "sketch.yaml"}
        profile = (sketch / "sketch.yaml").read_text()
        assert f"fqbn: {about.fqbn}\n" in profile and f"({about.version})" in profile


def need_core() -> None:
    need("avr-gcc", "simavr")
    if not CORE.is_dir():
        need("arduino-core-avr")


@functools.cache
def compile_core(name: str) -> Path:
    """core.a of a board, made once a test run."""
    folder = Path(tempfile.mkdtemp(prefix="tinylm-core-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    options = ("-w", "-DDECIMAL_DIG=__DECIMAL_DIG__")  # which <float.h> of a GCC before 7 keeps from C++
    return _archive(load_board(name), sorted((CORE / "cores/arduino").iterdir()), folder, options)


def _compile(board: Board, source: Path, folder: Path, options: tuple[str, ...]) -> Path | None:
    programs = {".c": ("avr-gcc", *C), ".cpp": ("avr-g++", *CPP), ".ino": ("avr-g++", *CPP, "-x", "c++", "-include", "Arduino.h"),
                ".S": ("avr-gcc", "-x", "assembler-with-cpp")}  # fmt: skip
    if source.suffix not in programs:
        return None
    variant, define = VARIANTS[board.name]
    mcu = next(flag for flag in board.compiler.gcc if flag.startswith("-mmcu="))
    made = folder / f"{source.name}.o"
    about = [mcu, f"-DF_CPU={board.clock_hz}L", "-DARDUINO=10819", f"-DARDUINO_{define}", "-DARDUINO_ARCH_AVR"]
    about += [f"-I{CORE / 'cores/arduino'}", f"-I{CORE / 'variants' / variant}"]
    subprocess.run([*programs[source.suffix], *about, *options, "-c", source, "-o", made], check=True, timeout=120)
    return made


def _archive(board: Board, sources: list[Path], folder: Path, options: tuple[str, ...]) -> Path:
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(lambda source: _compile(board, source, folder, options), sources))
    archive = folder / "code.a"
    subprocess.run(["avr-gcc-ar", "rcs", archive, *filter(None, objects)], check=True, timeout=60)
    return archive


def compile_sketch(board: Board, library: Path, name: str, folder: Path) -> Path:
    """A folder with firmware.elf: the sketch, the library and the core, as arduino-cli compiles and links them."""
    folder.mkdir()
    options = (f"-I{library / 'src'}", "-Wall", "-Werror")
    ours = [path for part in ("src", "src/core") for path in sorted((library / part).iterdir())]
    sketch = _compile(board, library / "examples" / name / f"{name}.ino", folder, options)
    archive = _archive(board, ours, folder, options)
    mcu = next(flag for flag in board.compiler.gcc if flag.startswith("-mmcu="))
    link = [
        "avr-gcc",
        "-Wall",
        "-Os",
        "-flto",
        "-fuse-linker-plugin",
        "-Wl,--gc-sections",
        mcu,
        "-o",
        folder / ELF_NAME,
    ]
    subprocess.run([*link, sketch, archive, compile_core(board.name), "-lm"], check=True, timeout=120)
    size = subprocess.run(["avr-size", folder / ELF_NAME], check=True, capture_output=True, text=True).stdout
    text, data, bss = map(int, size.splitlines()[1].split()[:3])
    predicted = read_build(library.parent)["predicted"]
    assert text + data <= predicted["flash_bytes"] <= board.memory.flash.bytes
    assert data + bss + board.memory.stack_bytes <= predicted["ram_bytes"] <= board.memory.ram.bytes
    return folder


@pytest.mark.parametrize("name", VARIANTS)
def test_a_sketch_with_arduinos_core_speaks_the_protocol_and_suggests_as_the_host(name: str, tmp_path: Path) -> None:
    need_core()
    board, model = load_board(name), tiny_word_model()
    library = write_library(board, tmp_path / "made", model)
    folder = compile_sketch(board, library, "Typing", tmp_path / "sketch")
    host = HostEngine(model)
    with start(board, folder) as running, Device.open(running.url, timeout_s=20, model_hash=model.hash) as device:
        assert device.identity.board == name
        assert device.hash(3, 7, 200) == golden_hash(model)
        if board.user_memory_bytes:
            device.use_memory(False)
        for key in "are you the":
            host.feed(key)
            assert device.feed(key, 3) == host.suggest(3)
        assert device.backspace(3) == [host.backspace(), host.suggest(3)][1]
        assert device.accept(0, 3) == [host.accept(0), host.suggest(3)][1]
        device.reset()
        assert check_typing(device).keys


def test_the_class_alone_suggests_as_the_host(tmp_path: Path) -> None:
    need_core()
    board, model = load_board("arduino-mega"), tiny_word_model()
    library = write_library(board, tmp_path / "made", model)
    folder = compile_sketch(board, library, "Words", tmp_path / "sketch")
    host = HostEngine(model)
    with start(board, folder) as running, serial.serial_for_url(running.url, timeout=20) as line:
        assert line.readline() == b"ready\r\n"
        for key in "are you t":
            host.feed(key)
            line.write(key.encode())
            assert line.readline().decode().split() == host.suggest(3)


KEYBOARD = """
#include <Arduino.h>
#include <TinyLM.h>
TinyLM lm;
void typeKey(char key) { Serial.write(key); }
void setup() { Serial.begin(115200); Serial.println(lm.begin()); }
void loop() {
  if (!Serial.available()) return;
  const char key = Serial.read();
  if (key == '1' && lm.suggestions(3) > 0) {
    lm.accept(0, typeKey);
    Serial.println();
  } else {
    lm.feed(key);
  }
}
"""


def test_an_accepted_word_is_typed_so_that_the_line_elsewhere_becomes_equal(tmp_path: Path) -> None:
    need_core()
    words = tiny_word_model()
    model = replace(words, capitals=(FIRST,) * len(words.words))
    library = write_library(board := load_board("arduino-mega"), tmp_path / "made", model)
    (library / "examples" / "Keyboard").mkdir()
    (library / "examples" / "Keyboard" / "Keyboard.ino").write_text(KEYBOARD)
    folder = compile_sketch(board, library, "Keyboard", tmp_path / "sketch")
    host, elsewhere, wanted = HostEngine(model), "", ""
    with start(board, folder) as running, serial.serial_for_url(running.url, timeout=20) as line:
        assert line.readline() == b"0\r\n"
        for keys, back in (("yo", 2), ("Wh", 0)):  # typed small; with the capital that the word has
            host.feed(keys)
            elsewhere += keys
            line.write(keys.encode() + b"1")
            typed = line.readline().decode().removesuffix("\r\n")
            wanted += f"{host.suggest(3)[0]} "
            host.accept(0)
            assert typed.count("\b") == back
            for key in typed:
                elsewhere = elsewhere[:-1] if key == "\b" else elsewhere + key
            assert elsewhere == wanted and wanted.istitle()


def test_a_model_without_room_beside_arduinos_core_is_refused(tmp_path: Path) -> None:
    """The 24 KB model fits in the Uno alone."""
    done = run_cli(
        "build", "--framework", "arduino", "--board", "arduino-uno", "--model", "en-24k", "--output", tmp_path / "made"
    )
    assert done.status == 1 and not list(tmp_path.iterdir()), done.err
