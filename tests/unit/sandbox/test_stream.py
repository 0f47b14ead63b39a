import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from evalkit.sandbox.stream import END, STDERR, STDOUT, FrameStream

Pair = tuple[FrameStream, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, daemon = socket.socketpair()
    with closing(FrameStream(ours)) as stream, closing(daemon):
        yield stream, daemon


def frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(payload)) + payload


def soon() -> float:
    return time.monotonic() + 5


def test_frames_come_with_their_stream(pair: Pair) -> None:
    stream, daemon = pair
    daemon.sendall(frame(STDOUT, b"out") + frame(STDERR, b"err"))
    assert [stream.read(soon()), stream.read(soon())] == [(STDOUT, b"out"), (STDERR, b"err")]


def test_a_frame_cut_anywhere_is_whole_in_the_end(pair: Pair) -> None:
    stream, daemon = pair
    whole = frame(STDOUT, b"abc") + frame(STDOUT, b"def")
    read = b""
    for cut in range(len(whole)):
        daemon.sendall(whole[cut : cut + 1])
        if stream.waiting():
            try:
                read += stream.read(time.monotonic() + 0.01)[1]
            except TimeoutError:
                continue
    assert read == b"abcdef"


def test_an_empty_frame_is_no_end(pair: Pair) -> None:
    stream, daemon = pair
    daemon.sendall(frame(STDOUT, b"") + frame(STDOUT, b"x"))
    assert stream.read(soon()) == (STDOUT, b"x")


def test_the_end_is_told(pair: Pair) -> None:
    stream, daemon = pair
    daemon.close()
    assert stream.read(soon()) == (END, b"")


def test_silence_past_the_deadline_is_a_timeout(pair: Pair) -> None:
    with pytest.raises(TimeoutError):
        pair[0].read(time.monotonic() + 0.01)


def test_a_flood_past_the_deadline_is_a_timeout(pair: Pair) -> None:
    stream, daemon = pair
    daemon.sendall(frame(STDOUT, b"x"))
    with pytest.raises(TimeoutError):
        stream.read(time.monotonic() - 1)


def test_nothing_waits_on_a_silent_stream(pair: Pair) -> None:
    assert pair[0].waiting() is False
