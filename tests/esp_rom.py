"""A stand-in for an ESP32-C3 on a TCP port: its boot ROM's serial loader, a flash, and the firmware in it once it starts.

Written from Espressif's public description of the serial protocol (docs.espressif.com, esptool, "Serial Protocol"). A socket
has no reset wires: SLIP's first byte puts the chip into its loader, any other byte starts what the flash holds.
"""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
import zlib
from pathlib import Path

from flashed_board import copy

from tinylm.board import load_board
from tinylm.emulator import ELF_NAME, Emulator, start

_END, _ESCAPE = 0xC0, 0xDB
_SYNC, _READ_REG, _SECURITY_INFO, _MD5 = 0x08, 0x0A, 0x14, 0x13
_MEM_END = 0x06
_DATA = {0x03: "flash", 0x07: "memory", 0x11: "deflated"}
_BEGIN = {0x02: "flash", 0x05: "memory", 0x10: "deflated"}
_CHIP_IDS = {"ESP32-C3": 5, "ESP32-S3": 9}
_REGISTERS = {
    0x40001000: 0x1B31506F,  # the chip's magic
    0x60002058: 0x1640C8,  # W0 of the SPI controller after a RDID: a flash of 4 MB
}
FLASH_BYTES = 4 << 20


def slip(packet: bytes) -> bytes:
    """A packet between two END bytes."""
    inside = packet.replace(bytes([_ESCAPE]), b"\xdb\xdd").replace(bytes([_END]), b"\xdb\xdc")
    return bytes([_END]) + inside + bytes([_END])


class EspChip:
    """`url` is its port; `flash` its bytes; `drop_after` closes the line after so many blocks, `damage` flips a written bit."""

    def __init__(
        self, folder: Path, chip: str = "ESP32-C3", drop_after: int | None = None, damage: bool = False
    ) -> None:
        self.folder, self.chip, self.drop_after, self.damage = folder, chip, drop_after, damage
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self.written: list[tuple[int, int]] = []  # (offset, bytes) of each write
        self._kind, self._at, self._packed, self._blocks = "", 0, None, 0
        self._stub = False
        self._emulator: Emulator | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> EspChip:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        self._reset()

    def restart(self) -> None:
        """The reset button: what the flash holds now starts with the next byte."""
        self._reset()

    def _reset(self) -> None:
        if self._emulator:
            self._emulator.close()
        self._emulator, self._stub = None, False

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with client:
                try:
                    first = client.recv(1)
                    if first == bytes([_END]):
                        self._reset()
                        self._load(client)
                    elif first:
                        self._run(client, first)
                except OSError:
                    pass  # the other end went away

    def _run(self, client: socket.socket, first: bytes) -> None:
        """The firmware: this image, in Unicorn."""
        if self._emulator is None:
            self.folder.mkdir(exist_ok=True)
            (self.folder / "firmware.bin").write_bytes(self.flash)
            (self.folder / ELF_NAME).touch()
            self._emulator = start(load_board("esp32c3"), self.folder, "unicorn")
        with socket.create_connection(("127.0.0.1", self._emulator.port)) as board:
            board.sendall(first)
            back = threading.Thread(target=copy, args=(board, client), daemon=True)
            back.start()
            copy(client, board)
            board.shutdown(socket.SHUT_RDWR)
            back.join()

    def _load(self, client: socket.socket) -> None:
        packet, inside, escaped = bytearray(), True, False
        while came := client.recv(65536):
            for byte in came:
                if byte == _END:
                    if inside and packet:
                        for answer in self._answer(bytes(packet)):
                            client.sendall(slip(answer))
                        if self.drop_after is not None and self._blocks > self.drop_after:
                            return
                    packet, inside = bytearray(), True
                elif escaped:
                    packet.append({0xDC: _END, 0xDD: _ESCAPE}[byte])
                    escaped = False
                elif byte == _ESCAPE:
                    escaped = True
                else:
                    packet.append(byte)

    def _answer(self, packet: bytes) -> list[bytes]:
        """The responses to one request: direction, command, length, a value, data and the status."""
        _, command, size, check = struct.unpack_from("<BBHI", packet)
        body = packet[8 : 8 + size]
        value, data, good = 0, b"", True
        if command == _SYNC:
            value = 0 if self._stub else 0x20120707  # a stub is known by its 0
        elif command == _READ_REG:
            value = _REGISTERS.get(struct.unpack("<I", body)[0], 0)
        elif command == _SECURITY_INFO:
            data = struct.pack("<IBBBBBBBBII", 0, *[0] * 8, _CHIP_IDS[self.chip], 3)
        elif command in _BEGIN:
            self._begin(_BEGIN[command], body)
        elif command in _DATA:
            good = self._take(body, check)
        elif command == _MD5:
            offset, count = struct.unpack_from("<II", body)
            digest = hashlib.md5(self.flash[offset : offset + count])
            data = digest.digest() if self._stub else digest.hexdigest().encode()
        status = bytes([not good, 7 * (not good)]) + (b"" if self._stub else b"\0\0")
        response = struct.pack("<BBHI", 1, command, len(data) + len(status), value) + data + status
        if command == _SYNC:
            return [response] * 8
        if command == _MEM_END:
            self._stub = True
            return [response, b"OHAI"]
        return [response]

    def _begin(self, kind: str, body: bytes) -> None:
        size, _, _, offset = struct.unpack_from("<IIII", body)
        self._kind, self._at = kind, offset
        self._packed = zlib.decompressobj() if kind == "deflated" else None
        if kind != "memory":
            self.flash[offset : offset + size] = b"\xff" * size
            if size:  # esptool ends with an empty one
                self.written.append((offset, size))

    def _take(self, body: bytes, check: int) -> bool:
        data, sum_ = body[16:], 0xEF
        for byte in data:
            sum_ ^= byte
        if sum_ != check & 0xFF:
            return False
        if self._kind == "memory":
            return True
        self._blocks += 1
        plain = bytearray(self._packed.decompress(data) if self._packed else data)
        if self.damage and plain:
            plain[0] ^= 1
        end = self.written[-1][0] + self.written[-1][1]
        plain = plain[: end - self._at]  # the last block is padded
        self.flash[self._at : self._at + len(plain)] = plain
        self._at += len(plain)
        return True
