import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalkit.errors import ConfigError
from evalkit.reporting.html.serve import Server
from evalkit.reporting.html.site import Site, policy_of
from evalkit.store import RunFolder
from tests.doubles.finished import make_finished


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "run"
    with RunFolder(folder) as store:
        store.describe(suite="quickstart", model="Demo-1B", selected=["demo", "other"], attempts=1)
        store.finish(make_finished())
    return folder


@pytest.fixture(scope="module")
def server(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(Site(run, tmp_path_factory.mktemp("made")), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _get(
    server: Server, path: str, *, host: str = "", method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.request(method, path, headers={"Host": host or f"127.0.0.1:{server.server_port}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/attempts/1_demo.html", "text/html"),
        ("/report.css", "text/css"),
        ("/report.js", "text/javascript"),
        ("/outcomes.png", "image/png"),
        ("/junit.xml", "application/xml"),
        ("/attempts.csv", "text/csv"),
        ("/turns.parquet", "application/octet-stream"),
    ],
)
def test_what_a_report_has_is_served(path: str, kind: str, server: Server) -> None:
    status, headers, body = _get(server, path)
    assert (status, headers["content-type"].partition(";")[0], bool(body)) == (200, kind, True)


@pytest.mark.parametrize(
    "path",
    ["/run.json", "/../run.json", "/%2e%2e/run.json", "//etc/passwd", "/attempts/../../run.json",
     "/attempts/1_other.html", "/attempts/", "/1_demo.html", "/tasks/demo/1/patch.diff"],
)  # fmt: skip
def test_nothing_else_is(path: str, server: Server) -> None:
    assert _get(server, path)[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost"])
def test_a_page_under_another_name_gets_nothing(host: str, server: Server) -> None:
    assert _get(server, "/", host=host)[0] == 421


def test_localhost_is_a_name_of_ours(server: Server) -> None:
    assert _get(server, "/", host=f"localhost:{server.server_port}")[0] == 200


def test_it_listens_on_loopback_alone(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "scripts"), [("/", True), ("/attempts/1_demo.html", False), ("/nothing", False)]
)
def test_the_policy_is_in_the_answers_head(path: str, scripts: bool, server: Server) -> None:
    policy = _get(server, path)[1]["content-security-policy"]
    assert ("default-src 'none'" in policy, "script-src 'self'" in policy) == (True, scripts)


def test_a_chart_may_style_itself_and_do_nothing_else() -> None:
    assert policy_of("outcomes.svg") == "default-src 'none'; style-src 'unsafe-inline'"


def test_no_other_page_can_frame_it(server: Server) -> None:
    assert "frame-ancestors 'none'" in _get(server, "/")[1]["content-security-policy"]


def test_head_has_no_body(server: Server) -> None:
    status, headers, body = _get(server, "/", method="HEAD")
    assert (status, int(headers["content-length"]) > 0, body) == (200, True, b"")


def test_nothing_is_taken(server: Server) -> None:
    assert _get(server, "/", method="POST")[0] == 501


def test_a_taken_port_is_refused_with_a_way_out(server: Server) -> None:
    with pytest.raises(ConfigError, match="cannot serve") as caught:
        Server(server.site, server.server_port)
    assert "--port" in caught.value.hint


def test_a_run_that_goes_on_is_shown_as_it_is_now(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with RunFolder(folder) as store:
        store.describe(suite="quickstart", model="Demo", selected=["demo", "other"], attempts=1)
        site = Site(folder, tmp_path / "made")
        site._next = 0.0  # the pause after the first reading is over
        store.finish(make_finished(task_id="other"))
        assert site.page("attempts/1_other.html") is not None


def test_it_is_not_read_anew_for_every_look(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with RunFolder(folder) as store:
        store.describe(suite="quickstart", model="Demo", selected=["demo", "other"], attempts=1)
        site = Site(folder, tmp_path / "made")
        store.finish(make_finished(task_id="other"))
        assert site.page("attempts/1_other.html") is None


def test_a_page_reloads_itself_while_the_run_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with RunFolder(folder) as store:
        store.describe(suite="quickstart", model="Demo", selected=["demo"], attempts=1)
        page = Site(folder, tmp_path / "made").page("")
    assert page is not None
    assert b"data-live" in page.content[:100]


def test_the_page_of_a_run_at_its_end_stays(server: Server) -> None:
    assert b"data-live" not in _get(server, "/")[2]
