import socket
from collections.abc import Callable
from pathlib import Path

import pytest


def _tcp() -> None:
    with socket.socket() as client:
        client.connect(("192.0.2.1", 80))


def _tcp6() -> None:
    with socket.socket(socket.AF_INET6) as client:
        client.connect_ex(("2001:db8::1", 80))


def _udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"?", ("192.0.2.1", 53))


def _lookup() -> None:
    socket.getaddrinfo("example.org", 443)


def _docker() -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("/var/run/docker.sock")


@pytest.mark.parametrize("reach", [_tcp, _tcp6, _udp, _lookup, _docker])
def test_a_unit_test_that_reaches_out_fails(reach: Callable[[], None]) -> None:
    with pytest.raises(BaseException, match="unit tests do not reach"):
        reach()


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(("localhost", address[1]), timeout=5) as client:
            assert client.getpeername() == address


def test_a_unix_socket_of_ones_own_is_open(tmp_path: Path) -> None:
    path = str(tmp_path / "own.sock")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
        assert client.getpeername() == path
