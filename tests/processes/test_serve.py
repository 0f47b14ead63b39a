"""`evalkit serve` over an endpoint that is a scripted server."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from evalkit.cli.wiring import environment
from evalkit.serving.scripted import Scripted, scripted_server


def serve(url: str, folder: Path) -> tuple[str, int]:
    """Serve until the address is told and one look was taken; return what was told, and the exit."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "evalkit", "serve", "--runner", "docker-model-runner"),
            *("--set", f"engine.url={url}", "--set", "engine.model=m"),
            *("-o", str(folder)),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    told = process.stdout.readline()
    end = time.monotonic() + 30
    while not (folder / "engine.jsonl").exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    return told, process.returncode


def test_it_tells_the_address_and_serves_until_ctrl_c(tmp_path: Path) -> None:
    with scripted_server([Scripted(text="hello")] * 5, model="m") as url:
        told, code = serve(url, tmp_path / "served")
    assert (told, code) == (f"{url} serves m; Ctrl-C stops it\n", 130)


def test_its_folder_holds_what_the_engine_is_and_did(tmp_path: Path) -> None:
    with scripted_server([Scripted(text="hello")] * 5, model="m") as url:
        serve(url, tmp_path / "served")
    engine = json.loads((tmp_path / "served" / "run.json").read_text())["engine"]
    page = engine["incarnations"][0]
    assert page["received"]["probes"]["completion_tokens"] == page["received_then"]
