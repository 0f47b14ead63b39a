"""Serves a site on this machine alone."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from evalkit.errors import ConfigError, StoreError
from evalkit.reporting.html.site import Page, Site

ADDRESS = "127.0.0.1"


class Server(ThreadingHTTPServer):
    """Answers on loopback; `port` 0 takes a free one. Raises ConfigError where it is taken."""

    daemon_threads = True

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            raise ConfigError(
                f"cannot serve on {ADDRESS}:{port}: {error.strerror}",
                hint="choose another with --port",
            ) from error

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{ADDRESS}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 30  # seconds for a request to be told

    def do_GET(self) -> None:
        """Answer with a page."""
        port = self.server.server_port
        # A page of a stranger can give its own name our address (DNS rebinding), not this header.
        if self.headers.get("Host") not in {f"{ADDRESS}:{port}", f"localhost:{port}"}:
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, None)
            return
        name = unquote(urlsplit(self.path).path).removeprefix("/")
        try:
            page = self.server.site.page(name)
        except StoreError as error:
            page = Page(error.message.encode(), "text/plain; charset=utf-8", "default-src 'none'")
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, page)
            return
        self._answer(HTTPStatus.NOT_FOUND if page is None else HTTPStatus.OK, page)

    def do_HEAD(self) -> None:
        """Answer with a page's head."""
        self.do_GET()

    def _answer(self, status: HTTPStatus, page: Page | None) -> None:
        page = page or Page(status.phrase.encode(), "text/plain", "default-src 'none'")
        self.send_response(status)
        for name, value in (
            ("Content-Type", page.type),
            ("Content-Length", str(len(page.content))),
            ("Content-Security-Policy", page.policy + "; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
        """Say nothing: who looks is whoever started it."""
