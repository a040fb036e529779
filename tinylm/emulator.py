"""Boots a built image in the best emulator that is here; its serial line is a `socket://` URL, as a board's is a port.

Chooses and starts; the emulators themselves are in tinylm/emulators/, each in a process of its own.
"""

from __future__ import annotations

import contextlib
import ctypes.util
import hashlib
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO

from tinylm.board import Board, EmulatorChoice, board_path
from tinylm.errors import TinylmError, nearest
from tinylm.firmware import ELF_NAME
from tinylm.resources import cache_dir
from tinylm.toolchain import find_tool, find_toolchain, install_command, require_tool

_HERE = Path(__file__).resolve().parent
_CLOSE_TIMEOUT_S = 5


class Emulator:
    """A running board. `url` opens with serial.serial_for_url; leaving the `with` block ends it."""

    def __init__(self, choice: EmulatorChoice, process: subprocess.Popen, port: int, log: IO[bytes]) -> None:
        self.name = choice.name
        self.fidelity = choice.fidelity
        self.url = f"socket://127.0.0.1:{port}"
        self.port = port
        self._process = process
        self._log = log

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def running(self) -> bool:
        """Whether the emulator's process still lives."""
        return self._process.poll() is None

    def log(self) -> str:
        """What the emulator said on its standard error."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def wait(self) -> None:
        """Blocks until the emulator ends by itself (or Ctrl-C)."""
        self._process.wait()

    def close(self) -> None:
        """Ends the emulator; its process ends when its standard input does, and is killed if it does not."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(_CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._log.close()


def start(board: Board, build_dir: Path, emulator: str | None = None, options: Sequence[str] = ()) -> Emulator:
    """Boots the firmware in `build_dir` (what compile_firmware wrote). Use as a context manager.

    Args:
        emulator: one of the board's emulators by name, or None for the first that is installed.
        options: further ones of the emulator's program (QEMU's).
    Raises TinylmError when nothing is built there, no emulator is installed, or it ends at once.
    """
    if not (build_dir / ELF_NAME).exists():
        raise TinylmError(f"{build_dir} holds no {ELF_NAME}.", f"Build it: tinylm build --board {board.argument}")
    choice = choose_emulator(board, emulator)
    choice = replace(choice, arguments=(*choice.arguments, *options))
    return _STARTERS[choice.name](board, choice, build_dir)


def choose_emulator(board: Board, name: str | None = None) -> EmulatorChoice:
    """The board's emulator of that name, or its first (best) one that is installed. Raises TinylmError otherwise."""
    names = [choice.name for choice in board.emulators]
    if name is not None and name not in names:
        raise TinylmError(f"{board.name} does not run in '{name}'.", nearest(name, names))
    wanted = [choice for choice in board.emulators if name in (None, choice.name)]
    for choice in wanted:
        if tool_of(choice) is None or find_tool(tool_of(choice)):
            return choice
    if not wanted:
        raise TinylmError(f"No emulator runs {board.name}.", "Use a real board: tinylm flash")
    commands = " or: ".join(install_command(tool_of(choice)) for choice in wanted)
    raise TinylmError(f"No emulator of {board.name} is installed.", f"Install one: {commands}")


def tool_of(choice: EmulatorChoice) -> str | None:
    """The tool of tinylm/toolchain.py that an emulator needs; None: it needs nothing."""
    return choice.program or (choice.name if choice.name in ("unicorn", "simavr", "rp2040js") else None)


def _start_qemu(board: Board, choice: EmulatorChoice, build_dir: Path) -> Emulator:
    """QEMU takes the listening socket itself where the system can pass one, so no other program can take the port."""
    names = {"elf": str(build_dir / ELF_NAME)}
    if any("{flash}" in argument for argument in choice.arguments):
        names["flash"] = str(_fill_flash(board, build_dir))
    machine = [argument.format(**names) for argument in choice.arguments]
    program = [*require_tool(choice.program), *machine, "-display", "none", "-monitor", "none"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = f"socket,id=line,server=on,wait=on,nodelay=on,fd={listener.fileno()}"
        if os.name == "nt":
            listener.close()
            line = f"socket,id=line,server=on,wait=on,nodelay=on,host=127.0.0.1,port={port}"
        command = [*program, "-chardev", line, "-serial", "chardev:line"]
        lifeline = [sys.executable, "-I", str(_HERE / "emulators" / "lifeline.py"), *command]
        passed = () if os.name == "nt" else (listener.fileno(),)
        log = tempfile.TemporaryFile()
        process = subprocess.Popen(
            lifeline, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, pass_fds=passed
        )
    return Emulator(choice, process, port, log)


def _fill_flash(board: Board, build_dir: Path) -> Path:
    """The image that a flasher writes, as a file of the whole flash: what is not written reads as 0xFF."""
    filled = build_dir / "flash.bin"
    filled.write_bytes((build_dir / "firmware.bin").read_bytes().ljust(board.memory.flash.bytes, b"\xff"))
    return filled


def _start_unicorn(board: Board, choice: EmulatorChoice, build_dir: Path) -> Emulator:
    board_file = board.file or board_path(board.name)
    module = "tinylm.emulators.unicorn_machine"
    return _start_announced(choice, [sys.executable, "-m", module, str(board_file), str(build_dir / "firmware.bin")])


def _start_rp2040js(board: Board, choice: EmulatorChoice, build_dir: Path) -> Emulator:
    node, package = require_tool("rp2040js")
    script = str(_HERE / "emulators" / "rp2040_machine.cjs")
    return _start_announced(
        choice, [node, script, package, str((build_dir / "firmware.bin").resolve()), str(board.serial.baud)]
    )


def _start_program(board: Board, choice: EmulatorChoice, build_dir: Path) -> Emulator:
    program = str((build_dir / ELF_NAME).resolve())
    return _start_announced(choice, [sys.executable, "-m", "tinylm.emulators.program", program])


def _start_esp8266(board: Board, choice: EmulatorChoice, build_dir: Path) -> Emulator:
    machine = str(_native_machine("esp8266_machine.c"))
    return _start_announced(choice, [machine, str(build_dir / "firmware.bin"), str(board.serial.baud)])


def _start_simavr(board: Board, choice: EmulatorChoice, build_dir: Path) -> Emulator:
    library = ctypes.util.find_library("simavr")
    if library is None:
        raise TinylmError("simavr's library is not installed.", f"Install it: {install_command('simavr')}")
    machine = str(_native_machine("simavr_machine.c"))
    return _start_announced(choice, [machine, library, choice.machine, str(board.clock_hz), str(build_dir / ELF_NAME)])


def _native_machine(name: str) -> Path:
    """A C file of tinylm/emulators, compiled, and kept in the cache under a name that says what it was made from."""
    source = _HERE / "emulators" / name
    made_from = (source, *sorted(source.parent.glob("*.h")))
    key = hashlib.sha256(b"".join(path.read_bytes() for path in made_from)).hexdigest()[:16]
    program = cache_dir() / f"{source.stem}-{key}"
    if not program.exists():
        tools = find_toolchain("host")
        fresh = program.with_suffix(f".{os.getpid()}")
        command = [*tools.command, "-O2", str(source), "-o", str(fresh), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise TinylmError(
                f"{tools.name} could not build {source.name}:\n{done.stderr}", "Please report this as a bug."
            )
        fresh.replace(program)
    return program


def _start_announced(choice: EmulatorChoice, command: list[str]) -> Emulator:
    """Starts a process that prints the TCP port it listens on and ends when its standard input does."""
    log = tempfile.TemporaryFile()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_HERE.parent), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment)
    emulator = Emulator(choice, process, 0, log)
    try:
        emulator.port = int(process.stdout.readline())
    except BaseException as error:
        said = emulator.log().strip()[-500:]
        emulator.close()
        if isinstance(error, ValueError):
            raise TinylmError(f"{choice.name} did not start: {said}", "Try another emulator of the board.") from error
        raise
    emulator.url = f"socket://127.0.0.1:{emulator.port}"
    return emulator


_STARTERS: dict[str, Callable[[Board, EmulatorChoice, Path], Emulator]] = {
    "qemu": _start_qemu,
    "unicorn": _start_unicorn,
    "simavr": _start_simavr,
    "esp8266": _start_esp8266,
    "rp2040js": _start_rp2040js,
    "process": _start_program,
}


@dataclass(frozen=True)
class _Ends:
    """The two ends that a bridge copies between."""

    terminal: int
    line: socket.socket


@contextlib.contextmanager
def bridge_to_pty(emulator: Emulator) -> Iterator[str]:
    """A pseudo-terminal that is the emulator's serial line, for programs that want a device file. Yields its path."""
    try:
        import pty
        import tty
    except ImportError as error:
        raise TinylmError("This system has no pseudo-terminals.", f"Connect to {emulator.url} instead.") from error
    terminal, device = pty.openpty()
    tty.setraw(device)  # kept open here, so that a program may close it and another open it
    with socket.create_connection(("127.0.0.1", emulator.port)) as line:
        stop, stopped = os.pipe()
        copier = threading.Thread(target=_copy_both_ways, args=(_Ends(terminal, line), stop), daemon=True)
        copier.start()
        try:
            yield os.ttyname(device)
        finally:
            os.close(stopped)
            copier.join()
            for file in (stop, terminal, device):
                os.close(file)


def _copy_both_ways(ends: _Ends, stop: int) -> None:
    while True:
        ready = select.select([ends.terminal, ends.line, stop], [], [])[0]
        if stop in ready:
            return
        if ends.terminal in ready:
            ends.line.sendall(os.read(ends.terminal, 4096))
        if ends.line in ready:
            came = ends.line.recv(4096)
            if not came:
                return
            os.write(ends.terminal, came)
