"""Frames on the serial line: bytes to bodies and back. Knows COBS, CRC and limits; knows no command and no port.

docs/SPEC.md, "The serial protocol", has every byte; firmware/link/tlm_frame.c is the other end.
"""

from __future__ import annotations

START = 0x02
END = 0x00
BODY_BYTES = 253
"""Longest body, check included: COBS then adds exactly one byte."""

_CHECK_BYTES = 2
_TEXT_KEPT_BYTES = 4096


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, not reflected, no final xor. Of b"123456789": 0x29B1."""
    crc = 0xFFFF
    for byte in data:
        x = (crc >> 8) ^ byte
        x ^= x >> 4
        crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFF
    return crc


def encode_frame(message: bytes) -> bytes:
    """NUL, STX, COBS of message and check, NUL. `message` holds at most 251 bytes (ValueError beyond)."""
    body = message + crc16(message).to_bytes(2, "little")
    if len(body) > BODY_BYTES:
        raise ValueError(f"a frame holds {BODY_BYTES - _CHECK_BYTES} bytes, not {len(message)}")
    blocks = (bytes([len(run) + 1]) + run for run in body.split(b"\0"))
    return bytes([END, START]) + b"".join(blocks) + bytes([END])


def decode_frame(encoded: bytes) -> bytes | None:
    """The message between STX and NUL, check taken off; None when the frame is cut, too long or damaged."""
    body = bytearray()
    at = 0
    while at < len(encoded):
        code = encoded[at]
        run = encoded[at + 1 : at + code]
        if code == 0 or len(run) != code - 1:
            return None
        body += run
        at += code
        if at < len(encoded):
            body.append(0)
    if not _CHECK_BYTES <= len(body) <= BODY_BYTES:
        return None
    message, check = bytes(body[:-_CHECK_BYTES]), bytes(body[-_CHECK_BYTES:])
    return message if crc16(message).to_bytes(2, "little") == check else None


class FrameReader:
    """Finds frames in a stream that also holds text (a greeting, an echo) and noise. Memory is bounded.

    Attributes:
        text: the newest bytes that came outside of frames (at most 4096).
    """

    def __init__(self) -> None:
        self.text = bytearray()
        self._frame: bytearray | None = None

    def push(self, received: bytes) -> list[bytes | None]:
        """The messages that `received` completes, in order; None for a frame that came damaged."""
        messages: list[bytes | None] = []
        for byte in received:
            if self._frame is None:
                if byte == START:
                    self._frame = bytearray()
                elif byte != END:
                    self.text.append(byte)
            elif byte == END:
                messages.append(decode_frame(bytes(self._frame)))
                self._frame = None
            elif len(self._frame) <= BODY_BYTES + 1:  # one more than can be right: decode_frame refuses it
                self._frame.append(byte)
        del self.text[:-_TEXT_KEPT_BYTES]
        return messages
