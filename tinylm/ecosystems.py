"""What others call a board and bring along for it: Arduino, PlatformIO, ESP-IDF, Renode. Knows names and versions, which are
facts of a board's file, and the room that code around a model takes; writes no project (frameworks.py, renode.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Overhead:
    """What everything but the model takes, measured on a built firmware and rounded up; the stack is apart.

    `ngram_flash_bytes`: what a model with an n-gram takes beyond a network's, said where flash is so scarce that it counts.
    """

    flash_bytes: int
    ram_bytes: int
    ngram_flash_bytes: int = 0


@dataclass(frozen=True)
class KeyboardKind:
    """How a core sends keys: the sketch, whose part for this core is templates/arduino/keyboard_KIND.j2, and whether it
    makes reports of its own (TinyLMKeys.h)."""

    sketch: str
    keys: bool = False


KEYBOARDS = {
    "usb": KeyboardKind("UsbKeyboard"),
    "usb-mbed": KeyboardKind("UsbKeyboard"),
    "ble-esp32": KeyboardKind("BleKeyboard", keys=True),
    "ble-bluefruit": KeyboardKind("BleKeyboard"),
}


@dataclass(frozen=True, kw_only=True)
class ArduinoCore:
    """The board with an Arduino core: which of templates/arduino's `sketches` run on it, how its core sends keys
    (KEYBOARDS; empty: it cannot), which `headers` its serial line needs, whether TensorFlow Lite Micro comes with it, a
    `note` for the person, and the `overhead` with that core, where that is more than the board's."""

    sketches: tuple[str, ...] = ("Typing", "Words")
    keyboard: str = ""
    headers: tuple[str, ...] = ()
    tflm: bool = False
    note: str = ""
    overhead: Overhead | None = None


@dataclass(frozen=True, kw_only=True)
class Arduino(ArduinoCore):
    """Its name in Arduino (packager:architecture:board[:options]), the `version` of that platform which projects pin, and the
    `index` that lists it (empty: Arduino's own)."""

    fqbn: str
    version: str
    index: str = ""


@dataclass(frozen=True, kw_only=True)
class PlatformIO(ArduinoCore):
    """Its name in PlatformIO, the `platform` at a version, further lines of its environment."""

    board: str
    platform: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class EspIdf:
    """The chip in ESP-IDF: its name as a `target`; whether it has a serial line of its own on USB (`usb_serial`), beside
    UART0; whether it can be a Bluetooth `keyboard`."""

    target: str
    usb_serial: bool = False
    keyboard: bool = False


@dataclass(frozen=True)
class Renode:
    """The board in Renode: a `platform` that comes with it, its peripheral `uart`, and where that is not as the firmware needs it,
    the one that is `removed` and a description of the one that is `added`."""

    platform: str
    uart: str
    removed: str = ""
    added: str = ""
