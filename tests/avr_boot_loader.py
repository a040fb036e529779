"""A stand-in for an Arduino Mega on a pseudo-terminal: its boot loader (STK500v2, Atmel's AVR068), a flash, then the firmware.

A pseudo-terminal has no reset wire: it starts in the boot loader, and leaving that starts what the flash holds, in simavr.
"""

from __future__ import annotations

import functools
import operator
import os
import pty
import select
import socket
import subprocess
import threading
import tty
from pathlib import Path

from tinylm.board import load_board
from tinylm.emulator import ELF_NAME, Emulator, start

_SIGN_ON, _GET_PARAMETER, _LOAD_ADDRESS, _LEAVE = 0x01, 0x03, 0x06, 0x11
_PROGRAM_FLASH, _READ_FLASH, _READ_SIGNATURE, _SPI = 0x13, 0x14, 0x1B, 0x1D
SIGNATURES = {"ATmega2560": b"\x1e\x98\x01", "ATmega328P": b"\x1e\x95\x0f"}
FLASH_BYTES = 256 * 1024


class MegaBoard:
    """`port` is its terminal; `flash` its bytes."""

    def __init__(self, folder: Path, chip: str = "ATmega2560", damage: bool = False) -> None:
        self.folder, self.signature, self.damage = folder, SIGNATURES[chip], damage
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self.programmed = 0
        self._at = 0
        self._emulator: Emulator | None = None
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self._stop, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> MegaBoard:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._stopped)
        self._thread.join(10)
        for file in (self._stop, self._ours, self._theirs):
            os.close(file)
        if self._emulator:
            self._emulator.close()

    def _serve(self) -> None:
        waiting = b""
        while self._stop not in select.select([self._ours, self._stop], [], [])[0]:
            waiting += os.read(self._ours, 4096)
            while (message := self._cut(waiting)) is not None:
                waiting = waiting[message[0] :]
                if message[1] and not self._answer(*message[1]):
                    return self._run()

    @staticmethod
    def _cut(waiting: bytes) -> tuple[int, tuple[int, bytes] | None] | None:
        """(bytes used, (sequence, body)); the body between a header of 5 bytes and a sum of one. None: not whole yet."""
        start = waiting.find(b"\x1b")
        if start < 0 or len(waiting) < start + 5:
            return None
        size = int.from_bytes(waiting[start + 2 : start + 4])
        message = waiting[start : start + size + 6]
        if message[4] != 0x0E:
            return start + 1, None
        if len(message) < size + 6:
            return None
        good = functools.reduce(operator.xor, message) == 0
        return start + len(message), (message[1], message[5:-1]) if good else None

    def _answer(self, sequence: int, body: bytes) -> bool:
        """False when the boot loader is left."""
        command, data = body[0], b""
        if command == _SIGN_ON:
            data = b"\x08AVRISP_2"
        elif command == _GET_PARAMETER:
            data = b"\x02"
        elif command == _LOAD_ADDRESS:
            self._at = 2 * (int.from_bytes(body[1:5]) & 0x7FFFFFFF)
        elif command == _PROGRAM_FLASH:
            content = bytearray(body[10 : 10 + int.from_bytes(body[1:3])])
            if self.damage:
                content[0] ^= 1
            self.flash[self._at : self._at + len(content)] = content
            self._at += len(content)
            self.programmed += len(content)
        elif command == _READ_FLASH:
            count = int.from_bytes(body[1:3])
            data = bytes(self.flash[self._at : self._at + count]) + b"\0"
            self._at += count
        elif command == _READ_SIGNATURE:
            data = self.signature[body[4] : body[4] + 1] + b"\0"
        elif command == _SPI:  # four bytes out, four in; 0x30 reads the signature
            last = self.signature[body[6]] if body[4] == 0x30 else 0
            data = bytes([0, body[4], 0, last]) + b"\0"
        answer = bytes([command, 0]) + data
        message = bytes([0x1B, sequence]) + len(answer).to_bytes(2) + b"\x0e" + answer
        os.write(self._ours, message + bytes([functools.reduce(operator.xor, message)]))
        return command != _LEAVE

    def _run(self) -> None:
        """The firmware: these bytes, in simavr."""
        self.folder.mkdir()
        (self.folder / "flash.bin").write_bytes(self.flash.rstrip(b"\xff") + b"\xff")
        made = ["--rename-section", ".data=.text,alloc,load,code,contents", "flash.bin", ELF_NAME]
        subprocess.run(["avr-objcopy", "-I", "binary", "-O", "elf32-avr", *made], cwd=self.folder, check=True)
        self._emulator = start(load_board("arduino-mega"), self.folder, "simavr")
        with socket.create_connection(("127.0.0.1", self._emulator.port)) as chip:
            while True:
                ready = select.select([self._ours, chip, self._stop], [], [])[0]
                if self._stop in ready:
                    return
                if self._ours in ready:
                    chip.sendall(os.read(self._ours, 4096))
                if chip in ready:
                    os.write(self._ours, chip.recv(4096))
