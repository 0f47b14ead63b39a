import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from evalkit.config.engine import EngineConfig
from evalkit.errors import ConfigError, EngineError
from evalkit.serving.launch import Launch
from evalkit.serving.meter import Meter
from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.serving.server import EngineServer
from tests.doubles.opened import open_engine
from tests.doubles.pages import pages

LISTENS = """
import http.server, sys, time
print("Loading safetensors checkpoint shards:  25% Completed | 1/4 [00:01<00:03,  1.0s/it]", flush=True)
time.sleep(1.2)
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ok).serve_forever()
"""
DIES = """
raise RuntimeError("no room for the weights")
"""
BURIES_ITS_CAUSE = """
print("WARNING this can cause errors like OSError: too many open files")
print("ValueError: the real cause")
print("more\\n" * 40)
raise SystemExit(3)
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


def server(script: str, tmp_path: Path, port: int) -> EngineServer:
    argv = (sys.executable, "-c", script, str(port))
    launch = Launch(argv=argv, env={"PATH": "/usr/bin:/bin"}, port=port, model="m")
    return EngineServer(launch, tmp_path / "logs" / "engine.log")


def silent(*_: object) -> None:
    """Hear nothing."""


def test_how_far_the_start_has_come_is_told_once(tmp_path: Path, port: int) -> None:
    heard: list[tuple[str, float | None]] = []
    with server(LISTENS, tmp_path, port) as running:
        running.wait(time.monotonic() + 20, lambda *progress: heard.append(progress))
    assert heard == [("load", 0.25)]


def test_a_server_gives_way_where_its_launch_says_so(tmp_path: Path, port: int) -> None:
    script = "import os, time; time.sleep(0.3); raise RuntimeError(f'nice {os.nice(0)}')"
    argv = (sys.executable, "-c", script)
    launch = Launch(argv=argv, env={}, port=port, model="m", niceness=7)
    with (
        pytest.raises(EngineError, match="RuntimeError: nice 7"),
        EngineServer(launch, tmp_path / "engine.log") as running,
    ):
        running.wait(time.monotonic() + 20, silent)


def test_leaving_the_block_ends_the_server(tmp_path: Path, port: int) -> None:
    with server(LISTENS, tmp_path, port) as running:
        running.wait(time.monotonic() + 20, silent)
    assert running.pid is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_an_error_inside_the_block_ends_the_server(tmp_path: Path, port: int) -> None:
    with pytest.raises(KeyboardInterrupt), server(LISTENS, tmp_path, port) as running:
        raise KeyboardInterrupt
    assert running.pid is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_the_server_ends_even_where_its_guard_was_killed(tmp_path: Path, port: int) -> None:
    with server(LISTENS, tmp_path, port) as running:
        assert running.pid is not None
        os.kill(psutil.Process(running.pid).ppid(), signal.SIGKILL)
    assert until_gone(running.pid)


def until_gone(pid: int) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_server_that_dies_is_said_at_once_with_its_log(tmp_path: Path, port: int) -> None:
    begun = time.monotonic()
    with (
        pytest.raises(EngineError, match=r"exit 1[\s\S]*no room for the weights"),
        server(DIES, tmp_path, port) as running,
    ):
        running.wait(time.monotonic() + 60, silent)
    assert time.monotonic() - begun < 5


def test_how_a_server_ended_is_known(tmp_path: Path, port: int) -> None:
    with server(LISTENS, tmp_path, port) as running:
        running.wait(time.monotonic() + 20, silent)
        assert running.ended() is None
        assert running.pid is not None
        os.kill(running.pid, signal.SIGKILL)
        assert until(lambda: running.ended() is not None)
        assert running.ended() == "killed by SIGKILL"


def test_how_it_ended_is_known_where_its_guard_was_killed(tmp_path: Path, port: int) -> None:
    with server(LISTENS, tmp_path, port) as running:
        assert running.pid is not None
        os.kill(psutil.Process(running.pid).ppid(), signal.SIGKILL)
        assert until(lambda: running.ended() is not None)
        assert running.ended() == "its guard ended, exit -9"


def test_what_a_server_wrote_is_known_after_its_end(tmp_path: Path, port: int) -> None:
    with server(BURIES_ITS_CAUSE, tmp_path, port) as running:
        assert until(lambda: running.ended() is not None)
    assert running.written().startswith("ValueError: the real cause\n")


def test_a_server_started_anew_knows_nothing_of_the_last_ones_words(
    tmp_path: Path, port: int
) -> None:
    with server(DIES, tmp_path, port) as first:
        assert until(lambda: first.ended() is not None)
    with server("print('second')", tmp_path, port) as second:
        assert until(lambda: second.ended() is not None)
    assert second.written() == "second"


def test_what_outlives_the_processes_is_removed_even_where_the_guard_was_killed(
    tmp_path: Path, port: int
) -> None:
    launch = Launch(
        argv=("sleep", "600"),
        env={"PATH": "/usr/bin:/bin"},
        port=port,
        model="m",
        after=("touch", str(tmp_path / "removed")),
    )
    with EngineServer(launch, tmp_path / "engine.log") as running:
        assert running.pid is not None
        os.kill(psutil.Process(running.pid).ppid(), signal.SIGKILL)
    assert (tmp_path / "removed").exists()


def until(condition: Callable[[], bool], seconds: float = 6.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_a_cause_far_above_the_end_of_the_log_is_said(tmp_path: Path, port: int) -> None:
    with (
        pytest.raises(EngineError, match="first error: ValueError: the real cause"),
        server(BURIES_ITS_CAUSE, tmp_path, port) as running,
    ):
        running.wait(time.monotonic() + 60, silent)


def test_a_server_that_never_answers_is_given_up_at_the_deadline(tmp_path: Path, port: int) -> None:
    with (
        pytest.raises(EngineError, match="did not start within its time"),
        server("import time; time.sleep(600)", tmp_path, port) as running,
    ):
        running.wait(time.monotonic() + 1, silent)


def test_a_command_that_does_not_exist_is_said(tmp_path: Path, port: int) -> None:
    launch = Launch(argv=("/no/such/python",), env={}, port=port, model="m")
    with (
        pytest.raises(EngineError, match=r"did not start[\s\S]*/no/such/python"),
        EngineServer(launch, tmp_path / "engine.log"),
    ):
        pass


def test_a_fixed_port_that_is_taken_is_refused_before_the_start(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 0\n")  # claims to have vLLM
    python.chmod(0o755)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        config = EngineConfig(model="m", port=number, python=str(python))
        with (
            pytest.raises(EngineError, match=f"port {number} cannot be used"),
            open_engine(config, cache=tmp_path, log=tmp_path / "log", environ={}),
        ):
            pass


def test_an_endpoint_is_probed_and_its_probe_counted(tmp_path: Path) -> None:
    with scripted_server([Scripted(text="hello")], model="mine") as url:
        config = EngineConfig(kind="endpoint", model="mine", url=f"{url}/")
        meter, log = Meter(), tmp_path / "log"
        with open_engine(config, cache=tmp_path, log=log, environ={}, meter=meter) as there:
            assert there.url == url
            assert meter.books[1].probes.completion_tokens > 0


def test_an_endpoint_with_too_short_a_context_is_refused_before_a_token_is_made(
    tmp_path: Path,
) -> None:
    row = {"id": "mine", "owned_by": "vllm", "max_model_len": 4096}
    with pages({"/v1/models": {"data": [row]}}) as url:
        config = EngineConfig(kind="endpoint", model="mine", url=f"{url}/v1", max_model_len=8192)
        with (
            pytest.raises(EngineError, match="4,096 tokens"),
            open_engine(config, cache=tmp_path, log=tmp_path / "log", environ={}),
        ):
            pass


@pytest.mark.row("F7")
def test_an_endpoint_that_lists_the_model_but_answers_nothing_is_refused(tmp_path: Path) -> None:
    with scripted_server([Scripted(status=400, text="broken")], model="mine") as url:
        config = EngineConfig(kind="endpoint", model="mine", url=url)
        with (
            pytest.raises(EngineError, match="broken"),
            open_engine(config, cache=tmp_path, log=tmp_path / "log", environ={}),
        ):
            pass


def test_an_endpoint_without_a_url_is_a_mistake_of_the_runner(tmp_path: Path) -> None:
    config = EngineConfig(kind="endpoint", model="mine")
    with (
        pytest.raises(ConfigError, match=r"engine\.url is missing"),
        open_engine(config, cache=tmp_path, log=tmp_path / "log", environ={}),
    ):
        pass
