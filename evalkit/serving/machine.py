"""What tensor parallelism can be spread over on this machine."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Machine:
    """GPUs, and the cores that count where there are none."""

    gpus: int
    cores: tuple[int, ...]
    """Numbers of the cores this process may use."""


def this_machine(environ: Mapping[str, str]) -> Machine:
    """Look at this machine; GPUs that `environ` hides by CUDA_VISIBLE_DEVICES do not count."""
    gpus = len(gpu_names())
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        gpus = min(gpus, sum(bool(part.strip()) for part in visible.split(",")))
    return Machine(gpus=gpus, cores=tuple(sorted(os.sched_getaffinity(0))))


def gpu_names() -> list[str]:
    """Return the GPUs that `nvidia-smi -L` lists; none where it is absent or finds no driver."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return []
    # "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-...)"; its MIG slices follow, indented.
    lines = [line for line in listed.stdout.splitlines() if line.startswith("GPU ")]
    return [line.partition(": ")[2].partition(" (UUID")[0] for line in lines]
