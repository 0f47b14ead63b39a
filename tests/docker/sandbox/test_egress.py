"""Row A7: nothing outside the sandbox answers, whatever way is tried."""

import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from evalkit.protocols import Job
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Network, Task
from tests.doubles.upstream import Upstream, upstream

if TYPE_CHECKING:
    from docker import APIClient

pytestmark = pytest.mark.row("A7")

TCP = "s.socket().connect(({host!r}, {port}))"
UNIX = "s.socket(s.AF_UNIX).connect({name!r})"
ROUTES = {
    "a name": "s.getaddrinfo('example.org', 80)",
    "an address": TCP.format(host="192.0.2.1", port=80),
    "a datagram": "s.socket(type=s.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "IPv6": "s.socket(s.AF_INET6).connect(('2001:db8::1', 80))",
    "raw packets": "s.socket(s.AF_INET, s.SOCK_RAW, s.IPPROTO_ICMP)",
    "the metadata service": TCP.format(host="169.254.169.254", port=80),
    "the socket of Docker": UNIX.format(name="/var/run/docker.sock"),
    "the gateway": "gateway",
    "the host's loopback": "loopback",
    "an abstract socket": "abstract",
}
OF_THE_HOST = ("the gateway", "the host's loopback", "an abstract socket")


@pytest.fixture(scope="module")
def server() -> Iterator[Upstream]:
    with upstream() as served:
        yield served


@pytest.fixture(scope="module")
def gateway(client: "APIClient") -> str:
    return str(client.inspect_network("bridge")["IPAM"]["Config"][0]["Gateway"])


@pytest.fixture(scope="module")
def opened(containers: DockerContainers, repository: Task) -> Iterator[DockerSandbox]:
    with containers.rollout(repository, 1) as sandbox:
        yield sandbox


def attempt(route: str, server: Upstream, gateway: str) -> list[str]:
    """A Python command that ends with 0 where the route leads somewhere."""
    own = {
        "gateway": TCP.format(host=gateway, port=server.port),
        "loopback": TCP.format(host="127.0.0.1", port=server.port),
        "abstract": UNIX.format(name=f"\0{server.abstract}"),
    }
    code = own.get(ROUTES[route], ROUTES[route])
    return ["-c", f"import socket as s; s.setdefaulttimeout(3); {code}"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_sandbox_reaches_nothing(
    opened: DockerSandbox, server: Upstream, gateway: str, route: str
) -> None:
    before = len(server.reached)
    option, code = attempt(route, server, gateway)
    tried = opened.run(f'python3 {option} "{code}"', timeout_s=20)
    assert (tried.exit_code, len(server.reached)) == (1, before)


@pytest.mark.parametrize("route", OF_THE_HOST)
def test_from_the_host_each_of_its_servers_is_reached(
    server: Upstream, gateway: str, route: str
) -> None:
    command = [sys.executable, *attempt(route, server, gateway)]
    assert subprocess.run(command, check=False).returncode == 0


def test_a_grading_with_a_network_reaches_the_gateway(
    containers: DockerContainers, base: str, server: Upstream, gateway: str
) -> None:
    option, code = attempt("the gateway", server, gateway)
    job = Job(image=base, script=f'python3 {option} "{code}"', network=Network.BRIDGE)
    assert containers.run(job).exit_code == 0
