import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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


LONG = bytes(2**22)


def test_what_is_sent_arrives_whole(pair: Pair) -> None:
    stream, daemon = pair
    with ThreadPoolExecutor(1) as pool, daemon.makefile("rb") as arriving:
        read = pool.submit(arriving.read, len(LONG))
        stream.send(LONG, soon())
        assert read.result() == LONG


def test_one_that_reads_no_more_is_waited_for_to_the_deadline(pair: Pair) -> None:
    with pytest.raises(TimeoutError):
        pair[0].send(LONG, time.monotonic() + 0.05)


def test_one_that_ended_without_reading_all_is_not_waited_for(pair: Pair) -> None:
    stream, daemon = pair
    daemon.shutdown(socket.SHUT_WR)
    with pytest.raises(ConnectionError):
        stream.send(LONG, soon())
