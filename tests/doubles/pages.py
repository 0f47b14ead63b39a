"""An engine's pages on loopback: what it tells of itself to a GET, and nothing else."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def pages(answers: Mapping[str, object], server_name: str = "uvicorn") -> Iterator[str]:
    """Serve `answers`, path (with its query) to JSON; any other path is a 404. Gives the URL."""
    handler = type("Pages", (_Pages,), {"answers": answers, "server_name": server_name})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Pages(BaseHTTPRequestHandler):
    answers: Mapping[str, object]
    server_name: str

    def version_string(self) -> str:
        return self.server_name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        """Keep quiet."""

    def do_GET(self) -> None:
        there = self.path in self.answers
        body = json.dumps(self.answers.get(self.path, "no such page")).encode()
        self.send_response(200 if there else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
