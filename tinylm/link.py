"""A device on a serial line, as an engine that Python can call. Knows the commands; frames.py knows their frames.

docs/SPEC.md, "The serial protocol", lists every command; firmware/link/tlm_command.c is the other end.
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType

from tinylm.errors import TinylmError
from tinylm.frames import FrameReader, encode_frame
from tinylm.serial_port import Port, describe_ports, open_port
from tinylm.statuses import describe_status, status_code

PROTOCOL_VERSION = 1
BAUD = 115_200
TIMEOUT_S = 3.0
BOOT_S = 10.0
"""A board restarts when its port opens; its boot loader and self-test may take this long."""

_FIRST_WAIT_S = 0.3
_SILENT_TRIES = 4
_DAMAGED_TRIES = 20
_FEED_BYTES = 32  # of text in one request: a slow chip answers before the wait is over
_BYTE_S = 0.25  # a step of the network on the slowest board (ATmega2560), and some
_GREETING = b"tinylm "
_SEND_AGAIN = b""  # in place of an answer, which has a status at least


class Command(IntEnum):
    """Request numbers; an answer carries the same with the top bit set."""

    IDENTIFY = 0x01
    RESET = 0x02
    FEED = 0x03
    BACKSPACE = 0x04
    ACCEPT = 0x05
    SUGGEST = 0x06
    LINE = 0x07
    HASH = 0x08
    LEAVE = 0x09
    MEMORY = 0x0A


_MEMORY_OFF, _MEMORY_ON, _MEMORY_ERASE = b"\0", b"\1", b"\2"


class DeviceError(TinylmError):
    """The device refused a request. `code` is its number in `enum tlm_err`."""

    def __init__(self, code: int, what: str, hint: str = "") -> None:
        super().__init__(f"The device refused to {what}: {describe_status(code)}.", hint)
        self.code = code


_KINDS = {0: "word", 1: "character", 2: "ngram", 3: "mixture"}


@dataclass(frozen=True)
class Identity:
    """What a device says of itself. Sizes are bytes; `language_check` and `self_test` are 0 or an `enum tlm_err`.

    `memory_bytes`: of the user's memory; 0: it does not learn. `fingerprint`: of the firmware around a model that lies apart.
    """

    protocol: int
    kind: str
    language_check: int
    self_test: int
    max_suggestions: int
    feed_bytes: int
    line_bytes: int
    model_hash: int
    language_bytes: int
    vocabulary: int
    rows: int
    state_bytes: int
    firmware: str
    board: str
    model: str
    memory_bytes: int = 0
    fingerprint: int = 0

    _FIXED = struct.Struct("<BBbbBHHIIHHH")

    @classmethod
    def parse(cls, payload: bytes) -> Identity:
        """From an identify answer's payload. Later firmware may append fields; they are ignored. ValueError: cut."""
        if len(payload) < cls._FIXED.size:
            raise ValueError("identify answer is cut")
        fixed = cls._FIXED.unpack_from(payload)
        names, rest = _parse_texts(payload[cls._FIXED.size :], 3)
        memory_bytes = int.from_bytes(rest[:2], "little")  # 0 of firmware that does not tell
        fingerprint = int.from_bytes(rest[2:6], "little")
        return cls(fixed[0], _KINDS.get(fixed[1], f"kind {fixed[1]}"), *fixed[2:], *names, memory_bytes, fingerprint)


def _parse_texts(payload: bytes, count: int) -> tuple[list[str], bytes]:
    """`count` texts, each a length byte and UTF-8, and what follows them. ValueError when they are cut."""
    texts = []
    for _ in range(count):
        if not payload or len(payload) < 1 + payload[0]:
            raise ValueError("a text is cut")
        texts.append(payload[1 : 1 + payload[0]].decode("utf-8", "replace"))
        payload = payload[1 + payload[0] :]
    return texts, payload


def _split_text(typed: bytes) -> list[bytes]:
    """Parts of at most _FEED_BYTES that end with a whole character: the device counts whole ones. At least one part."""
    parts = []
    while len(typed) > _FEED_BYTES:
        end = _FEED_BYTES
        while typed[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(typed[:end])
        typed = typed[end:]
    return [*parts, typed]


class Device:
    """A device that was identified. Every edit can ask for `count` suggestions (0 = none) in the same exchange.

    Lost and damaged answers are asked for again with the same sequence number, which the device does not run twice.
    Raises TinylmError: silence, damage that does not end, a restart in the middle of a line; DeviceError: a refusal.
    """

    def __init__(
        self,
        port: Port,
        name: str = "the port",
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port = port
        self._name = name
        self._timeout_s = timeout_s
        self._clock = clock
        self._reader = FrameReader()
        self._sequence = 0
        self._line_bytes = 0
        self._received = b""
        self.identity: Identity

    @classmethod
    def open(
        cls,
        url: str,
        baud: int = BAUD,
        timeout_s: float = TIMEOUT_S,
        boot_s: float = BOOT_S,
        model_hash: int | None = None,
    ) -> Device:
        """Open a port, wait for its device (at most about `boot_s`), check it and start an empty line.

        Args:
            url: `/dev/ttyACM0`, `COM3`, `socket://127.0.0.1:PORT`.
            timeout_s: how long the device may take for one answer.
            model_hash: refuse a device that holds another model (None: take any).
        """
        device = cls(open_port(url, baud), f"{url} ({baud} baud)" if "://" not in url else url, timeout_s)
        try:
            device.start(boot_s, model_hash)
        except BaseException:
            device._port.close()
            raise
        return device

    def start(self, boot_s: float = BOOT_S, model_hash: int | None = None) -> Identity:
        """Identify the device, refuse one that cannot be used, and empty its line."""
        self.identity = self.identify(boot_s)
        identity = self.identity
        if identity.language_check < 0 or identity.self_test < 0:
            what = "its model is damaged" if identity.language_check < 0 else "its self-test failed"
            if identity.language_check == status_code("TLM_ERR_FIRMWARE"):
                what = "its model was built with another firmware"
            raise TinylmError(
                f"The device on {self._name} ({identity.board}, {identity.model}) cannot predict: {what}.",
                f"Flash it again: tinylm flash --board {identity.board}.",
            )
        if model_hash is not None and identity.model_hash != model_hash:
            raise TinylmError(
                f"The device on {self._name} holds model {identity.model} ({identity.model_hash:08x}), "
                f"not the one asked for ({model_hash:08x}).",
                f"Flash it: tinylm flash --board {identity.board} --model FOLDER.",
            )
        self.reset()
        return identity

    def identify(self, boot_s: float = BOOT_S) -> Identity:
        """Ask who is there, with growing pauses: a boot loader needs silence before it starts the firmware."""
        request = self._next_request(Command.IDENTIFY, bytes([PROTOCOL_VERSION]))
        deadline = self._clock() + boot_s
        wait_s = _FIRST_WAIT_S
        while self._clock() < deadline:
            self._reader.text.clear()
            answer = self._attempt(request, min(wait_s, deadline - self._clock()), until_greeting=True)
            if answer:
                return self._parse_identity(answer)
            wait_s *= 2 if answer is None else 1
        raise self._silence(boot_s)

    def reset(self, count: int = 0) -> list[str]:
        """Empty the line."""
        return self._edit("empty the line", Command.RESET, count)

    def feed(self, text: str, count: int = 0) -> list[str]:
        """Type `text`; a newline ends the line. Returns `count` suggestions for what follows."""
        try:
            # One newline for several: the same to the engine, and a frame never looks like a human's Enter keys.
            typed = re.sub(r"[\r\n]+", "\n", text).encode()
        except UnicodeEncodeError as error:
            raise TinylmError(
                f"{text!r} is not text: {error.reason}.", "Type characters that UTF-8 can hold."
            ) from error
        parts = _split_text(typed)
        suggestions: list[str] = []
        for i, part in enumerate(parts):
            before = self._line_bytes
            suggestions = self._edit("type", Command.FEED, count if i == len(parts) - 1 else 0, part)
            plain = all(byte >= 0x20 and byte != 0x7F for byte in part)
            if plain and self._line_bytes != before + len(part):
                raise self._restarted()
        return suggestions

    def backspace(self, count: int = 0) -> list[str]:
        """Take back the last character."""
        return self._edit("take back a character", Command.BACKSPACE, count)

    def accept(self, rank: int, count: int = 0) -> list[str]:
        """Take suggestion `rank` (from 0) of those made last; a space follows it."""
        if not 0 <= rank <= 255:
            raise DeviceError(status_code("TLM_ERR_RANGE"), f"take suggestion {rank}")
        return self._edit(f"take suggestion {rank}", Command.ACCEPT, count, bytes([rank]))

    def suggest(self, count: int) -> list[str]:
        """The best `count` (1..identity.max_suggestions) words for the line, best first."""
        before = self._line_bytes
        suggestions = self._edit(f"make {count} suggestions", Command.SUGGEST, count)
        if self._line_bytes != before:
            raise self._restarted()
        return suggestions

    def line(self) -> str:
        """The line as the device holds it."""
        text = b""
        while True:
            payload = self._exchange("tell its line", Command.LINE, len(text).to_bytes(2, "little"))
            if len(payload) < 2:
                raise self._nonsense(Command.LINE, payload)
            text += payload[2:]
            if len(text) >= int.from_bytes(payload[:2], "little") or len(payload) == 2:
                return text.decode("utf-8", "replace")

    def hash(self, start: int, stride: int, steps: int) -> int:
        """Empties the line; the network's hash over `steps` steps with ids (start + i * stride) % rows, 0..65535."""
        arguments = struct.pack("<HHH", start, stride, steps)
        payload = self._exchange("run its network", Command.HASH, arguments, self._timeout_s + steps * _BYTE_S)
        if len(payload) != 4:
            raise self._nonsense(Command.HASH, payload)
        self._line_bytes = 0
        return int.from_bytes(payload, "little")

    def use_memory(self, on: bool) -> None:
        """Suggest with the user's memory and learn each line that a newline ends, or do neither until `close`."""
        self._exchange("use its memory", Command.MEMORY, _MEMORY_ON if on else _MEMORY_OFF)

    def forget(self) -> None:
        """Erase what was learned."""
        self._exchange("erase its memory", Command.MEMORY, _MEMORY_ERASE)

    def close(self) -> None:
        """Give the line back to a human, if the device still listens, and close the port."""
        try:
            self._attempt(self._next_request(Command.LEAVE), 0.2)
        except TinylmError:
            pass
        finally:
            self._port.close()

    def __enter__(self) -> Device:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _edit(self, what: str, command: Command, count: int, arguments: bytes = b"") -> list[str]:
        if not 0 <= count <= 255:
            raise DeviceError(status_code("TLM_ERR_RANGE"), f"make {count} suggestions")
        wait_s = self._timeout_s + len(arguments) * _BYTE_S
        payload = self._exchange(what, command, bytes([count]) + arguments, wait_s)
        try:
            suggestions, rest = _parse_texts(payload[3:], payload[2])
        except (IndexError, ValueError) as error:
            raise self._nonsense(command, payload) from error
        if rest:
            raise self._nonsense(command, payload)
        self._line_bytes = int.from_bytes(payload[:2], "little")
        return suggestions

    def _next_request(self, command: Command, arguments: bytes = b"") -> bytes:
        self._sequence = (self._sequence + 1) % 256
        return bytes([self._sequence, command]) + arguments

    def _exchange(self, what: str, command: Command, arguments: bytes = b"", wait_s: float | None = None) -> bytes:
        """One request until its answer is whole. Returns the payload after a status of 0."""
        request = self._next_request(command, arguments)
        wait_s = self._timeout_s if wait_s is None else wait_s
        silent = damaged = 0
        while silent < _SILENT_TRIES and damaged < _DAMAGED_TRIES:
            answer = self._attempt(request, wait_s)
            if answer is None:
                silent += 1
            elif answer == _SEND_AGAIN:
                damaged += 1
            else:
                status = int.from_bytes(answer[:1], "little", signed=True)
                if status < 0:
                    raise DeviceError(status, what)
                return answer[1:]
        if damaged:
            raise TinylmError(
                f"The line to {self._name} damages what passes: {damaged} bad frames in {damaged + silent} tries.",
                "Check the cable and the baud rate, and that no other program reads this port.",
            )
        raise self._silence(silent * wait_s)

    def _attempt(self, request: bytes, wait_s: float, until_greeting: bool = False) -> bytes | None:
        """Send a request once. Returns status and payload, None after silence, _SEND_AGAIN when one was damaged."""
        deadline = self._clock() + wait_s
        try:
            self._port.write(encode_frame(request))
            while self._clock() < deadline:
                received = self._port.read(max(1, self._port.in_waiting))
                self._received = (self._received + received)[-64:]
                for message in self._reader.push(received):
                    if message is None or message[1:2] == b"\x80":  # it came damaged, or ours did
                        return _SEND_AGAIN
                    if len(message) >= 3 and message[0] == request[0] and message[1] == request[1] | 0x80:
                        return message[2:]
                if until_greeting and _GREETING in self._reader.text:
                    return _SEND_AGAIN  # it has just started, and may not have heard us
        except OSError as error:
            raise TinylmError(
                f"The line to {self._name} was closed: {error}.",
                "Plug the board in (or start the emulator) and try again.",
            ) from error
        return None

    def _parse_identity(self, answer: bytes) -> Identity:
        """From status and payload. The first payload byte is the device's version, in every version."""
        if len(answer) < 2:
            raise self._nonsense(Command.IDENTIFY, answer)
        if answer[1] != PROTOCOL_VERSION:
            raise TinylmError(
                f"The device on {self._name} speaks protocol {answer[1]}; this tinylm speaks {PROTOCOL_VERSION}.",
                "Flash the firmware of this tinylm (tinylm flash), or install the tinylm that made the device's.",
            )
        try:
            return Identity.parse(answer[1:])
        except ValueError as error:
            raise self._nonsense(Command.IDENTIFY, answer) from error

    def _silence(self, waited_s: float) -> TinylmError:
        heard = f"; it sent {self._received[:24]!r}..." if self._received else ""
        answer = "gives no answer that tinylm understands" if heard else "says nothing"
        return TinylmError(
            f"The device on {self._name} {answer} (waited {waited_s:.0f} s){heard}.",
            "Check that the board is powered, holds tinylm (tinylm flash), has this baud rate, and is on this port. "
            + describe_ports(),
        )

    def _nonsense(self, command: Command, payload: bytes) -> TinylmError:
        return TinylmError(
            f"The device on {self._name} answered {command.name.lower()} with {payload[:24].hex(' ') or 'nothing'}, "
            f"which protocol {PROTOCOL_VERSION} does not allow.",
            "Flash the firmware of this tinylm: tinylm flash.",
        )

    def _restarted(self) -> TinylmError:
        return TinylmError(
            f"The device on {self._name} holds another line: it restarted, or somebody typed on it.",
            "Check its power supply and that no other program writes to this port, then start again.",
        )


def identify_port(url: str, baud: int = BAUD, boot_s: float = BOOT_S) -> Identity:
    """Who is on a port, also when it cannot predict. Raises TinylmError as Device.open."""
    device = Device(open_port(url, baud), url)
    try:
        return device.identify(boot_s)
    finally:
        device.close()
