"""What tensor parallelism can be spread over on this machine."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Machine:
    """GPUs, and the cores that count where there are none."""

    gpus: int
    cores: tuple[int, ...]
    """Numbers of the cores this process may use."""
    fast_bf16: bool
    """Whether the cores multiply matrices in bfloat16 as fast as in float32."""


def this_machine(environ: Mapping[str, str]) -> Machine:
    """Look at this machine; GPUs that `environ` hides by CUDA_VISIBLE_DEVICES do not count."""
    gpus = len(gpu_names())
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        gpus = min(gpus, sum(bool(part.strip()) for part in visible.split(",")))
    return Machine(
        gpus=gpus,
        cores=tuple(sorted(os.sched_getaffinity(0))),
        fast_bf16=fast_bf16(Path("/proc/cpuinfo").read_text("utf-8")),
    )


def fast_bf16(cpuinfo: str) -> bool:
    """Look for what oneDNN, which PyTorch calls, needs for bfloat16: AVX-512 core, or bf16 on Arm.

    Without it PyTorch multiplies by a plain loop: on 2 cores with AVX2 alone, a model of 1.5B read
    5 to 8 prompt tokens a second in bfloat16 and 40 in float32.
    """
    flags = {
        flag
        for line in cpuinfo.splitlines()
        if line.startswith(("flags", "Features"))
        for flag in line.partition(":")[2].split()
    }
    return {"avx512bw", "avx512vl", "avx512dq"} <= flags or "bf16" in flags


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
