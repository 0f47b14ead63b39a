"""What tensor parallelism can be spread over on this machine."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_ASK = ("nvidia-smi", "--query-gpu=uuid,name,memory.total", "--format=csv,noheader,nounits")


class Gpu(NamedTuple):
    """One GPU."""

    name: str
    memory_gib: float | None = None
    """None where the driver does not tell: memory shared with the CPU, or a MIG slice."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """GPUs, and the cores that count where there are none."""

    gpus: tuple[Gpu, ...]
    """Those that an engine would see, in its order."""
    cores: tuple[int, ...]
    """Numbers of the cores this process may use."""
    fast_bf16: bool
    """Whether the cores multiply matrices in bfloat16 as fast as in float32."""

    def dtype(self, wanted: str) -> str:
        """Resolve `auto`: what the weights are in, but on cores that are slow in bfloat16 float32."""
        if wanted == "auto" and not self.gpus and not self.fast_bf16:
            return "float32"
        return wanted


def this_machine(environ: Mapping[str, str]) -> Machine:
    """Look at this machine; GPUs that `environ` hides by CUDA_VISIBLE_DEVICES do not count."""
    listed = _listed(environ)
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    return Machine(
        gpus=tuple(listed.values()) if visible is None else _chosen(visible, listed),
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


def _listed(environ: Mapping[str, str]) -> dict[str, Gpu]:
    """Ask nvidia-smi for GPUs by their UUID; none where it is absent or finds no driver."""
    try:
        told = subprocess.run(
            _ASK, env=dict(environ), capture_output=True, text=True, timeout=60, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return {}
    if told.returncode != 0:
        return {}
    # "GPU-5f1c..., NVIDIA H100 80GB HBM3, 81559"; without a GPU, a sentence.
    rows = (line.split(", ") for line in told.stdout.splitlines())
    return {row[0]: Gpu(row[1], _gib(row[2])) for row in rows if len(row) == 3}


def _gib(mib: str) -> float | None:
    return int(mib) / 1024 if mib.isdigit() else None  # "[N/A]"


def _chosen(visible: str, listed: Mapping[str, Gpu]) -> tuple[Gpu, ...]:
    """Choose as CUDA does: by index, or by the beginning of a UUID; what follows a wrong one is lost."""
    in_order, chosen = list(listed.values()), []
    for part in filter(None, map(str.strip, visible.split(","))):
        if part.isdigit() and int(part) < len(in_order):
            chosen.append(in_order[int(part)])
        elif part.startswith("MIG-") and in_order:
            chosen.append(Gpu("MIG slice"))
        elif found := [gpu for uuid, gpu in listed.items() if uuid.startswith(part)]:
            chosen.append(found[0])
        else:
            break
    return tuple(chosen)
