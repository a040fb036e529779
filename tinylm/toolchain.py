"""Which compilers, emulators and flashers are on this machine, and what to type for those that are not.

Knows programs, packages and the flags of each compiler; knows no board and compiles nothing.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tinylm.errors import TinylmError, nearest


@dataclass(frozen=True)
class Tool:
    """A program (`programs`: names to look for, best first), a Python `package` or a Node `module` (`programs` runs it); who
    has it where, or the `command` that installs it. `machine`: a machine that a QEMU must have."""

    name: str
    kind: str
    purpose: str
    programs: tuple[str, ...] = ()
    package: str = ""
    module: str = ""
    apt: str = ""
    brew: str = ""
    pip: str = ""
    npm: str = ""
    machine: str = ""
    command: str = ""


@dataclass(frozen=True)
class ToolStatus:
    """A line of `tinylm doctor`. `where` is empty when the tool is missing; then `install` is what to type."""

    name: str
    kind: str
    purpose: str
    where: str
    version: str
    install: str


@dataclass(frozen=True)
class Toolchain:
    """A compiler driver for one architecture: `command` + flags compiles, `command` + `link` + ... + `libraries` links."""

    name: str
    architecture: str
    command: tuple[str, ...]
    compile: tuple[str, ...]
    link: tuple[str, ...]
    libraries: tuple[str, ...]


_PIP = "tinylm[toolchain]"
_PIP_FLASH = "tinylm[flash]"
TOOLS = (
    Tool("cc", "compiler", "the host engine", ("cc", "gcc", "clang"), apt="gcc", brew="gcc"),
    Tool("arm-none-eabi-gcc", "compiler", "Cortex-M", ("arm-none-eabi-gcc",), apt="gcc-arm-none-eabi",
         brew="arm-none-eabi-gcc"),
    Tool("arm-none-eabi-g++", "compiler", "Cortex-M with TFLM", ("arm-none-eabi-g++",),
         apt="libstdc++-arm-none-eabi-newlib", brew="arm-none-eabi-gcc"),
    Tool("c++", "compiler", "this computer with TFLM", ("c++", "g++", "clang++"), apt="g++", brew="gcc"),
    Tool("make", "compiler", "projects with TFLM", ("make",), apt="make", brew="make"),
    Tool("riscv64-unknown-elf-gcc", "compiler", "ESP32-C3", ("riscv64-unknown-elf-gcc", "riscv32-esp-elf-gcc"),
         apt="gcc-riscv64-unknown-elf", brew="riscv64-elf-gcc"),
    Tool("xtensa-lx106-elf-gcc", "compiler", "ESP32, ESP8266", ("xtensa-lx106-elf-gcc",), apt="gcc-xtensa-lx106"),
    Tool("avr-gcc", "compiler", "Arduino Uno and Mega", ("avr-gcc",), apt="gcc-avr avr-libc", brew="osx-cross/avr/avr-gcc"),
    Tool("ziglang", "compiler", "host, Cortex-M, ESP32-C3", package="ziglang", pip=_PIP),
    Tool("qemu-system-arm", "emulator", "Cortex-M boards", ("qemu-system-arm",), apt="qemu-system-arm", brew="qemu"),
    Tool("qemu-system-avr", "emulator", "Arduino Uno", ("qemu-system-avr",), apt="qemu-system-misc", brew="qemu"),
    Tool("qemu-system-xtensa", "emulator", "the ESP32's core", ("qemu-system-xtensa",), apt="qemu-system-misc",
         brew="qemu"),
    Tool("esp-qemu-xtensa", "emulator", "ESP32 with its boot ROM", ("qemu-system-xtensa",), machine="esp32",
         command="idf_tools.py install qemu-xtensa"),
    Tool("esp-qemu-riscv32", "emulator", "ESP32-C3 with its boot ROM", ("qemu-system-riscv32",), machine="esp32c3",
         command="idf_tools.py install qemu-riscv32"),
    Tool("simavr", "emulator", "Arduino boards, with cycle counts", ("simavr",), apt="simavr", brew="simavr"),
    Tool("unicorn", "emulator", "Cortex-M and ESP32-C3", package="unicorn", pip=_PIP),
    Tool("rp2040js", "emulator", "Raspberry Pi Pico", ("node", "nodejs"), module="rp2040js", npm="rp2040js@1.4.1"),
    Tool("renode-test", "emulator", "a build's firmware.robot", ("renode-test",), brew="--cask renode",
         command="https://github.com/renode/renode/releases"),
    Tool("avrdude", "flasher", "Arduino boards", ("avrdude",), apt="avrdude", brew="avrdude"),
    Tool("esptool", "flasher", "ESP32 and ESP8266 boards", ("esptool", "esptool.py"), package="esptool", pip=_PIP_FLASH),
    Tool("bossac", "flasher", "Arduino Nano 33 BLE", ("bossac",), 
         command="arduino-cli core install arduino:mbed_nano"),
    Tool("dfu-util", "flasher", "STM32 boards by USB", ("dfu-util",), apt="dfu-util", brew="dfu-util"),
    Tool("pyocd", "flasher", "boards with a debug probe", ("pyocd",), package="pyocd", pip=_PIP_FLASH),
)  # fmt: skip
_BY_NAME = {tool.name: tool for tool in TOOLS}
_GCC = {"host": "cc", "arm": "arm-none-eabi-gcc", "riscv32": "riscv64-unknown-elf-gcc", "avr": "avr-gcc",
        "xtensa": "xtensa-lx106-elf-gcc"}  # fmt: skip

# No C library comes with these; libgcc (or zig's compiler_rt) has the arithmetic that the CPU lacks.
_BARE = ("arm", "riscv32", "xtensa")
_LINK_BARE = ("-nostdlib", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--entry=tlm_start")


def install_command(name: str) -> str:
    """What to type to get the tool of that name on this machine."""
    tool = _BY_NAME[name]
    if tool.command:
        return tool.command
    if tool.pip:
        return f"pip install '{tool.pip}'"
    if tool.npm:
        return f"npm install --global {tool.npm}"
    return f"brew install {tool.brew}" if sys.platform == "darwin" and tool.brew else f"apt-get install {tool.apt}"


@functools.cache
def find_tool(name: str) -> tuple[str, ...] | None:
    """The command that starts a tool (a package runs in this Python, Node gets a module's folder), or None when it is not here."""
    tool = _BY_NAME[name]
    for program in tool.programs:
        if tool.machine:
            if path := _find_qemu(program, tool.machine):
                return (path,)
        elif path := shutil.which(program):
            if not tool.module:
                return (path,)
            if folder := _node_module(tool.module, Path(path)):
                return (path, str(folder))
    if tool.package and importlib.util.find_spec(tool.package):
        return (sys.executable, "-m", tool.package)
    return None


def _node_module(name: str, node: Path) -> Path | None:
    """Where a module of Node is installed: in a folder of NODE_PATH, or globally beside `node`."""
    places = [Path(place) for place in os.environ.get("NODE_PATH", "").split(os.pathsep) if place]
    prefixes = {node.parent.parent, node.resolve().parent.parent, Path("/usr/local")}
    places += [prefix / "lib" / "node_modules" for prefix in sorted(prefixes)]
    return next((place / name for place in places if (place / name / "package.json").is_file()), None)


def _find_qemu(program: str, machine: str) -> str | None:
    """The first QEMU of that name on PATH that has a machine: a system's own may come before a vendor's."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = shutil.which(program, path=folder) if folder else None
        if not path:
            continue
        try:
            done = subprocess.run([path, "-M", "help"], capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if any(line.split()[:1] == [machine] for line in done.stdout.splitlines()):
            return path
    return None


def require_tool(name: str) -> tuple[str, ...]:
    """As `find_tool`; raises TinylmError with the install command instead of None."""
    command = find_tool(name)
    if command is None:
        raise TinylmError(f"{name} is not installed.", f"Install it: {install_command(name)}")
    return command


def find_toolchain(architecture: str, zig_can: bool = True, name: str | None = None) -> Toolchain:
    """The compiler for an architecture: gcc if it is on PATH, else zig, or the one asked for by name.

    Args:
        architecture: "host", "arm", "riscv32", "avr" or "xtensa".
        zig_can: whether zig is able to build the board at all (a board with empty zig flags: no).
        name: "gcc", "zig" or None.
    Raises TinylmError with the command that installs what is missing.
    """
    if name not in (None, "gcc", "zig"):
        raise TinylmError(f"There is no toolchain '{name}'.", nearest(name, ("gcc", "zig")))
    if name == "zig" and not zig_can:
        raise TinylmError(f"zig cannot build for {architecture}.", "Leave the toolchain out, or ask for 'gcc'.")
    gcc = find_tool(_GCC[architecture])
    if gcc and name != "zig":
        return _gcc_toolchain(architecture, gcc)
    zig = find_tool("ziglang") if zig_can else None
    if zig and name != "gcc":
        return _zig_toolchain(architecture, zig)
    wanted = ["ziglang"] if name == "zig" else [_GCC[architecture]] + ["ziglang"] * (zig_can and name is None)
    hint = "Install it: " + " (or: ".join(install_command(tool) for tool in wanted) + ")" * (len(wanted) - 1)
    raise TinylmError(f"No compiler for {architecture} is installed: {' or '.join(wanted)} is needed.", hint)


def compiler_tools(architecture: str, zig_can: bool) -> tuple[str, ...]:
    """The tools, best first, any of which compiles for an architecture."""
    return (_GCC[architecture], "ziglang") if zig_can else (_GCC[architecture],)


def _gcc_toolchain(architecture: str, command: tuple[str, ...]) -> Toolchain:
    if architecture in _BARE:
        return Toolchain("gcc", architecture, command, ("-ffreestanding",), _LINK_BARE, ("-lgcc",))
    link = ("-Wl,--gc-sections", "-Wl,--strip-debug") if architecture == "avr" else ()
    return Toolchain("gcc", architecture, command, (), link, ())


def _zig_toolchain(architecture: str, command: tuple[str, ...]) -> Toolchain:
    quiet = ("-g0", "-fno-sanitize=undefined")
    if architecture in _BARE:
        return Toolchain(
            "zig", architecture, (*command, "cc"), ("-ffreestanding", *quiet), _LINK_BARE, ("-lcompiler_rt",)
        )
    return Toolchain("zig", architecture, (*command, "cc"), quiet, (), ())


def tool_table() -> list[ToolStatus]:
    """Every tool that tinylm can use, found or not."""
    return [_status(tool) for tool in TOOLS]


def _status(tool: Tool) -> ToolStatus:
    command = find_tool(tool.name)
    if command is None:
        return ToolStatus(tool.name, tool.kind, tool.purpose, "", "", install_command(tool.name))
    where = f"Python package {tool.package}" if command[1:2] == ("-m",) else command[-1]
    return ToolStatus(tool.name, tool.kind, tool.purpose, where, _version(tool, command), "")


def _version(tool: Tool, command: tuple[str, ...]) -> str:
    if tool.module:
        return json.loads((Path(command[-1]) / "package.json").read_text("utf-8"))["version"]
    if len(command) > 1:
        return importlib.metadata.version(tool.package)
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else ""
