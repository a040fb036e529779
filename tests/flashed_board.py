"""A stand-in for a board on a TCP port: a file is its flash, written by stand-ins of flashing programs, run in an emulator.

The flash is erased a sector at a time, whose sizes are the chips' manuals', not the boards' files'.
"""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

from tinylm.board import load_board
from tinylm.emulator import ELF_NAME, Emulator, start
from tinylm.image_formats import parse_uf2

STM32F4 = (*[16 << 10] * 4, 64 << 10, *[128 << 10] * 7)
PAGES = (4096,) * 512
SECTORS = {"nucleo-f401re": STM32F4, "netduinoplus2": STM32F4}  # others have pages
FLASH_START = {"nucleo-f401re": 0x08000000, "netduinoplus2": 0x08000000, "raspberry-pi-pico": 0x10000000}
NANO_BOOT_LOADER_BYTES = 0x10000


def program_flash(board: str, file: Path, address: int, content: bytes) -> None:
    """What every flasher does: erases each sector that the content touches, then writes. `file` begins at the board's region."""
    region = load_board(board).memory.flash
    sector = FLASH_START.get(board, 0)
    flash = bytearray(file.read_bytes())
    for size in SECTORS.get(board, PAGES):
        if sector < address + len(content) and address < sector + size:
            at = sector - region.origin
            assert at >= 0, "the boot loader would be erased"
            flash[at : at + size] = b"\xff" * size
        sector += size
    flash[address - region.origin : address - region.origin + len(content)] = content
    file.write_bytes(flash)


def act_as(tool: str, board: str, file: str, arguments: list[str]) -> None:
    """A flashing program's part: the address and the image of its command line."""

    def after(flag: str) -> str:
        return arguments[arguments.index(flag) + 1]

    if tool == "pyocd":
        address, image = int(after("--base-address"), 0), arguments[-1]
    elif tool == "dfu-util":
        address, image = int(after("-s").removesuffix(":leave"), 0), after("-D")
    else:
        offset = next(a for a in arguments if a.startswith("--offset="))
        address, image = NANO_BOOT_LOADER_BYTES + int(offset.removeprefix("--offset="), 0), arguments[-2]
    program_flash(board, Path(file), address, Path(image).read_bytes())


class FlashedBoard:
    """`url` is its serial line. `programs` is a folder for PATH with the board's flashing program, `drive` the board's drive."""

    def __init__(self, folder: Path, name: str, emulator: str) -> None:
        self.name, self.emulator, self.folder = name, emulator, folder
        self.programs, self.drive = folder / "bin", folder / "drive"
        for made in (folder, self.programs, self.drive):
            made.mkdir()
        self._file = folder / "firmware.bin"
        self._file.write_bytes(b"\xff" * min(load_board(name).memory.flash.bytes, 512 << 10))
        self._drive = load_board(name).flasher.drive
        if self._drive:
            (self.drive / self._drive.file).write_text(self._drive.says[0])
        else:
            self._install(load_board(name).flasher.tool)
        self._running: Emulator | None = None
        self._started = b""  # the flash that runs
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> FlashedBoard:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        self._stop()

    @property
    def flash(self) -> bytes:
        """What it holds; what came onto the drive was taken into it."""
        for file in self.drive.glob("*.uf2"):
            address, content = parse_uf2(file.read_bytes(), load_board(self.name).image.uf2_family)
            program_flash(self.name, self._file, address, content)
            file.unlink()
        return self._file.read_bytes()

    def put(self, content: bytes) -> None:
        """As if another program had written all of it."""
        self._file.write_bytes(content)

    def _install(self, tool: str) -> None:
        program = self.programs / tool
        lines = (
            f"#!{sys.executable}",
            "import sys",
            f"sys.path[:0] = {[p for p in sys.path if p]!r}",
            "from flashed_board import act_as",
            f"act_as({tool!r}, {self.name!r}, {str(self._file)!r}, sys.argv[1:])",
        )
        program.write_text("\n".join(lines))
        program.chmod(0o755)

    def _serve(self) -> None:
        """A client meets the firmware that the flash holds now: it starts again when that has changed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            content = self.flash
            if content != self._started:
                self._stop()
                (self.folder / ELF_NAME).write_bytes(content)  # QEMU takes it for what it is: bytes of flash
                self._running, self._started = start(load_board(self.name), self.folder, self.emulator), content
            with client, socket.create_connection(("127.0.0.1", self._running.port)) as board:
                back = threading.Thread(target=copy, args=(board, client), daemon=True)
                back.start()
                copy(client, board)
                board.shutdown(socket.SHUT_RDWR)
                back.join()

    def _stop(self) -> None:
        if self._running:
            self._running.close()
        self._running, self._started = None, b""


def copy(source: socket.socket, target: socket.socket) -> None:
    """Bytes from one end to the other, until either goes."""
    try:
        while came := source.recv(65536):
            target.sendall(came)
    except OSError:
        pass
