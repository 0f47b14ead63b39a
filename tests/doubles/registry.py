"""A real registry (Debian's docker-registry) on loopback, behind a proxy that injects faults."""

import base64
import gzip
import hashlib
import http.client
import json
import random
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

from evalkit.sandbox.archive import pack

BINARY = "docker-registry"
MANIFEST = r"/manifests/"
BLOB = r"/blobs/"
HOP_HEADERS = {"connection", "transfer-encoding", "keep-alive", "date", "server"}
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, of no seconds: closing sends a reset, not an orderly end."""

CONFIG = """version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {storage}}}
http:
  addr: {address}
  relativeurls: true
"""


@dataclass
class Fault:
    """What becomes of the next `times` GET requests whose path matches `path`.

    answer: `status`, `body` and `headers` instead of the registry's. drop: connection reset after
    half of the body. truncate: orderly end there. corrupt: the body's last byte changed. slow:
    `seconds` pass before the registry is asked.
    """

    kind: Literal["answer", "drop", "truncate", "corrupt", "slow"]
    path: str = MANIFEST
    times: int = 1
    status: int = 500
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Published:
    """An image in the registry: what to pull, and the path of its one layer."""

    ref: str
    layer: str


class FaultProxy(ThreadingHTTPServer):
    """Passes a puller's requests on to a registry, except where a fault is due."""

    daemon_threads = True

    def __init__(self, upstream: int, listening: socket.socket) -> None:
        self.socket: socket.socket
        super().__init__(listening.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_port = listening.getsockname()[1]
        self.upstream = upstream
        self.faults: list[Fault] = []
        self.login = ""
        """Basic credentials, `user:password`, that every request must bring; empty for none."""
        self.most_at_once = 0
        """Repositories with a request in flight, at the busiest instant."""
        self._asked: list[str] = []
        self._busy: list[str] = []
        self._lock = threading.Lock()

    def ref(self, name: str, tag: str = "1") -> str:
        """Return what to pull for repository `name`."""
        return f"127.0.0.1:{self.server_port}/{name}:{tag}"

    def asked(self, path: str) -> int:
        """Return how many GET requests matched `path`."""
        return sum(re.search(path, seen) is not None for seen in self._asked)

    def publish(self, name: str, content: bytes, architecture: str = "amd64") -> Published:
        """Put an image of one file, `/file`, into the registry."""
        tar = pack({"file": content})
        config = json.dumps(
            {
                "architecture": architecture,
                "os": "linux",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [_sha256(tar)]},
            }
        ).encode()
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        layer = self._blob(name, "image.rootfs.diff.tar.gzip", gzip.compress(tar, 1, mtime=0))
        manifest = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": self._blob(name, "container.image.v1+json", config),
            "layers": [layer],
        }
        self._send("PUT", f"/v2/{name}/manifests/1", json.dumps(manifest).encode(), kind)
        return Published(self.ref(name), f"/blobs/{layer['digest']}")

    def renew(self, name: str, tag: str) -> str:
        """Give a pushed image a digest of its own: the daemon keeps the manifests it has seen.

        Return the manifest's path, by which the daemon asks for it.
        """
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        place = f"/v2/{name}/manifests/"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.upstream}{place}{tag}", headers={"Accept": kind}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            manifest = answer.read() + bytes(random.choices(b" \t\n", k=64))
        self._send("PUT", place + tag, manifest, kind)
        return place + _sha256(manifest)

    def _blob(self, name: str, kind: str, content: bytes) -> dict[str, str | int]:
        digest = _sha256(content)
        place = self._send("POST", f"/v2/{name}/blobs/uploads/")
        joint = "&" if "?" in place else "?"
        self._send("PUT", f"{place}{joint}digest={digest}", content, "application/octet-stream")
        media = f"application/vnd.docker.{kind}"
        return {"mediaType": media, "size": len(content), "digest": digest}

    def _send(self, method: str, path: str, body: bytes = b"", kind: str = "") -> str:
        """Ask the registry itself; return where it says to go on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if kind else {})
            answer = connection.getresponse()
            words = answer.read()
        finally:
            connection.close()
        assert answer.status in {201, 202}, words
        return answer.headers["Location"]

    @contextmanager
    def serving(self, method: str, path: str) -> Iterator[Fault | None]:
        """Count a request while it is served; yield the fault that is due, if any."""
        repository = re.sub("/(manifests|blobs)/.*", "", path)
        with self._lock:
            self._busy.append(repository)
            self.most_at_once = max(self.most_at_once, len(set(self._busy) - {"/v2/"}))
            fault = self._due(path) if method == "GET" else None
        try:
            yield fault
        finally:
            with self._lock:
                self._busy.remove(repository)

    def _due(self, path: str) -> Fault | None:
        self._asked.append(path)
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultProxy

    def do_GET(self) -> None:
        with self.server.serving(self.command, self.path) as fault:
            if not self._welcome():
                self._answer(401, {"WWW-Authenticate": 'Basic realm="test"'}, b"")
            elif fault is not None and fault.kind == "answer":
                self._answer(fault.status, fault.headers, fault.body)
            else:
                self._pass_on(fault)

    do_HEAD = do_GET  # noqa: N815 - the base's name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Stay quiet: the daemon tries TLS first, and each try would print a line."""

    def _welcome(self) -> bool:
        wanted = base64.b64encode(self.server.login.encode()).decode()
        return not self.server.login or self.headers.get("Authorization") == f"Basic {wanted}"

    def _pass_on(self, fault: Fault | None) -> None:
        kind = fault.kind if fault is not None else ""
        if fault is not None and kind == "slow":
            time.sleep(fault.seconds)
        status, headers, body = self._upstream()
        if kind == "corrupt":
            body = body[:-1] + bytes([body[-1] ^ 1])
        if kind in {"drop", "truncate"}:
            self._answer(status, headers, body[: len(body) // 2])
            self._hang_up(reset=kind == "drop")
        else:
            self._answer(status, headers, body)

    def _upstream(self) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True)
            for name, value in self.headers.items():  # Accept comes many times over
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            headers = {k: v for k, v in answer.getheaders() if k.lower() not in HOP_HEADERS}
            return answer.status, headers, answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in {name.lower() for name in headers}:
            self.send_header("Content-Length", str(len(body)))
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except ConnectionError:  # the daemon gave up on a slow answer
            self.close_connection = True

    def _hang_up(self, *, reset: bool) -> None:
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.close_connection = True


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@contextmanager
def registry(folder: Path) -> Iterator[int]:
    """Run docker-registry with its storage in `folder`; yield its port on loopback.

    RuntimeError where the binary is missing or does not answer within 10 s.
    """
    if shutil.which(BINARY) is None:
        raise RuntimeError(f"these tests need {BINARY}: apt-get install {BINARY}")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    config = folder / "registry.yml"
    config.write_text(CONFIG.format(storage=folder / "storage", address=f"127.0.0.1:{port}"))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([BINARY, "serve", str(config)], stdout=log, stderr=log)
    try:
        _await_port(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def fault_proxy(upstream: int, listening: socket.socket | None = None) -> Iterator[FaultProxy]:
    """Serve a proxy in front of the registry on port `upstream`.

    It listens on a port of its own, or where `listening` does: that can be in another network
    namespace, for a socket stays in the one that it was made in.
    """
    proxy = FaultProxy(upstream, listening or socket.create_server(("127.0.0.1", 0), backlog=64))
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{BINARY} did not answer on port {port}")
