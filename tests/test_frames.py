"""Frames: what goes in comes out, damage is seen, and garbage is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylm.frames import BODY_BYTES, FrameReader, crc16, decode_frame, encode_frame

messages = st.binary(max_size=BODY_BYTES - 2)


def test_the_crc_is_the_published_one() -> None:
    assert crc16(b"123456789") == 0x29B1


def test_the_example_of_the_specification_is_right() -> None:
    assert encode_frame(b"\3\3\2y").hex(" ") == "00 02 07 03 03 02 79 90 cf 00"


@given(messages)
def test_a_message_comes_back(message: bytes) -> None:
    frame = encode_frame(message)
    assert frame[:2] == b"\0\2" and frame[-1:] == b"\0" and b"\0" not in frame[2:-1]
    assert len(frame) == len(message) + 6
    assert FrameReader().push(frame) == [message]


@given(st.lists(messages, max_size=5), st.data())
def test_frames_come_back_however_they_are_cut(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(encode_frame(m) for m in sent)
    reader = FrameReader()
    received = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        received += reader.push(stream[:size])
        stream = stream[size:]
    assert received == sent


@given(st.binary(max_size=2000), messages)
def test_a_frame_after_any_garbage_is_found(garbage: bytes, message: bytes) -> None:
    reader = FrameReader()
    reader.push(garbage)
    assert reader.push(encode_frame(message))[-1] == message


@given(messages, st.data())
def test_a_changed_bit_never_passes(message: bytes, data: st.DataObject) -> None:
    frame = bytearray(encode_frame(message))
    frame[data.draw(st.integers(2, len(frame) - 2))] ^= 1 << data.draw(st.integers(0, 7))
    assert message not in FrameReader().push(bytes(frame))


@given(st.binary(max_size=600))
def test_any_bytes_decode_to_something_or_nothing(encoded: bytes) -> None:
    message = decode_frame(encoded)
    assert message is None or len(message) <= BODY_BYTES - 2


def test_text_between_frames_is_kept_and_bounded() -> None:
    reader = FrameReader()
    assert reader.push(b"tinylm here\r\n" + encode_frame(b"ab") + b"> ") == [b"ab"]
    assert bytes(reader.text) == b"tinylm here\r\n> "
    reader.push(b"x" * 100_000)
    assert len(reader.text) == 4096
    assert reader.push(b"\2" + b"\1" * 100_000 + b"\0") == [None]


def test_a_message_too_long_for_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="251 bytes, not 252"):
        encode_frame(bytes(252))
