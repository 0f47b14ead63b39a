"""`evalkit doctor`: what this machine has, what it lacks, and how to get it."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import typer

from evalkit.cli.wiring import cache_folder, docker, environment
from evalkit.errors import EvalkitError
from evalkit.serving.interpreter import engine_python
from evalkit.serving.machine import Gpu, this_machine

_MIN_FREE_GIB = 10


def doctor_command() -> int:
    """Print one line a check; 3 where a check failed, else 0."""
    failed = False
    for name, check in _checks():
        try:
            typer.echo(f"ok       {name:8} {check()}")
        except EvalkitError as error:
            failed = True
            typer.echo(f"MISSING  {name:8} {error.message}")
            if error.hint:
                typer.echo(f"         {'':8} -> {error.hint}")
    return 3 if failed else 0


def _checks() -> Iterator[tuple[str, Callable[[], str]]]:
    yield "docker", _docker
    yield "engine", lambda: engine_python("auto", cache_folder())
    yield "gpu", _gpu
    yield "memory", _memory
    yield "disk", _disk


def _docker() -> str:
    version = docker().version()
    return f"{version['Version']}, {version['Os']}/{version['Arch']}"


def _gpu() -> str:
    machine = this_machine(environment())
    if not machine.gpus:
        return f"none: vLLM runs on {len(machine.cores)} cores"
    return ", ".join(f"{count} x {_gpu_words(gpu)}" for gpu, count in Counter(machine.gpus).items())


def _gpu_words(gpu: Gpu) -> str:
    return f"{gpu.name}, {gpu.memory_gib:.0f} GiB" if gpu.memory_gib else gpu.name


def _memory() -> str:
    memory = psutil.virtual_memory()
    return f"{memory.available / 2**30:.0f} of {memory.total / 2**30:.0f} GiB free"


def _disk() -> str:
    folder = Path.cwd()
    free = shutil.disk_usage(folder).free / 2**30
    if free < _MIN_FREE_GIB:
        raise EvalkitError(
            f"{free:.1f} GiB free in {folder}, {_MIN_FREE_GIB} are needed",
            hint="free some disk, or run from a larger one",
        )
    return f"{free:.0f} GiB free"
