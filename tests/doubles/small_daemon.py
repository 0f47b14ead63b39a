"""A second daemon, whose disk is a few megabytes of memory.

It gets namespaces of its own for mounts and for the network. Nothing of the machine's own daemon is
in them: with no bridge of its own to keep, a daemon deletes docker0 wherever it finds one.
"""

import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HAND_OUT = """
import os, socket, sys
listening = socket.create_server(("127.0.0.1", 0), backlog=64)
socket.send_fds(socket.socket(fileno=int(sys.argv[1])), [b"."], [listening.fileno()])
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Hands a socket that listens inside the namespace to the tests outside, then becomes the daemon."""


@contextmanager
def small_daemon(folder: Path) -> Iterator[socket.socket]:
    """Serve at docker.sock in `folder`, with 16 MiB for everything.

    Yields what listens where the daemon looks for registries.
    """
    (folder / "data").mkdir()
    (folder / "none.json").write_text("{}")
    argv = [
        *("dockerd", "--config-file", str(folder / "none.json")),
        *("--host", f"unix://{folder}/docker.sock", "--pidfile", str(folder / "pid")),
        *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
        *("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"),
    ]
    ours, theirs = socket.socketpair()
    mount = f"mount -t tmpfs -o size=16m none {shlex.quote(str(folder / 'data'))}"
    hand_out = shlex.join([sys.executable, "-c", HAND_OUT, str(theirs.fileno()), *argv])
    script = f"{mount} && ip link set lo up && exec {hand_out}"
    namespaces = ["unshare", "--mount", "--net", "sh", "-c", script]
    with ours, (folder / "log").open("wb") as log:
        with theirs:
            fds = [theirs.fileno()]
            process = subprocess.Popen(namespaces, stdout=log, stderr=log, pass_fds=fds)
        try:
            _, handed, _, _ = socket.recv_fds(ours, 1, 1)
            _await_socket(folder / "docker.sock", process)
            with socket.socket(fileno=handed[0]) as listening:
                yield listening
        finally:
            process.terminate()
            process.wait(30)


def _await_socket(path: Path, process: "subprocess.Popen[bytes]") -> None:
    """The daemon listens before it answers, so whoever connects then waits for the rest."""
    deadline = time.monotonic() + 30
    with socket.socket(socket.AF_UNIX) as probe:
        while probe.connect_ex(str(path)) != 0:
            assert process.poll() is None, "the second daemon ended"
            assert time.monotonic() < deadline, "the second daemon does not listen"
            time.sleep(0.05)


def fill(folder: Path) -> None:
    """Leave the daemon not a byte."""
    pid = int((folder / "pid").read_text())
    ballast = Path(f"/proc/{pid}/root{folder}/data/ballast")  # as it sees its mounts
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(2**16))
