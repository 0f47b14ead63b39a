"""A model hub on loopback that has one dataset at one revision: what `datasets` asks of it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def model_hub(name: str, revision: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve `files` (path to content) of dataset `name`; gives the hub's URL."""
    handler = type("Hub", (_Hub,), {"name": name, "revision": revision, "files": files})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name: str
    revision: str
    files: Mapping[str, bytes]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].replace("%2F", "/")
        content = f"/datasets/{self.name}/resolve/{self.revision}/"
        tree = f"/api/datasets/{self.name}/tree/{self.revision}"
        if path.startswith(content):
            self._file(path.removeprefix(content))
        elif path.startswith(tree):
            self._json(self._listed(path.removeprefix(tree).strip("/")))
        elif path == f"/api/datasets/{self.name}/revision/{self.revision}":
            names = [{"rfilename": file} for file in self.files]
            self._json({"id": self.name, "sha": self.revision, "siblings": names})
        else:
            self._answer(404, b"", {})

    do_HEAD = do_GET  # noqa: N815

    def _listed(self, folder: str) -> list[dict[str, object]]:
        folders = {file.rpartition("/")[0] for file in self.files} - {""}
        shown = [_entry(path, "directory", b"") for path in folders if not folder]
        inside = (file for file in self.files if file.rpartition("/")[0] == folder)
        return shown + [_entry(file, "file", self.files[file]) for file in inside]

    def _file(self, path: str) -> None:
        if path in self.files:
            tag = f'"{_sha1(self.files[path])}"'
            self._answer(200, self.files[path], {"ETag": tag, "X-Repo-Commit": self.revision})
        else:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _answer(self, code: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(code)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def _entry(path: str, kind: str, content: bytes) -> dict[str, object]:
    return {"type": kind, "path": path, "size": len(content), "oid": _sha1(content)}


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
