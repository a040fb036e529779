"""An ESP-IDF project: our C as a component, a program that is typed on over a serial line, and a Bluetooth keyboard.

Knows ESP-IDF's files, and the versions that they ask for; compiles nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinylm.board import Board
from tinylm.component import list_sources_in, write_component
from tinylm.generate import ModelView
from tinylm.programs import describe_program
from tinylm.rendering import write_template
from tinylm.tflm import Interpreted

TFLITE_MICRO = "==1.4.0"  # of the component espressif/esp-tflite-micro
_APP_OFFSET = 0x10000  # where its boot loader looks for the first program
_SOURCES = {"Typing": "main.cpp", "BleKeyboard": "keyboard.cpp"}
_BLUETOOTH = ("bt", "esp_hid", "nvs_flash")


@dataclass(frozen=True)
class Versions:
    """Of ESP-IDF: from `least`, whose drivers are components of their own, to before `below`."""

    least: str = "5.3"
    below: str = "6.0"

    @property
    def range(self) -> str:
        """As a component's manifest asks for it."""
        return f">={self.least},<{self.below}"


IDF = Versions()


def write_espidf(view: ModelView, tflm: Interpreted | None, board: Board, folder: Path) -> None:
    """components/tinylm/, the project around it with main/, keyboard/ (a project of its own), README.md."""
    about, place = board.espidf, folder / "components" / "tinylm"
    component = write_component(view, tflm, board, place, keys=about.keyboard)
    drivers = ("esp_driver_uart", *(("esp_driver_usb_serial_jtag",) if about.usb_serial else ()))
    names = ("Typing", *(("BleKeyboard",) if about.keyboard else ()))
    values = {"view": component, "board": board, "idf": IDF, "tflite_micro": TFLITE_MICRO, "sources": list_sources_in(place),
              "programs": [describe_program(name, _SOURCES[name], component) for name in names],
              "monitor": "idf.py -p PORT monitor", "ports": "python -m serial.tools.list_ports",
              "flash_megabytes": board.memory.flash.bytes >> 20,
              "factory_bytes": board.memory.flash.bytes - _APP_OFFSET}  # fmt: skip
    for template, name in (("component.cmake", "CMakeLists.txt"), ("component.yml", "idf_component.yml")):
        write_template(f"espidf/{template}.j2", place / name, values)
    for name in ("README.md", "partitions.csv"):
        write_template(f"espidf/{name}.j2", folder / name, values)
    _write_program(folder, "main.cpp", values | _place("typing", "", "partitions.csv", drivers))
    if about.keyboard:
        keyboard = _place("keyboard", "../components", "../partitions.csv", (*_BLUETOOTH, *drivers), is_keyboard=True)
        _write_program(folder / "keyboard", "keyboard.cpp", values | keyboard)


def _place(
    project: str, components: str, partitions: str, requires: tuple[str, ...], is_keyboard: bool = False
) -> dict[str, object]:
    """What the files of one program name."""
    return {"project": project, "components": components, "partitions": partitions, "requires": ("tinylm", *requires),
            "is_keyboard": is_keyboard}  # fmt: skip


def _write_program(folder: Path, source: str, values: dict[str, object]) -> None:
    values = values | {"source": source}
    for template, name in (
        ("CMakeLists.txt", "CMakeLists.txt"),
        ("sdkconfig.defaults", "sdkconfig.defaults"),
        ("gitignore", ".gitignore"),
        ("main.cmake", "main/CMakeLists.txt"),
        ("main.yml", "main/idf_component.yml"),
        (source, f"main/{source}"),
    ):
        write_template(f"espidf/{template}.j2", folder / name, values)
